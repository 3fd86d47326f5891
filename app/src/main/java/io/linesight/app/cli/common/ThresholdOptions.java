package io.linesight.app.cli.common;

import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.calibration.ThresholdMethod;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options that say where thresholds are placed. */
public final class ThresholdOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--false-reject",
            defaultValue = "0.01",
            paramLabel = "RATE",
            description =
                    "Share of good parts that the thresholds may call anomalous, 0.0001 to 0.2 (${DEFAULT-VALUE}).")
    private double falseReject;

    /** @throws ParameterException when the rate is out of range */
    public CalibrationRule rule(ThresholdMethod method) {
        try {
            return new CalibrationRule(falseReject, method);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--false-reject: " + e.getMessage(), e);
        }
    }
}
