package io.linesight.app.cli;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.app.cli.common.DataOptions;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.SummaryFile;
import io.linesight.app.cli.common.ThresholdOptions;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.calibration.Recalibration;
import io.linesight.trainer.calibration.Recalibration.Normals;
import io.linesight.trainer.calibration.ThresholdMethod;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ImageSource;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "calibrate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Recalibrates a checkpoint's thresholds with the scores of good images, and of defective ones if "
                + "wanted. The network stays as it is; the new file has a version of its own.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight calibrate m.onnx --data parts --false-reject 0.002 --out strict.onnx",
            "  linesight calibrate m.onnx --data delivery --normals train --out new-lamps.onnx         good images "
                    + "taken since",
            "  linesight calibrate m.onnx --data labelled --layout folder --anomalies --out m2.onnx    good and bad, "
                    + "none of them trained on"
        })
final class CalibrateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "CHECKPOINT", description = "Checkpoint, as 'linesight fit' writes it.")
    private Path checkpoint;

    @Mixin
    private DataOptions data;

    @Option(
            names = "--normals",
            paramLabel = "held-out|train|test",
            description = {
                "Which good images. None may have been trained on.",
                "held-out: those of train/good that 'fit' kept out of training, or those of validation/good (default).",
                "train: all of train/good, where this checkpoint was not trained on them.",
                "test: test/good, or all good images where none are set apart to learn from (default there). Measure on "
                        + "others then."
            })
    private String normals;

    @Option(
            names = "--anomalies",
            description = "Use the defective test images too; they only ever lower thresholds. Measure on others then.")
    private boolean anomalies;

    @Mixin
    private ThresholdOptions thresholds;

    @Option(
            names = "--method",
            defaultValue = "auto",
            paramLabel = "auto|quantile|evt|pooled|student|f1max",
            description = {
                "How a threshold is found (${DEFAULT-VALUE}).",
                "auto: by the number of good images, as below; f1max where --anomalies are given.",
                "quantile: their own quantile; from 100 / RATE images on.",
                "evt: generalised Pareto tail; from 50 on.",
                "pooled: own location and spread with the help of the other products; fewer than 50.",
                "student: Student's prediction bound; fewer than 50 of a single product.",
                "f1max: the same, drawn towards the best F1 by defective images."
            })
    private ThresholdMethod method;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Checkpoint to write; may be the same file.")
    private Path out;

    @Mixin
    private SummaryFile summary;

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda:N",
            defaultValue = "auto",
            description = "Where it runs (${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads of the model; 0 takes all processors (${DEFAULT-VALUE}).")
    private int threads;

    @Override
    public Integer call() throws Exception {
        CalibrationRule rule = rule();
        Inputs.existing(checkpoint, "checkpoint");
        DatasetLayout.Opened opened = data.open();
        Inputs.writable(out);
        summary.prepare();
        Normals which = which(opened.source());
        if (which == Normals.HELD_OUT) hintAtUntrained(opened.source().categories());
        Recalibration.Result result = data.orSummarize(() -> Recalibration.run(
                checkpoint,
                out,
                opened.source(),
                which,
                anomalies,
                rule,
                ScorerOptions.defaults().withDevice(device).withThreads(threads),
                new PrintStream(System.err, true)));
        show(result, opened.source().categories());
        data.summarize();
        summary.write(SummaryFile.outcome(out, result.info()), data.files());
        return 0;
    }

    /** @throws ParameterException when method, rate and --anomalies do not go together */
    private CalibrationRule rule() {
        CalibrationRule rule = thresholds.rule(method);
        if (method == ThresholdMethod.F1MAX && !anomalies)
            throw new ParameterException(spec.commandLine(), "--method f1max needs defective images: add --anomalies");
        if (anomalies && method != ThresholdMethod.F1MAX && method != ThresholdMethod.AUTO) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--method " + method.name().toLowerCase(Locale.ROOT)
                            + " goes by good images alone: leave --anomalies out, or take f1max");
        }
        return rule;
    }

    private void hintAtUntrained(List<String> categories) throws IOException {
        String trained = Checkpoint.read(checkpoint)
                .info()
                .properties()
                .getOrDefault(Checkpoints.PROVENANCE_PREFIX + "categories", "");
        List<String> fresh = new ArrayList<>(categories);
        fresh.removeAll(List.of(trained.split(",")));
        if (!fresh.isEmpty())
            spec.commandLine()
                    .getErr()
                    .println("linesight: the checkpoint was not trained on " + String.join(", ", fresh)
                            + ": with '--normals train' all of its train/good would count, and not a tenth");
    }

    private Normals which(ImageSource found) {
        if (normals == null) return DatasetLayout.hasTraining(found) ? Normals.HELD_OUT : Normals.TEST;
        try {
            return Normals.valueOf(normals.toUpperCase(Locale.ROOT).replace('-', '_'));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    spec.commandLine(), "--normals must be held-out, train or test, got '" + normals + "'", e);
        }
    }

    private void show(Recalibration.Result result, List<String> categories) {
        PrintWriter o = spec.commandLine().getOut();
        Map<String, ProductCalibration> placed = new TreeMap<>();
        for (String c : categories)
            if (!result.kept().containsKey(c))
                placed.put(c, result.info().calibration().forProduct(c));
        CalibrationTable.print(o, placed);
        CalibrationTable.explain(o);
        o.flush();
        PrintWriter err = spec.commandLine().getErr();
        new TreeMap<>(result.kept())
                .forEach((c, n) -> err.println(
                        "linesight: " + c + " keeps the threshold that it has: " + n + " good images, 4 are needed"));
        CalibrationTable.warn(err, placed);
        if (result.info().calibration().byProduct().size() > placed.size()) {
            err.println("linesight: as they were: "
                    + String.join(
                            ", ",
                            result.info().calibration().byProduct().keySet().stream()
                                    .filter(p -> !placed.containsKey(p))
                                    .sorted()
                                    .toList()));
        }
        err.flush();
        o.println("Wrote " + out + ": version " + result.info().version());
    }
}
