package io.linesight.trainer.report;

import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.Decisions;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import io.linesight.trainer.report.Gallery.Pick;
import io.linesight.trainer.report.Tiles.Tile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What the templates in {@code src/main/jte} show.
 *
 * @param b the other checkpoint; null in a report of one
 * @param picks images to show, by category
 * @param tiles thumbnails by category and name of the image
 * @param otherTiles maps of {@code b}, likewise
 */
record Page(
        Contender a,
        @Nullable Contender b,
        ReportOptions options,
        Map<String, List<Pick>> picks,
        Map<String, Map<String, Tile>> tiles,
        Map<String, Map<String, Tile>> otherTiles) {
    /** A figure at the top. @param second of the other checkpoint; null in a report of one */
    record Card(String name, String first, @Nullable String second, String below) {}

    /**
     * Decisions on one category.
     *
     * @param category null = all categories together
     * @param disputes images decided differently, those that only A has right, and those that only B has; none in a
     *     report of one
     */
    record DecisionBlock(@Nullable String category, List<DecisionRow> rows, List<Integer> disputes) {}

    record DecisionRow(Contender contender, String threshold, String basis, List<Count> counts) {}

    /** A number of mistakes, and its share of what it could be. */
    record Count(String number, String share) {
        static Count of(int n, int of, String what) {
            return of == 0
                    ? new Count(Html.DASH, "there are no " + what + " images")
                    : new Count(String.valueOf(n), "of " + of + ", " + Html.share(n, of));
        }

        static List<Count> of(Decisions d) {
            return List.of(of(d.falseAlarms(), d.normal(), "normal"), of(d.misses(), d.defective(), "defective"));
        }
    }

    List<Contender> contenders() {
        return b == null ? List.of(a) : List.of(a, b);
    }

    List<String> categories() {
        return List.copyOf(a.report().categories().keySet());
    }

    String title() {
        return a.report().modelVersion()
                + (b == null ? "" : " against " + b.report().modelVersion()) + " on "
                + a.report().dataset();
    }

    String css() {
        try (InputStream in = Page.class.getResourceAsStream("report.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String extent() {
        CategoryMetrics m = a.report().mean();
        return m.normal() + " normal and " + m.anomalous() + " defective images in "
                + (categories().size() == 1 ? "one category" : categories().size() + " categories");
    }

    String date() {
        return options.at().format(DateTimeFormatter.ofPattern("d MMMM yyyy, HH:mm", Locale.ENGLISH));
    }

    String isoDate() {
        return options.at().truncatedTo(ChronoUnit.SECONDS).format(DateTimeFormatter.ISO_OFFSET_DATE_TIME);
    }

    List<Card> cards() {
        Decisions d = Decisions.of(a.report().images());
        return List.of(
                card("image AUROC", c -> Html.percent(c.report().mean().imageAuroc()), "mean over categories, %"),
                card("AUPRO", c -> Html.percent(c.report().mean().aupro()), "how well places are found, %"),
                card(
                        "false alarms",
                        c -> String.valueOf(Decisions.of(c.report().images()).falseAlarms()),
                        "of " + Html.plural(d.normal(), "normal image", "normal images")),
                card(
                        "missed",
                        c -> String.valueOf(Decisions.of(c.report().images()).misses()),
                        "of " + Html.plural(d.defective(), "defective image", "defective images")));
    }

    private Card card(String name, Function<Contender, String> value, String below) {
        return new Card(name, value.apply(a), b == null ? null : value.apply(b), below);
    }

    FigureTable figures() {
        return FigureTable.of(a, b);
    }

    List<CategorySection> sections() {
        List<CategorySection> sections = new ArrayList<>();
        for (String c : categories()) sections.add(new CategorySection(this, sections.size(), c));
        return sections;
    }

    List<DecisionBlock> decisions() {
        List<DecisionBlock> blocks = new ArrayList<>();
        for (String c : categories()) {
            List<DecisionRow> rows = new ArrayList<>();
            for (Contender x : contenders()) {
                CategoryDetail d = x.detail(c);
                String threshold = Html.score(d.calibration().threshold()) + (d.ownLine() ? "" : "*");
                rows.add(new DecisionRow(x, threshold, basis(d), Count.of(x.decisions(c))));
            }
            blocks.add(new DecisionBlock(c, rows, disputes(a.images(c))));
        }
        List<DecisionRow> all = contenders().stream()
                .map(x -> new DecisionRow(
                        x, "", "", Count.of(Decisions.of(x.report().images()))))
                .toList();
        blocks.add(new DecisionBlock(null, all, disputes(a.report().images())));
        return blocks;
    }

    /** What the checkpoint says of its threshold. */
    private static String basis(CategoryDetail d) {
        ThresholdBasis t = d.calibration().basis();
        if (!d.ownLine() || t == null) return Html.DASH;
        StringBuilder s =
                new StringBuilder(t.method()).append(", ").append(t.normals()).append(" normal");
        if (t.anomalous() > 0) s.append(", ").append(t.anomalous()).append(" anomalous");
        if (t.expectedFalseRejectRate() != null)
            s.append("; ").append(Html.percent(t.expectedFalseRejectRate())).append(" % false alarms expected");
        if (d.calibration().review() != null && t.expectedReviewRate() != null) {
            s.append(String.format(
                    Locale.ROOT,
                    "; review %.2f to %.2f, %s %% of normals",
                    d.calibration().review().low(),
                    d.calibration().review().high(),
                    Html.percent(t.expectedReviewRate())));
        }
        return s.toString();
    }

    private List<Integer> disputes(Collection<ImageScore> images) {
        if (b == null) return List.of();
        Map<String, ImageScore> others = new HashMap<>();
        for (ImageScore s : b.report().images()) others.put(key(s), s);
        int onlyA = 0;
        int onlyB = 0;
        for (ImageScore s : images) {
            ImageScore o = others.get(key(s));
            if (o == null || o.rejected() == s.rejected()) continue;
            if (o.mistaken()) onlyA++;
            else onlyB++;
        }
        return List.of(onlyA + onlyB, onlyA, onlyB);
    }

    private static String key(ImageScore s) {
        return s.category() + '\n' + s.name();
    }

    /** Whether a checkpoint was not calibrated on one of the categories. */
    boolean usesFallback() {
        return contenders().stream().anyMatch(c -> categories().stream()
                .anyMatch(name -> !c.detail(name).ownLine()));
    }

    /** How a checkpoint is told from the other; empty in a report of one. */
    String letter(Contender contender) {
        return b == null ? "" : " " + contender.letter();
    }

    String measured() {
        int skipped = a.report().skipped();
        int unscored = a.report().unscored().size();
        return a.report().images().size() + " measured"
                + (skipped > 0 ? ", " + skipped + " unreadable and left out" : "")
                + (unscored > 0 ? ", " + unscored + " without a number from the model and left out" : "") + " in "
                + Html.plural(categories().size(), "category", "categories");
    }
}
