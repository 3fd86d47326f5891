package io.linesight.app.cli.settings;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Table;
import io.linesight.models.settings.SettingsException;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.ProductSettings;
import java.io.PrintWriter;
import java.util.List;
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
        description = "Shows what people have set on a channel, and what of it does not apply.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight settings show -b localhost:9092 -r http://localhost:8081",
            "  linesight settings show -c line.properties flange --json"
        })
final class ShowCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeskOptions options;

    @Parameters(paramLabel = "PRODUCT", arity = "0..1", description = "Only this product.")
    private @Nullable String product;

    @Option(names = "--json", description = "Write JSON: an array with one object for each product.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (DeskOptions.Open open = options.open()) {
            SettingsState state = open.desk().read();
            List<String> products = state.products().stream()
                    .filter(p -> product == null || p.equals(product))
                    .toList();
            if (json) printJson(out, state, products);
            else print(out, state, products);
            return 0;
        } catch (SettingsException e) {
            throw DeskOptions.error(e);
        }
    }

    private static void printJson(PrintWriter out, SettingsState state, List<String> products) {
        ArrayNode array = SettingsText.array();
        for (String p : products) {
            ProductSettings s = state.applied(p).orElse(null);
            if (s == null) continue;
            ObjectNode o = SettingsText.json(s);
            state.problem(p).ifPresent(why -> o.put("notApplied", why));
            array.add(o);
        }
        out.println(array.toPrettyString());
    }

    private void print(PrintWriter out, SettingsState state, List<String> products) {
        if (products.isEmpty()) {
            out.println("Nobody has set anything for "
                    + (product == null ? "channel '" + state.channel() + "'" : "product '" + product + "'")
                    + ": checkpoint and configuration decide.");
            return;
        }
        Table table = new Table("PRODUCT", "REV", "WHEN", "WHO", "SETTINGS", "WHY");
        for (String p : products) {
            ProductSettings s = state.applied(p).orElse(null);
            if (s == null) table.row(p, "-", "-", "-", "-", "");
            else
                table.row(
                        p, s.getRevision(), Table.time(s.getAt()), s.getBy(), SettingsText.describe(s), s.getReason());
        }
        table.print(out);
        for (String p : products)
            state.problem(p)
                    .ifPresent(why -> out.println(Table.printable(
                            "The newest settings of '" + p + "' are not applied, those shown stay: " + why + ".")));
    }
}
