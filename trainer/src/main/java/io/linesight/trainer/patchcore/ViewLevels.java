package io.linesight.trainer.patchcore;

import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.mmad.view.ViewLayouts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What is normal in each view of a product: mean and deviation of its map over normal images. Stateless. */
final class ViewLevels {
    private static final int BATCH = 8;
    /** A view that is the same in all images, as outside a polygon, is not blown up. */
    private static final double MIN_DEVIATION = 0.1;

    private ViewLevels() {}

    /** @param frames normals by product, as the layouts cut them; each product has one at least */
    static Map<String, double[][]> measure(Scorer scorer, ViewLayouts layouts, Map<String, List<byte[]>> frames) {
        Map<String, double[][]> levels = new TreeMap<>();
        layouts.byProduct().forEach((product, layout) -> {
            double[][] own = new double[layout.views()][];
            for (int v = 0; v < own.length; v++) own[v] = level(scorer, frames.get(product), v);
            double typical = 0;
            for (double[] level : own) typical += level[1] / own.length;
            for (double[] level : own)
                level[1] = Math.max(level[1], Math.max(MIN_DEVIATION * typical, Float.MIN_NORMAL));
            levels.put(product, own);
        });
        return levels;
    }

    private static double[] level(Scorer scorer, List<byte[]> frames, int view) {
        double sum = 0;
        double squares = 0;
        long count = 0;
        for (int from = 0; from < frames.size(); from += BATCH) {
            List<byte[]> views = new ArrayList<>();
            for (byte[] frame : frames.subList(from, Math.min(frames.size(), from + BATCH)))
                views.add(ViewLayout.viewOf(frame, view));
            Scores scores = scorer.score(views);
            for (float value : scores.maps()) {
                sum += value;
                squares += (double) value * value;
            }
            count += scores.maps().length;
        }
        double mean = sum / count;
        return new double[] {mean, Math.sqrt(Math.max(0, squares / count - mean * mean))};
    }
}
