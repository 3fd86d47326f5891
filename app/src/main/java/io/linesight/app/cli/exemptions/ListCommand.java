package io.linesight.app.cli.exemptions;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.linesight.app.cli.common.Table;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.topics.FrameKeys;
import java.io.PrintWriter;
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
        description = "Shows the exemptions of a channel, the newest first.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight exemptions list -b localhost:9092 -r http://localhost:8081 --product flange")
final class ListCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private BookOptions options;

    @Option(names = "--product", paramLabel = "NAME", description = "Only those of this product.")
    private @Nullable String product;

    @Option(names = "--json", description = "Write JSON: an array with one object for each.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        BookOptions.Read read = options.read();
        List<Exemption> all = read.book().active().stream()
                .filter(e -> product == null || e.getProduct().equals(product))
                .toList();
        if (json) {
            ArrayNode array = Facts.array();
            for (int i = all.size() - 1; i >= 0; i--) array.add(Facts.of(all.get(i)));
            out.println(array.toPrettyString());
            return 0;
        }
        if (all.isEmpty()) {
            out.println("Channel '" + read.channel() + "' has no exemptions"
                    + (product == null ? "" : " of product '" + product + "'")
                    + ". A frame that is labelled normal although it was not passed makes one.");
            return 0;
        }
        Table table = new Table("FRAME", "PRODUCT", "CAMERA", "BY", "AT", "MODEL", "REASON");
        for (int i = all.size() - 1; i >= 0; i--) {
            Exemption e = all.get(i);
            table.row(
                    FrameKeys.of(e.getFrameRef()),
                    e.getProduct(),
                    e.getCameraId(),
                    e.getBy(),
                    Table.time(e.getAt()),
                    e.getModelVersion(),
                    e.getReason());
        }
        table.print(out);
        return 0;
    }
}
