package io.linesight.app.cli.settings;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Table;
import io.linesight.models.settings.SettingsEntry;
import io.linesight.models.settings.SettingsException;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.ProductSettings;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "history",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows everything that was ever set for a product, newest last: who, when, what and why, also "
                + "what did not count.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight settings history -b localhost:9092 -r http://localhost:8081 flange")
final class HistoryCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeskOptions options;

    @Parameters(paramLabel = "PRODUCT", description = "Its name; * for all products.")
    private String product;

    @Option(names = "--json", description = "Write JSON: an array with one object for each record.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (DeskOptions.Open open = options.open()) {
            SettingsState state = open.desk().read();
            List<SettingsEntry> all = state.history(product);
            if (json) {
                ArrayNode array = SettingsText.array();
                all.forEach(e -> array.add(json(e)));
                out.println(array.toPrettyString());
            } else if (all.isEmpty()) {
                out.println("Nothing was ever set for product '" + product + "' on channel '" + state.channel() + "'.");
            } else {
                table(all).print(out);
            }
            return 0;
        } catch (SettingsException e) {
            throw DeskOptions.error(e);
        }
    }

    private static ObjectNode json(SettingsEntry e) {
        ObjectNode o = e.settings().map(SettingsText::json).orElseGet(() -> SettingsText.array()
                .objectNode());
        return o.put("offset", e.offset()).put("counted", e.counted()).put("problem", e.problem());
    }

    private static Table table(List<SettingsEntry> all) {
        Table t = new Table("REV", "WHEN", "WHO", "SETTINGS", "WHY");
        for (SettingsEntry e : all) {
            ProductSettings s = e.settings().orElse(null);
            String remark = !e.counted() ? "DID NOT COUNT: " + e.problem() : "NOT APPLIED: " + e.problem();
            if (s == null) t.row("-", "-", "-", remark, "");
            else
                t.row(
                        e.counted() ? s.getRevision() : "-",
                        Table.time(s.getAt()),
                        s.getBy(),
                        e.usable() ? SettingsText.describe(s) : remark,
                        s.getReason());
        }
        return t;
    }
}
