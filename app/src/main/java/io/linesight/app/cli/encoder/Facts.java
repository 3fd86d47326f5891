package io.linesight.app.cli.encoder;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderCheck;
import io.linesight.mmad.encoder.ImportedEncoder;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** Prints the properties of an encoder. */
final class Facts {
    private Facts() {}

    static void print(PrintWriter out, Encoder e, long fileBytes) {
        List<Integer> c = e.channels();
        OptionalLong work = e.multiplyAdds();
        field(out, "name", e.name().replaceAll("\\p{Cntrl}+", " "));
        field(out, "channels", c.get(0) + " at stride 4, " + c.get(1) + " at stride 8, " + c.get(2) + " at stride 16");
        field(
                out,
                "work",
                work.isPresent()
                        ? String.format(Locale.ROOT, "%.2f GMAC for one 256x256 image", work.getAsLong() / 1e9)
                        : "unknown (sizes inside depend on the image)");
        field(out, "size", String.format(Locale.ROOT, "%.1f MB (%d bytes)", fileBytes / 1e6, fileBytes));
        field(out, "sha256", e.sha256());
    }

    /** After an import: where it went, how it was checked, and what comes next. */
    static void written(PrintWriter out, ImportedEncoder imported, Path from, Path to, String reference) {
        Encoder e = imported.encoder();
        out.println("Wrote " + to + ": " + imported.origin() + ", from " + from.getFileName());
        print(out, e, e.onnx().length);
        field(
                out,
                "checked",
                "against " + reference + " on a test image; largest difference, by stride, "
                        + imported.differences().stream()
                                .map(d -> String.format(Locale.ROOT, "%.1e", d))
                                .collect(Collectors.joining(", "))
                        + " of the largest value (limit " + EncoderCheck.LIMIT + ")");
        out.println("Use it: linesight fit --encoder " + to + " --data DIR --minutes 20 --out model.onnx");
    }

    static void field(PrintWriter out, String name, String value) {
        out.println((name + ":" + " ".repeat(12)).substring(0, 12) + value);
    }
}
