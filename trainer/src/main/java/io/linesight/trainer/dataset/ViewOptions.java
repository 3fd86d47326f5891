package io.linesight.trainer.dataset;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FrameSession;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.RetrievalGraph;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.view.Box;
import io.linesight.mmad.view.Roi;
import io.linesight.mmad.view.TilePlan;
import io.linesight.mmad.view.TilePlan.Grid;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What of the images a model is to look at. Immutable.
 *
 * @param rois regions of interest by product; that of the empty name is every other product's
 * @param tiles how many zoomed tiles are looked at beside the whole
 * @param grid with {@link Tiles#GRID}
 * @param smallestDefect with {@link Tiles#AUTO}: extent in the images' pixels of what is to be found; NaN = not given
 */
public record ViewOptions(Map<String, Roi> rois, Tiles tiles, @Nullable Grid grid, double smallestDefect) {
    /** Images as they are: whole, at 256x256. */
    public static final ViewOptions WHOLE = new ViewOptions(Map.of(), Tiles.NONE, null, Double.NaN);

    private static final int TIMED = 5;

    /** Where the number of tiles comes from. */
    public enum Tiles {
        NONE,
        AUTO,
        GRID
    }

    /** What is wrong, as {@code linesight fit} spells the options. */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        boolean given = !Double.isNaN(smallestDefect);
        if (tiles == Tiles.AUTO && !given)
            problems.add("--tiles auto needs to know what is to be found: give --smallest-defect, such as 10px");
        if (tiles != Tiles.AUTO && given) problems.add("--smallest-defect is for --tiles auto");
        if (given && !(smallestDefect >= 1))
            problems.add("--smallest-defect must be a pixel or more, got " + smallestDefect);
        return problems;
    }

    /** Whether images are looked at as a whole. */
    public boolean isWhole() {
        return rois.isEmpty() && tiles == Tiles.NONE;
    }

    /**
     * The layouts for a set of images, by the size of the first readable one of each product. Says what was chosen and
     * what it costs.
     *
     * @param topShare of a view's pixels, the highest, that make the image score
     * @throws DatasetException when a region does not lie in the images, names no product of theirs, or there would be
     *     too many tiles; nothing was done
     */
    public ViewLayouts layouts(TrainingSet set, Encoder encoder, double topShare, PrintStream progress)
            throws IOException {
        if (isWhole()) return ViewLayouts.NONE;
        for (String product : rois.keySet())
            if (!product.isEmpty() && !set.training().containsKey(product))
                throw new DatasetException("--roi names product '" + product + "', and the images are of "
                        + String.join(", ", set.training().keySet()) + ". Nothing was done");
        Map<String, RgbImage> firsts = new TreeMap<>();
        Map<String, ViewLayout> layouts = new TreeMap<>();
        for (Map.Entry<String, List<Sample>> e : set.training().entrySet()) {
            RgbImage first = first(e.getValue());
            if (first == null) continue; // Told of when the images are read.
            firsts.put(e.getKey(), first);
        }
        double millis = Double.NaN;
        for (Map.Entry<String, RgbImage> e : firsts.entrySet()) {
            Planned plan = plan(e.getKey(), e.getValue());
            if (plan == null) continue;
            if (Double.isNaN(millis)) millis = viewMillis(encoder, e.getValue());
            String cost = TilePlan.cost(1 + plan.count, encoder.multiplyAdds(), millis);
            if (plan.count > ViewLayout.MAX_TILES)
                throw new DatasetException("a grid of " + plan.grid + " tiles on images of "
                        + e.getValue().width() + "x" + e.getValue().height() + " ('" + e.getKey() + "') would be "
                        + cost
                        + "; at most " + ViewLayout.MAX_TILES + " tiles are looked at. "
                        + (tiles == Tiles.AUTO
                                ? "Give a larger --smallest-defect, or a smaller region (--roi)"
                                : "Give a smaller grid")
                        + ". Nothing was done");
            ViewLayout layout = plan.layout(e.getValue());
            layouts.put(e.getKey(), layout);
            progress.println("views of '" + e.getKey() + "': " + layout.describe() + "; "
                    + TilePlan.cost(layout.views(), encoder.multiplyAdds(), millis));
        }
        if (layouts.isEmpty())
            progress.println("views: no tiles are needed; the whole image at 256x256 shows defects of this size");
        return ViewLayouts.of(layouts, topShare);
    }

    /** What a product's images get. */
    private record Planned(@Nullable Roi roi, Box area, @Nullable Grid grid, long count) {
        ViewLayout layout(RgbImage image) {
            return new ViewLayout(
                    image.width(), image.height(), roi, grid == null ? List.of() : TilePlan.tiles(grid, area, roi));
        }
    }

    private @Nullable Planned plan(String product, RgbImage image) {
        Roi roi = rois.getOrDefault(product, rois.get(""));
        Box frame = new Box(0, 0, image.width(), image.height());
        try {
            new ViewLayout(image.width(), image.height(), roi, List.of());
            Box area = roi == null ? frame : roi.bounds();
            Grid wanted =
                    switch (tiles) {
                        case NONE -> null;
                        case GRID -> grid;
                        case AUTO -> TilePlan.auto(area, smallestDefect);
                    };
            if (roi == null && wanted == null) return null;
            return new Planned(roi, area, wanted, wanted == null ? 0 : wanted.tiles());
        } catch (IllegalArgumentException e) {
            throw new DatasetException(
                    "product '" + product + "': " + e.getMessage() + "; its images have " + image.width() + "x"
                            + image.height() + " pixels. Nothing was done",
                    e);
        }
    }

    private static @Nullable RgbImage first(List<Sample> samples) {
        for (Sample s : samples) {
            try {
                return s.image().read();
            } catch (BadImageException | IOException e) {
                continue;
            }
        }
        return null;
    }

    /** The encoder's time for a view on this machine, the best of a few. */
    private static double viewMillis(Encoder encoder, RgbImage image) throws IOException {
        byte[] frame = Preprocess.toModelInput(image);
        double best = Double.POSITIVE_INFINITY;
        try (FrameSession session = FrameSession.open(
                "encoder '" + encoder.name() + "'",
                RetrievalGraph.features(encoder, List.of()),
                MmadGraph.FRAMES,
                List.of(RetrievalGraph.MEAN),
                ScorerOptions.defaults().withDevice("cpu"))) {
            for (int i = 0; i < TIMED; i++) {
                long start = System.nanoTime();
                session.run(List.of(frame));
                best = Math.min(best, (System.nanoTime() - start) / 1e6);
            }
        }
        return best;
    }
}
