package io.linesight.app.cli.alerts;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.linesight.app.cli.common.Table;
import io.linesight.schemas.Alert;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows the alerts that are open, the newest first.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight alerts list -b localhost:9092 -r http://localhost:8081",
            "  linesight alerts list -c line.properties --camera cam-1 --all --json"
        })
final class ListCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private LogOptions options;

    @Option(names = "--camera", paramLabel = "ID", description = "Only those of this camera.")
    private @Nullable String camera;

    @Option(names = "--all", description = "Also those that are closed and still in the topic.")
    private boolean all;

    @Option(names = "--json", description = "Write JSON: an array with one object for each.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        LogOptions.Read read = options.read();
        Collection<Alert> wanted = all ? io.linesight.streams.alert.AlertLog.latest(read.changes()) : read.open();
        List<Alert> shown = new ArrayList<>(wanted.stream()
                .filter(a -> camera == null || a.getCameraId().equals(camera))
                .filter(a -> !a.getAlertId().startsWith("REFUSED-"))
                .toList());
        java.util.Collections.reverse(shown);
        if (json) {
            ArrayNode array = Facts.array();
            shown.forEach(a -> array.add(Facts.of(a)));
            out.println(array.toPrettyString());
            return 0;
        }
        if (shown.isEmpty()) {
            out.println(
                    "No alert is " + (all ? "there" : "open") + (camera == null ? "." : " at camera " + camera + "."));
            return 0;
        }
        Table table = new Table("ALERT", "SEVERITY", "STATE", "CAMERA", "PRODUCT", "SINCE", "FRAMES", "MESSAGE");
        for (Alert a : shown) {
            table.row(
                    a.getAlertId(),
                    Facts.word(a.getSeverity()),
                    Facts.state(a),
                    a.getCameraId(),
                    a.getProduct(),
                    Table.time(a.getOpenedAt()),
                    a.getAnomalousFrames() == 0 ? null : a.getAnomalousFrames() + " of " + a.getFrames(),
                    a.getMessage());
        }
        table.print(out);
        return 0;
    }
}
