package io.linesight.trainer.report;

import io.linesight.mmad.accuracy.CategoryCurves;
import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.accuracy.Curve;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.Decisions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import io.linesight.trainer.report.Gallery.Pick;
import io.linesight.trainer.report.Tiles.Tile;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One category: its charts and its images.
 *
 * @param index among the categories
 */
record CategorySection(Page page, int index, String category) {
    private static final Axis WHOLE = new Axis(0, 1, 0.2);

    /**
     * A chart with the figure that is the area under its curve.
     *
     * @param column of the figure in the table
     */
    record Figure(String title, String category, int column, String svg) {
        String head() {
            return EvaluationReport.HEADS.get(column).replaceFirst("^[IP]-", "");
        }

        String value(Contender contender) {
            CategoryMetrics m = contender.report().categories().get(category);
            return Html.percent(EvaluationReport.values(m)[column]);
        }
    }

    /**
     * An image that is shown.
     *
     * @param gone whether it can be read no more
     */
    record Shown(String name, List<Verdict> verdicts, boolean gone, List<Thumbnail> tiles) {}

    record Verdict(Contender contender, boolean mistaken, String outcome, String scores) {}

    /** @param source of the image; null = {@code alt} is shown instead */
    record Thumbnail(@Nullable String source, String alt, String caption) {
        static Thumbnail of(byte[] jpeg, String alt, String caption) {
            return new Thumbnail(Html.dataUrl(jpeg), alt, caption);
        }
    }

    String extent() {
        CategoryMetrics m = metrics();
        return m.normal() + " normal, " + m.anomalous() + " defective.";
    }

    private CategoryMetrics metrics() {
        return page.a().report().categories().get(category);
    }

    String outcome(Contender contender) {
        Decisions d = contender.decisions(category);
        return Html.plural(d.falseAlarms(), "false alarm", "false alarms") + ", "
                + Html.plural(d.misses(), "miss", "misses") + ".";
    }

    String histogram(Contender contender) {
        double threshold = contender.detail(category).calibration().threshold();
        return Histogram.of(contender.images(category), threshold).svg("Histogram of image scores", threshold);
    }

    /** None without normal and defective images. */
    List<Figure> imageFigures() {
        if (!hasCurve(CategoryCurves::imageRoc)) return List.of();
        CategoryMetrics m = metrics();
        double base = (double) m.anomalous() / (m.anomalous() + m.normal());
        Chart roc = chart(
                        "ROC curve of images",
                        WHOLE,
                        "false-positive rate",
                        "true-positive rate",
                        CategoryCurves::imageRoc)
                .guide(0, 0, 1, 1);
        Chart precision = chart(
                        "Precision-recall curve of images",
                        WHOLE,
                        "recall",
                        "precision",
                        CategoryCurves::imagePrecisionRecall)
                .guide(0, base, 1, base);
        for (Contender c : page.contenders()) {
            Decisions d = c.decisions(category);
            String tip = (page.b() == null ? "" : c.letter() + " ") + "at the threshold";
            double recall = (double) d.found() / d.defective();
            roc.dot((double) d.falseAlarms() / d.normal(), recall, c.style(), tip);
            if (d.found() + d.falseAlarms() > 0)
                precision.dot(recall, (double) d.found() / (d.found() + d.falseAlarms()), c.style(), tip);
        }
        return List.of(
                new Figure("ROC, images", category, 0, roc.svg()),
                new Figure("Precision-recall, images", category, 1, precision.svg()));
    }

    /** None without a ground truth for every defective image. */
    List<Figure> pixelFigures() {
        if (!hasCurve(CategoryCurves::pixelRoc)) return List.of();
        Chart roc = chart(
                        "ROC curve of pixels",
                        WHOLE,
                        "false-positive rate",
                        "true-positive rate",
                        CategoryCurves::pixelRoc)
                .guide(0, 0, 1, 1);
        Chart precision = chart(
                "Precision-recall curve of pixels", WHOLE, "recall", "precision", CategoryCurves::pixelPrecisionRecall);
        Chart overlap = chart(
                "Per-region overlap",
                new Axis(0, CategoryCurves.OVERLAP_LIMIT, 0.1),
                "false-positive rate",
                "mean overlap",
                CategoryCurves::regionOverlap);
        return List.of(
                new Figure("ROC, pixels", category, 3, roc.svg()),
                new Figure("Precision-recall, pixels", category, 4, precision.svg()),
                new Figure("PRO, regions", category, 6, overlap.svg()));
    }

    private boolean hasCurve(Function<CategoryCurves, @Nullable Curve> which) {
        return page.contenders().stream()
                .anyMatch(c -> which.apply(c.detail(category).curves()) != null);
    }

    private Chart chart(
            String label, Axis x, String xLabel, String yLabel, Function<CategoryCurves, @Nullable Curve> which) {
        Chart chart = new Chart(label, x, WHOLE, xLabel, yLabel);
        for (Contender c : page.contenders())
            chart.curve(which.apply(c.detail(category).curves()), c.style());
        return chart;
    }

    List<Pick> picks() {
        return page.picks().getOrDefault(category, List.of());
    }

    String galleryExtent() {
        int all = page.a().images(category).size();
        return (picks().size() == all ? "all " + all : picks().size() + " of " + all) + ", "
                + (page.b() == null ? "" : "those decided differently first, then ") + "the worst mistakes first";
    }

    List<Shown> gallery() {
        Map<String, Tile> first = page.tiles().getOrDefault(category, Map.of());
        Map<String, Tile> second = page.otherTiles().getOrDefault(category, Map.of());
        List<Shown> shown = new ArrayList<>();
        for (Pick p : picks()) {
            String name = p.first().name();
            List<Verdict> verdicts = new ArrayList<>();
            verdicts.add(verdict(page.a(), p.first()));
            if (page.b() != null && p.second() != null) verdicts.add(verdict(page.b(), p.second()));
            Tile tile = first.get(name);
            Tile other = page.b() == null ? null : second.get(name);
            boolean gone = tile == null || page.b() != null && other == null;
            shown.add(new Shown(name, verdicts, gone, gone ? List.of() : thumbnails(p.first(), tile, other)));
        }
        return shown;
    }

    private List<Thumbnail> thumbnails(ImageScore score, Tile tile, @Nullable Tile other) {
        List<Thumbnail> thumbnails = new ArrayList<>();
        thumbnails.add(Thumbnail.of(tile.image(), "image", "image"));
        thumbnails.add(
                tile.truth() == null
                        ? new Thumbnail(null, score.anomalous() ? "no ground truth" : "no defect", "ground truth")
                        : Thumbnail.of(
                                tile.truth(), "ground truth", "ground truth" + (score.vanished() ? " (empty)" : "")));
        String ofFirst = page.b() == null ? "anomaly map" : "map of A";
        thumbnails.add(Thumbnail.of(tile.map(), "anomaly map", ofFirst + scale(tile)));
        if (other != null) thumbnails.add(Thumbnail.of(other.map(), "anomaly map of B", "map of B" + scale(other)));
        return thumbnails;
    }

    private static String scale(Tile tile) {
        return tile.own() ? ", own scale" : "";
    }

    private static Verdict verdict(Contender c, ImageScore s) {
        CategoryDetail d = c.detail(s.category());
        String outcome = s.defective() ? (s.mistaken() ? "missed" : "found") : s.mistaken() ? "false alarm" : "passed";
        String scores = "score " + Html.score(s.raw()) + " of "
                + Html.score(d.calibration().threshold()) + (d.ownLine() ? "" : "*")
                + String.format(Locale.ROOT, ", calibrated %.2f of 0.50", s.calibrated());
        return new Verdict(c, s.mistaken(), outcome, scores);
    }
}
