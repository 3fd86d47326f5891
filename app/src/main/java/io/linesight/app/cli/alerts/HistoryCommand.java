package io.linesight.app.cli.alerts;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Table;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "history",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows what happened to alerts, and who did what and why, the newest last.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight alerts history -b localhost:9092 -r http://localhost:8081",
            "  linesight alerts history -c line.properties --camera cam-1 --last 30m"
        })
final class HistoryCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private LogOptions options;

    @Option(names = "--camera", paramLabel = "ID", description = "Only what happened at this camera.")
    private @Nullable String camera;

    @Option(
            names = "--last",
            paramLabel = "TIME",
            defaultValue = "24h",
            converter = Durations.class,
            description = "How far back: 90s, 2m, 1h (${DEFAULT-VALUE}).")
    private Duration last;

    @Option(names = "--json", description = "Write JSON: an array with one object for each change.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Instant begin = Instant.now().minus(last);
        List<Alert> changes = options.read().changes().stream()
                .filter(a -> !a.getAt().isBefore(begin))
                .filter(a -> camera == null || a.getCameraId().equals(camera))
                .toList();
        if (json) {
            ArrayNode array = Facts.array();
            changes.forEach(a -> array.add(Facts.of(a)));
            out.println(array.toPrettyString());
        } else if (changes.isEmpty()) {
            out.println("Nothing happened to alerts in the last " + last.toSeconds() + " s.");
        } else {
            print(out, changes);
        }
        return 0;
    }

    static void print(PrintWriter out, List<Alert> changes) {
        Table table = new Table("AT", "ALERT", "CHANGE", "STATE", "BY", "WHY");
        for (Alert a : changes) {
            if (a.getChange() == AlertChange.COUNTED) continue;
            table.row(
                    Table.time(a.getAt()),
                    a.getAlertId(),
                    Facts.word(a.getChange()),
                    Facts.state(a),
                    a.getBy().isEmpty() ? "-" : a.getBy(),
                    a.getReason().isEmpty() ? a.getMessage() : a.getReason());
        }
        table.print(out);
    }
}
