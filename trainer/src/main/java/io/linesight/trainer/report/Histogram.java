package io.linesight.trainer.report;

import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.util.Arrays;
import java.util.List;

/**
 * How the scores of normal and of defective images spread. The threshold is always within, and always between two bars.
 */
record Histogram(double from, double width, int[] normal, int[] defective) {
    private static final int BARS = 40;

    static Histogram of(List<ImageScore> images, double threshold) {
        double low = threshold;
        double high = threshold;
        for (ImageScore s : images) {
            low = Math.min(low, s.raw());
            high = Math.max(high, s.raw());
        }
        double width = (high - low) / BARS;
        if (!(width > 0)) width = Math.max(Math.abs(threshold) / BARS, 1e-6);
        // A bar that holds the threshold would mix images that pass with images that do not.
        int below = (int) Math.ceil((threshold - low) / width - 1e-9);
        int above = (int) Math.floor((high - threshold) / width + 1e-9) + 1;
        int[] normal = new int[below + above];
        int[] defective = new int[below + above];
        for (ImageScore s : images) {
            int bar = (int) Math.floor((s.raw() - threshold) / width) + below;
            // Rounding must not put an image on the other side of its threshold.
            bar = s.rejected() ? Math.max(bar, below) : Math.min(bar, below - 1);
            (s.defective() ? defective : normal)[Math.max(0, Math.min(normal.length - 1, bar))]++;
        }
        return new Histogram(threshold - below * width, width, normal, defective);
    }

    int highest() {
        return Math.max(
                1,
                Math.max(
                        Arrays.stream(normal).max().orElse(0),
                        Arrays.stream(defective).max().orElse(0)));
    }

    double at(int bar) {
        return from + bar * width;
    }

    String svg(String label, double threshold) {
        Axis x = Axis.over(from, at(normal.length), 5);
        Axis y = Axis.over(0, highest() * 1.05, 4);
        // No halves of images along the axis.
        if (y.step() < 1) y = new Axis(y.from(), y.to(), 1);
        Chart chart = new Chart(label, x, y, "image score", "images");
        for (int i = 0; i < normal.length; i++) {
            String range = Html.score(at(i)) + " to " + Html.score(at(i + 1)) + ": ";
            chart.bar(at(i), at(i + 1), normal[i], "normal", range + normal[i] + " normal");
            chart.bar(at(i), at(i + 1), defective[i], "defective", range + defective[i] + " defective");
        }
        return chart.upright(threshold, "threshold " + Html.score(threshold)).svg();
    }
}
