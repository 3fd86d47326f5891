package io.linesight.app.cli.alerts;

import io.linesight.app.cli.common.Durations;
import io.linesight.schemas.AlertActionKind;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "shelve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Silences an alert for a while; it ends by itself.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight alerts shelve -b localhost:9092 -r http://localhost:8081 "
                + "DEFECT-ANOMALOUS-linesight.frames.v1-0-42 --for 2h --note 'lamp is ordered'")
final class ShelveCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ActOptions options;

    @Parameters(paramLabel = "ALERT", description = "Its id, or the beginning of it.")
    private String id;

    @Option(
            names = "--for",
            required = true,
            paramLabel = "TIME",
            converter = Durations.class,
            description = "How long: 30m, 2h. At most linesight.alerts.shelve.max.ms of the line, 24 h by default.")
    private Duration time;

    @Override
    public Integer call() throws Exception {
        return options.act(
                spec.commandLine().getOut(),
                AlertActionKind.SHELVE,
                id,
                Instant.now().plus(time).truncatedTo(ChronoUnit.MILLIS));
    }
}
