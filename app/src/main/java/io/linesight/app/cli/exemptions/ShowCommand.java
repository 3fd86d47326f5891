package io.linesight.app.cli.exemptions;

import io.linesight.app.cli.common.Table;
import io.linesight.schemas.ExemptedCell;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.topics.FrameKeys;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
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
        description = "Shows one exemption, and where in the image it applies.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight exemptions show -b localhost:9092 -r http://localhost:8081 linesight.frames.v1-0-42")
final class ShowCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private BookOptions options;

    @Parameters(paramLabel = "FRAME", description = "As 'linesight exemptions list' shows it.")
    private String frame;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Exemption e = options.read().of(frame);
        if (json) {
            out.println(Facts.of(e).toPrettyString());
            return 0;
        }
        out.println("frame:     " + FrameKeys.of(e.getFrameRef()) + " (" + Table.printable(e.getFrameId()) + ")");
        out.println("product:   " + Table.printable(e.getProduct().isEmpty() ? "-" : e.getProduct()));
        out.println("camera:    " + Table.printable(e.getCameraId()));
        out.println("by:        " + Table.printable(e.getBy()) + ", " + Table.time(e.getAt()));
        out.println("reason:    " + Table.printable(e.getReason().isEmpty() ? "-" : e.getReason()));
        out.printf(
                Locale.ROOT,
                "alarm:     model %s scored it %.4f, threshold %.4f%n",
                Table.printable(e.getModelVersion()),
                e.getRawScore(),
                e.getThreshold());
        out.println("encoder:   " + Table.printable(e.getEncoderSha256()));
        out.println("places:    where it applies, # of the 16 x 16 fields of the image");
        boolean[][] where = new boolean[16][16];
        for (ExemptedCell c : e.getCells())
            if (c.getStride() == 16 && c.getX() >= 0 && c.getX() < 16 && c.getY() >= 0 && c.getY() < 16)
                where[c.getY()][c.getX()] = true;
        for (boolean[] row : where) {
            StringBuilder line = new StringBuilder("           ");
            for (boolean b : row) line.append(b ? "# " : ". ");
            out.println(line.toString().stripTrailing());
        }
        return 0;
    }
}
