package io.linesight.app.cli.common;

import io.linesight.mmad.view.Roi;
import io.linesight.mmad.view.TilePlan.Grid;
import io.linesight.trainer.dataset.ViewOptions;
import io.linesight.trainer.dataset.ViewOptions.Tiles;
import io.linesight.trainer.folders.Spelling;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options that say what of the images is looked at: region of interest and zoomed tiles. */
public final class ViewArguments {
    @Option(
            names = "--roi",
            paramLabel = "[PRODUCT=]box:X,Y,W,H|[PRODUCT=]polygon:X1,Y1,...",
            description = {
                "Region of interest in the images' pixels; what lies outside is neither looked at nor scored.",
                "Without a product it is that of all others. May be given once for each product."
            })
    private List<String> rois = new ArrayList<>();

    @Option(
            names = "--tiles",
            defaultValue = "none",
            paramLabel = "none|auto|CxR",
            description = {
                "Overlapping zoomed tiles that are looked at beside the whole image, each at 256x256 "
                        + "(${DEFAULT-VALUE}).",
                "auto: as many as it takes to see --smallest-defect; fit says how many, and what they cost.",
                "CxR: so many columns and rows, such as 4x3. A frame costs 1 + C * R times as much."
            })
    private String tiles;

    @Option(
            names = "--smallest-defect",
            paramLabel = "PIXELS",
            description =
                    "With --tiles auto: extent of the smallest defect to be found, in the images' pixels, such as "
                            + "10px.")
    private @Nullable String smallestDefect;

    /** What was asked for. */
    public ViewOptions options(CommandSpec spec) {
        Tiles kind =
                switch (tiles) {
                    case "none" -> Tiles.NONE;
                    case "auto" -> Tiles.AUTO;
                    default -> Tiles.GRID;
                };
        return new ViewOptions(rois(spec), kind, kind == Tiles.GRID ? grid(spec) : null, smallestDefect(spec));
    }

    private Map<String, Roi> rois(CommandSpec spec) {
        Map<String, Roi> byProduct = new TreeMap<>();
        for (String given : rois) {
            int equals = given.lastIndexOf('=');
            String product = equals < 0 ? "" : Spelling.nfc(given.substring(0, equals));
            try {
                if (byProduct.put(product, Roi.parse(given.substring(equals + 1))) != null)
                    throw new IllegalArgumentException(
                            product.isEmpty() ? "it is given twice" : "'" + product + "' is given twice");
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), "--roi: " + e.getMessage(), e);
            }
        }
        return byProduct;
    }

    private Grid grid(CommandSpec spec) {
        if (!tiles.matches("[1-9]\\d{0,3}x[1-9]\\d{0,3}"))
            throw new ParameterException(
                    spec.commandLine(), "--tiles is none, auto or columns x rows such as 4x3, got '" + tiles + "'");
        String[] sides = tiles.split("x");
        return new Grid(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
    }

    private double smallestDefect(CommandSpec spec) {
        if (smallestDefect == null) return Double.NaN;
        if (!smallestDefect.matches("\\d{1,5}(\\.\\d{1,3})?(px)?"))
            throw new ParameterException(
                    spec.commandLine(),
                    "--smallest-defect is a number of pixels, such as 10px, got '" + smallestDefect + "'");
        return Double.parseDouble(smallestDefect.replace("px", ""));
    }
}
