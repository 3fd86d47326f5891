package io.linesight.app.cli.alerts;

import io.linesight.app.cli.common.Table;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertFrame;
import io.linesight.schemas.AlertNote;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows one alert, with the frames that it is about and all its changes.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight alerts show -b localhost:9092 -r http://localhost:8081 "
                + "DEFECT-ANOMALOUS-linesight.frames.v1-0-42")
final class ShowCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private LogOptions options;

    @Parameters(paramLabel = "ALERT", description = "Its id, or the beginning of it.")
    private String id;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        LogOptions.Read read = options.read();
        Alert a = read.alert(id);
        if (json) {
            out.println(Facts.of(a).toPrettyString());
            return 0;
        }
        line(out, "alert", a.getAlertId());
        line(out, "message", a.getMessage());
        line(out, "state", Facts.state(a) + ", revision " + a.getRevision());
        line(out, "severity", Facts.word(a.getSeverity()));
        line(out, "camera", a.getCameraId() + (a.getLineId().isEmpty() ? "" : " of line " + a.getLineId()));
        line(out, "product", a.getProduct());
        line(out, "opened", time(a.getOpenedAt()));
        line(out, "last seen", time(a.getLastAt()));
        line(out, "cleared", time(a.getClearedAt()));
        line(out, "closed", time(a.getClosedAt()));
        line(out, "shelved", a.getShelvedUntil() == null ? null : "until " + time(a.getShelvedUntil()));
        line(out, "suppressed", a.getSuppressedBy() == null ? null : "by " + a.getSuppressedBy());
        line(out, "first", frame(a.getFirst()));
        line(out, "worst", frame(a.getWorst()));
        line(out, "last", frame(a.getLast()));
        line(out, "model", a.getModelVersion());
        a.getAttributes().forEach((key, value) -> line(out, key, value));
        Map<String, String> details = DriftTable.print(out, a);
        details.forEach((key, value) -> line(out, key, value));
        for (AlertNote n : a.getNotes())
            line(out, "note", n.getText() + " (" + n.getBy() + ", " + time(n.getAt()) + ")");
        out.println();
        HistoryCommand.print(
                out,
                read.changes().stream()
                        .filter(c -> c.getAlertId().equals(a.getAlertId()))
                        .toList());
        return 0;
    }

    private static void line(PrintWriter out, String name, @Nullable String value) {
        if (value == null || value.isEmpty()) return;
        out.printf(Locale.ROOT, "%-12s%s%n", Table.printable(name) + ": ", Table.printable(value));
    }

    private static @Nullable String time(@Nullable Instant at) {
        return at == null ? null : Table.time(at);
    }

    private static @Nullable String frame(@Nullable AlertFrame f) {
        if (f == null) return null;
        return String.format(
                Locale.ROOT, "%s, %s, score %.2f", f.getResultId(), Table.time(f.getCapturedAt()), f.getScore());
    }
}
