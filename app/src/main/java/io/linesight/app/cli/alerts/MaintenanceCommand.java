package io.linesight.app.cli.alerts;

import io.linesight.app.cli.common.Durations;
import io.linesight.schemas.AlertActionKind;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "maintenance",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Puts a camera into maintenance for a while: its alerts are suppressed and it does not count as "
                + "silent. What still holds at the end alarms then.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight alerts maintenance -b localhost:9092 -r http://localhost:8081 cam-1 --for 2h "
                    + "--note 'new lens'",
            "  linesight alerts maintenance -c line.properties cam-1 --end"
        })
final class MaintenanceCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ActOptions options;

    @Parameters(paramLabel = "CAMERA", description = "The camera's id.")
    private String camera;

    @ArgGroup(exclusive = true, multiplicity = "1")
    private How how;

    private static final class How {
        @Option(
                names = "--for",
                paramLabel = "TIME",
                converter = Durations.class,
                description = "How long: 30m, 2h. At most linesight.alerts.shelve.max.ms of the line, 24 h by default.")
        private @Nullable Duration time;

        @Option(names = "--end", description = "End it now.")
        private boolean end;
    }

    @Override
    public Integer call() throws Exception {
        return how.time == null
                ? options.maintain(spec.commandLine().getOut(), AlertActionKind.END_MAINTENANCE, camera, null)
                : options.maintain(
                        spec.commandLine().getOut(),
                        AlertActionKind.START_MAINTENANCE,
                        camera,
                        Instant.now().plus(how.time).truncatedTo(ChronoUnit.MILLIS));
    }
}
