package io.linesight.trainer.report;

import io.linesight.mmad.accuracy.CategoryCurves;
import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.accuracy.Curve;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import io.linesight.trainer.report.Gallery.Pick;
import io.linesight.trainer.report.Tiles.Tile;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The report's page. Used once. */
final class Page {
    private static final List<String> PIXEL_HEADS = EvaluationReport.HEADS.subList(3, 7);

    private final Writer out;
    private final Contender a;
    private final Contender b;
    private final List<Contender> contenders;
    private final ReportOptions options;
    private final List<String> categories;
    private final List<String> reasons = new ArrayList<>();

    /** @param b the other checkpoint, or null */
    Page(Writer out, Contender a, Contender b, ReportOptions options) {
        this.out = out;
        this.a = a;
        this.b = b;
        this.contenders = b == null ? List.of(a) : List.of(a, b);
        this.options = options;
        this.categories = List.copyOf(a.report().categories().keySet());
    }

    private void put(String... pieces) throws IOException {
        for (String p : pieces) out.write(p);
        out.write('\n');
    }

    void write(
            Map<String, List<Pick>> picks, Map<String, Map<String, Tile>> tiles, Map<String, Map<String, Tile>> other)
            throws IOException {
        String title = a.report().modelVersion()
                + (b == null ? "" : " against " + b.report().modelVersion()) + " on "
                + a.report().dataset();
        put("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
        // Names from the user's disk are escaped; should one slip through all the same, there is nothing that it could
        // load or run.
        put(
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">");
        put(
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
                Html.text(title),
                "</title>\n<style>\n",
                style(),
                "</style>\n</head>\n<body>");
        header();
        put("<main>");
        figures();
        decisions();
        for (int i = 0; i < categories.size(); i++) {
            String c = categories.get(i);
            category(i, c, picks.get(c), tiles.getOrDefault(c, Map.of()), other.getOrDefault(c, Map.of()));
        }
        howToRead();
        provenance();
        put("</main>\n</body>\n</html>");
    }

    private static String style() throws IOException {
        try (InputStream in = Page.class.getResourceAsStream("report.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private void header() throws IOException {
        put(
                "<header><p class=\"over\">Linesight evaluation</p><h1>",
                b == null
                        ? Html.name(a.report().modelVersion())
                        : tag(a) + Html.name(a.report().modelVersion()) + " <small>against</small> " + tag(b)
                                + Html.name(b.report().modelVersion()),
                "</h1>");
        CategoryMetrics m = a.report().mean();
        put(
                "<p class=\"sub\">",
                Html.name(a.report().dataset()),
                ": ",
                plural(m.normal(), "normal"),
                " and ",
                plural(m.anomalous(), "defective"),
                " pictures in ",
                categories.size() == 1 ? "one category" : categories.size() + " categories",
                " · ",
                Html.text(options.at().format(DateTimeFormatter.ofPattern("d MMMM yyyy, HH:mm", Locale.ENGLISH))),
                "</p>");
        put("<div class=\"cards\">");
        card("image AUROC", c -> Html.percent(c.report().mean().imageAuroc()), "mean over categories, %");
        card("AUPRO", c -> Html.percent(c.report().mean().aupro()), "how well places are found, %");
        Map<String, Decisions> all = new HashMap<>();
        for (Contender c : contenders)
            all.put(c.letter(), Decisions.of(c.report().images()));
        Decisions d = all.get(a.letter());
        card(
                "false alarms",
                c -> String.valueOf(all.get(c.letter()).falseAlarms()),
                "of " + plural(d.normal(), "normal picture", "normal pictures"));
        card(
                "missed",
                c -> String.valueOf(all.get(c.letter()).misses()),
                "of " + plural(d.defective(), "defective picture", "defective pictures"));
        put("</div>");
        if (categories.size() > 1) {
            put("<nav>");
            for (int i = 0; i < categories.size(); i++)
                put("<a href=\"#c", String.valueOf(i), "\">", Html.name(categories.get(i)), "</a>");
            put("</nav>");
        }
        put("</header>");
    }

    private void card(String name, Function<Contender, String> value, String below) throws IOException {
        put(
                "<div class=\"card\"><span>",
                Html.text(name),
                "</span><b>",
                value.apply(a),
                b == null ? "" : " <i>" + value.apply(b) + "</i>",
                "</b><span class=\"small\">",
                Html.text(below),
                "</span></div>");
    }

    private static String plural(int n, String one, String many) {
        return n + " " + (n == 1 ? one : many);
    }

    private static String plural(int n, String word) {
        return n + " " + word;
    }

    private static String tag(Contender c) {
        return "<span class=\"tag " + style(c) + "\">" + c.letter() + "</span>";
    }

    private static String style(Contender c) {
        return c.letter().toLowerCase(Locale.ROOT);
    }

    private void figures() throws IOException {
        put(
                "<section><h2>Figures</h2><p class=\"small\">In per cent. I: per image, P: per pixel. AUPRO up to a false-positive rate of 0.3; mAD is the mean of the seven.</p>");
        put("<div class=\"wide\"><table class=\"figures\"><thead><tr><th>category</th>", b == null ? "" : "<th></th>");
        for (String h : EvaluationReport.HEADS) put("<th>", h, "</th>");
        put("<th>normal</th><th>defective</th></tr></thead>");
        for (String c : categories)
            figureRows(
                    c,
                    Html.name(c),
                    a.report().categories().get(c),
                    b == null ? null : b.report().categories().get(c));
        figureRows(
                null, "mean", a.report().mean(), b == null ? null : b.report().mean());
        put("</table></div>");
        if (!reasons.isEmpty()) {
            put("<ul class=\"small\">");
            for (String r : reasons) put("<li>", r, "</li>");
            put("</ul>");
        }
        put("</section>");
    }

    private void figureRows(String category, String name, CategoryMetrics first, CategoryMetrics second)
            throws IOException {
        if (category != null) explain(category, name, first);
        Double[] va = EvaluationReport.values(first);
        put(
                "<tbody",
                category == null ? " class=\"mean\"" : "",
                "><tr><th",
                second == null ? "" : " rowspan=\"3\"",
                ">",
                name,
                "</th>",
                second == null ? "" : "<td>" + tag(a) + "</td>");
        cells(va);
        String span = second == null ? "" : " rowspan=\"3\"";
        put(
                "<td",
                span,
                ">",
                String.valueOf(first.normal()),
                "</td><td",
                span,
                ">",
                String.valueOf(first.anomalous()),
                "</td></tr>");
        if (second != null) {
            Double[] vb = EvaluationReport.values(second);
            put("<tr><td>", tag(b), "</td>");
            cells(vb);
            put("</tr><tr class=\"difference\"><td>B − A</td>");
            for (int i = 0; i < va.length; i++)
                put(
                        va[i] == null || vb[i] == null
                                ? "<td>" + Html.DASH + "</td>"
                                : difference(100 * (vb[i] - va[i]), true));
            put("</tr>");
        }
        put("</tbody>");
    }

    private void cells(Double[] values) throws IOException {
        for (Double v : values) put("<td>", Html.percent(v), "</td>");
    }

    /** @param better whether more is better */
    private static String difference(double d, boolean better) {
        String text = String.format(Locale.ROOT, "%+.1f", d);
        if (text.equals("+0.0") || text.equals("-0.0")) return "<td>0.0</td>";
        return "<td class=\"" + (d > 0 == better ? "up" : "down") + "\">" + text.replace('-', '−') + "</td>";
    }

    /** Why figures are missing, and what else bears on them. */
    private void explain(String category, String name, CategoryMetrics m) {
        CategoryDetail d = a.detail(category);
        if (m.normal() == 0)
            reasons.add(
                    name
                            + ": no normal pictures, so there are no figures per image; add some, false alarms cannot be seen without them.");
        if (m.anomalous() == 0)
            reasons.add(
                    name
                            + ": no defective pictures, so there are no figures but false alarms; add some, misses cannot be seen without them.");
        if (m.anomalous() > 0 && d.unmarked() > 0) {
            reasons.add(name + ": "
                    + (d.unmarked() == m.anomalous()
                            ? "no defective picture has"
                            : d.unmarked() + " of " + m.anomalous() + " defective pictures have no")
                    + " ground truth" + (d.unmarked() == m.anomalous() ? "" : "; all need one")
                    + ", so there are no figures per pixel.");
        }
        if (d.vanished() > 0)
            reasons.add(name + ": the ground truth of " + plural(d.vanished(), "defective picture")
                    + (d.vanished() == 1 ? "" : "s") + " marks nothing at the model's resolution; counted as normal.");
        if (d.misshapen() > 0) {
            reasons.add(name + ": " + plural(d.misshapen(), "ground truth has", "ground truths have")
                    + " other proportions than the picture (first: " + Html.name(d.firstMisshapen())
                    + "); stretched to fit. Was the picture turned or cropped after the mask was drawn?");
        }
    }

    private void decisions() throws IOException {
        put(
                "<section><h2>Decisions at the threshold</h2><p class=\"small\">A picture is called anomalous when its score reaches the category's threshold, which the checkpoint carries.</p>");
        put(
                "<div class=\"wide\"><table><thead><tr><th>category</th>",
                b == null ? "" : "<th></th>",
                "<th>threshold</th><th class=\"text\">rests on</th><th>false alarms</th><th></th><th>missed</th><th></th>",
                b == null ? "" : "<th>decided differently</th><th>only A right</th><th>only B right</th>",
                "</tr></thead>");
        boolean fallback = false;
        for (String c : categories) {
            put("<tbody>");
            for (Contender x : contenders) {
                CategoryDetail d = x.detail(c);
                fallback |= !d.ownLine();
                put(
                        "<tr>",
                        x == a ? "<th" + (b == null ? "" : " rowspan=\"2\"") + ">" + Html.name(c) + "</th>" : "",
                        b == null ? "" : "<td>" + tag(x) + "</td>");
                put("<td>", Html.score(d.calibration().threshold()), d.ownLine() ? "" : "*", "</td>");
                put("<td class=\"text faint\">", basis(d), "</td>");
                counts(x.decisions(c));
                if (b != null && x == a) disputes(c);
                put("</tr>");
            }
            put("</tbody>");
        }
        put("<tbody class=\"mean\">");
        for (Contender x : contenders) {
            put(
                    "<tr>",
                    x == a ? "<th" + (b == null ? "" : " rowspan=\"2\"") + ">all</th>" : "",
                    b == null ? "" : "<td>" + tag(x) + "</td>",
                    "<td></td><td></td>");
            counts(Decisions.of(x.report().images()));
            if (b != null && x == a) disputes(null);
            put("</tr>");
        }
        put("</tbody></table></div>");
        if (fallback)
            put(
                    "<p class=\"small\">* The checkpoint was not calibrated on this category: its fallback threshold applies, as it would on the line. Fit or calibrate with the category's normal pictures before judging these counts.</p>");
        for (Contender x : contenders) {
            if (x.report().calibratedOn() > 0) {
                put(
                        "<p class=\"small\"><b>",
                        b == null ? "" : tag(x) + " ",
                        plural(x.report().calibratedOn(), "of these pictures"),
                        " placed the checkpoint's thresholds: the counts above flatter it. Measure on others.</b></p>");
            }
        }
        put("</section>");
    }

    /** What the checkpoint says of its threshold. */
    private static String basis(CategoryDetail d) {
        ThresholdBasis t = d.calibration().basis();
        if (!d.ownLine() || t == null) return Html.DASH;
        StringBuilder s = new StringBuilder(t.method()).append(", ").append(plural(t.normals(), "normal"));
        if (t.anomalous() > 0) s.append(", ").append(plural(t.anomalous(), "anomalous"));
        if (t.expectedFalseRejectRate() != null)
            s.append("; ").append(Html.percent(t.expectedFalseRejectRate())).append(" % false alarms expected");
        if (d.calibration().review() != null && t.expectedReviewRate() != null) {
            s.append("; review ")
                    .append(String.format(
                            Locale.ROOT,
                            "%.2f to %.2f",
                            d.calibration().review().low(),
                            d.calibration().review().high()))
                    .append(", ")
                    .append(Html.percent(t.expectedReviewRate()))
                    .append(" % of normals");
        }
        return Html.text(s.toString());
    }

    private void counts(Decisions d) throws IOException {
        count(d.falseAlarms(), d.normal(), "normal");
        count(d.misses(), d.defective(), "defective");
    }

    private void count(int n, int of, String what) throws IOException {
        put(
                "<td>",
                of == 0 ? Html.DASH : String.valueOf(n),
                "</td><td class=\"faint\">",
                of == 0 ? "there are no " + what + " pictures" : "of " + of + ", " + Html.share(n, of),
                "</td>");
    }

    private void disputes(String categoryOrAll) throws IOException {
        Map<String, ImageScore> others = new HashMap<>();
        for (ImageScore s : b.report().images()) others.put(s.category() + '\n' + s.name(), s);
        int onlyA = 0;
        int onlyB = 0;
        for (ImageScore s : a.report().images()) {
            if (categoryOrAll != null && !s.category().equals(categoryOrAll)) continue;
            ImageScore o = others.get(s.category() + '\n' + s.name());
            if (o == null || o.rejected() == s.rejected()) continue;
            if (o.mistaken()) onlyA++;
            else onlyB++;
        }
        for (int n : new int[] {onlyA + onlyB, onlyA, onlyB}) put("<td rowspan=\"2\">", String.valueOf(n), "</td>");
    }

    private void category(
            int index, String category, List<Pick> picks, Map<String, Tile> tiles, Map<String, Tile> other)
            throws IOException {
        put("<section class=\"category\" id=\"c", String.valueOf(index), "\"><h2>", Html.name(category), "</h2>");
        CategoryMetrics m = a.report().categories().get(category);
        put("<p class=\"small\">", plural(m.normal(), "normal"), ", ", plural(m.anomalous(), "defective"), ". ");
        for (Contender c : contenders) {
            Decisions d = c.decisions(category);
            put(
                    b == null ? "" : tag(c) + " ",
                    plural(d.falseAlarms(), "false alarm", "false alarms"),
                    ", ",
                    plural(d.misses(), "miss", "misses"),
                    ". ");
        }
        put("</p>\n<div class=\"charts", b == null ? "" : " four", "\">");
        for (Contender c : contenders) {
            double threshold = c.detail(category).calibration().threshold();
            put(
                    "<figure><figcaption>",
                    b == null ? "" : tag(c),
                    "<b>Scores</b> <span class=\"key normal\">normal</span> <span class=\"key defective\">defective</span></figcaption>",
                    Histogram.of(c.images(category), threshold).svg("Histogram of image scores", threshold),
                    "</figure>");
        }
        Axis whole = new Axis(0, 1, 0.2);
        if (curves(category, CategoryCurves::imageRoc)) {
            Chart roc = new Chart("ROC curve of images", whole, whole, "false-positive rate", "true-positive rate")
                    .guide(0, 0, 1, 1);
            Chart pr = new Chart("Precision-recall curve of images", whole, whole, "recall", "precision")
                    .guide(0, base(m), 1, base(m));
            for (Contender c : contenders) {
                roc.curve(c.detail(category).curves().imageRoc(), style(c));
                pr.curve(c.detail(category).curves().imagePrecisionRecall(), style(c));
                Decisions d = c.decisions(category);
                String tip = (b == null ? "" : c.letter() + " ") + "at the threshold";
                roc.dot((double) d.falseAlarms() / d.normal(), (double) d.found() / d.defective(), style(c), tip);
                if (d.found() + d.falseAlarms() > 0)
                    pr.dot(
                            (double) d.found() / d.defective(),
                            (double) d.found() / (d.found() + d.falseAlarms()),
                            style(c),
                            tip);
            }
            figure("ROC, images", 0, category, roc);
            figure("Precision-recall, images", 1, category, pr);
        } else {
            put("<p class=\"none\">No curves per image: they need normal and defective pictures.</p>");
        }
        if (curves(category, CategoryCurves::pixelRoc)) {
            figure(
                    "ROC, pixels",
                    3,
                    category,
                    chart(
                                    category,
                                    "ROC curve of pixels",
                                    whole,
                                    "false-positive rate",
                                    "true-positive rate",
                                    CategoryCurves::pixelRoc)
                            .guide(0, 0, 1, 1));
            figure(
                    "Precision-recall, pixels",
                    4,
                    category,
                    chart(
                            category,
                            "Precision-recall curve of pixels",
                            whole,
                            "recall",
                            "precision",
                            CategoryCurves::pixelPrecisionRecall));
            figure(
                    "PRO, regions",
                    6,
                    category,
                    chart(
                            category,
                            "Per-region overlap",
                            new Axis(0, CategoryCurves.OVERLAP_LIMIT, 0.1),
                            "false-positive rate",
                            "mean overlap",
                            CategoryCurves::regionOverlap));
        } else {
            put("<p class=\"none\">No curves per pixel: they need a ground truth for every defective picture.</p>");
        }
        put("</div>");
        gallery(category, picks, tiles, other);
        put("</section>");
    }

    private static double base(CategoryMetrics m) {
        return (double) m.anomalous() / (m.anomalous() + m.normal());
    }

    private boolean curves(String category, Function<CategoryCurves, Curve> which) {
        return contenders.stream().anyMatch(c -> which.apply(c.detail(category).curves()) != null);
    }

    private Chart chart(
            String category,
            String label,
            Axis x,
            String xLabel,
            String yLabel,
            Function<CategoryCurves, Curve> which) {
        Chart chart = new Chart(label, x, new Axis(0, 1, 0.2), xLabel, yLabel);
        for (Contender c : contenders)
            chart.curve(which.apply(c.detail(category).curves()), style(c));
        return chart;
    }

    /** @param figure index of the figure that is the area under the curve */
    private void figure(String title, int figure, String category, Chart chart) throws IOException {
        put("<figure><figcaption><b>", title, "</b> ");
        String head = EvaluationReport.HEADS.get(figure).replaceFirst("^[IP]-", "");
        for (Contender c : contenders) {
            String value =
                    Html.percent(EvaluationReport.values(c.report().categories().get(category))[figure]);
            put(
                    c == a ? head + " " : "",
                    b == null ? value : "<span class=\"value " + style(c) + "\">" + value + "</span> ");
        }
        put("</figcaption>", chart.svg(), "</figure>");
    }

    private void gallery(String category, List<Pick> picks, Map<String, Tile> tiles, Map<String, Tile> other)
            throws IOException {
        if (picks.isEmpty()) return;
        int all = a.images(category).size();
        put(
                "<h3>Pictures <span class=\"small\">",
                picks.size() == all ? "all " + all : picks.size() + " of " + all,
                ", ",
                b == null ? "" : "those decided differently first, then ",
                "the worst mistakes first</span></h3>\n<div class=\"gallery\">");
        for (Pick p : picks) {
            ImageScore s = p.first();
            Tile tile = tiles.get(s.name());
            Tile second = b == null ? null : other.get(s.name());
            put(
                    "<article><div class=\"what\">",
                    Html.name(s.name()),
                    "</div><div class=\"said\">",
                    said(a, s),
                    b == null || p.second() == null ? "" : said(b, p.second()),
                    "</div>");
            if (tile == null || (b != null && second == null)) {
                put("<p class=\"none\">It cannot be read any more.</p></article>");
                continue;
            }
            put("<div class=\"tiles\"><div>", Html.image(tile.picture(), "picture"), "<span>picture</span></div><div>");
            if (tile.truth() != null)
                put(
                        Html.image(tile.truth(), "ground truth"),
                        "<span>ground truth",
                        s.vanished() ? " (empty)" : "",
                        "</span>");
            else
                put(
                        "<div class=\"blank\">",
                        s.anomalous() ? "no ground truth" : "no defect",
                        "</div><span>ground truth</span>");
            put(
                    "</div><div>",
                    Html.image(tile.map(), "anomaly map"),
                    "<span>",
                    b == null ? "anomaly map" : "map of A",
                    scale(tile),
                    "</span></div>");
            if (second != null)
                put(
                        "<div>",
                        Html.image(second.map(), "anomaly map of B"),
                        "<span>map of B",
                        scale(second),
                        "</span></div>");
            put("</div></article>");
        }
        put("</div>");
    }

    private static String scale(Tile tile) {
        return tile.own() ? ", own scale" : "";
    }

    private String said(Contender c, ImageScore s) {
        CategoryDetail d = c.detail(s.category());
        String outcome =
                s.defective() ? (s.mistaken() ? "missed" : "found") : (s.mistaken() ? "false alarm" : "passed");
        return "<span>" + (b == null ? "" : tag(c)) + "<span class=\"outcome " + (s.mistaken() ? "wrong" : "right")
                + "\">" + outcome + "</span> score " + Html.score(s.raw()) + " of "
                + Html.score(d.calibration().threshold()) + (d.ownLine() ? "" : "*") + ", calibrated "
                + String.format(Locale.ROOT, "%.2f", s.calibrated()) + " of 0.50</span>";
    }

    private void howToRead() throws IOException {
        put(
                "<section class=\"reading\"><h2>How to read this</h2><ul>",
                "<li><b>AUROC</b>: chance that a defective picture (or pixel) scores higher than a normal one. 50 is guessing. It does not depend on a threshold.</li>",
                "<li><b>AP</b>, <b>F1max</b>: how precise the alarms are; they suffer more than AUROC where defects are rare or small.</li>",
                "<li><b>AUPRO</b>: how much of each defective region is covered, every region counting alike however small.</li>",
                "<li>The dot on a curve is where the checkpoint's threshold puts it. The dotted line is guessing.</li>",
                "<li><b>Score</b> of a picture: as the model gives it, of the threshold from which the picture is called anomalous; calibrated, that is always 0.50.</li>",
                "<li>Heat: blank well below the threshold, yellow around it, red above; the white line is where the map crosses it. The map of a missed defect is blank by that measure, so it has a scale of its own: red is its highest place. The ground truth is red on the dimmed picture.</li>",
                b == null ? "" : "<li>Differences are B − A in percentage points; green is better for B.</li>",
                "</ul></section>");
    }

    private void provenance() throws IOException {
        put("<section><h2>Where this comes from</h2><table class=\"provenance\"><tbody>");
        for (Contender c : contenders) {
            String of = b == null ? "checkpoint" : "checkpoint " + c.letter();
            row(
                    of,
                    Html.name(c.report().modelVersion()) + " ("
                            + Html.name(String.valueOf(c.options().checkpoint().getFileName())) + ")");
            row("its SHA-256", "<code>" + Html.text(c.report().modelSha256()) + "</code>");
        }
        row("data set", Html.name(a.report().dataset()));
        row("layout", Html.text(options.layout().description()));
        row(
                "pictures",
                a.report().images().size() + " measured"
                        + (a.report().skipped() > 0 ? ", " + a.report().skipped() + " unreadable and left out" : "")
                        + " in " + categories.size() + (categories.size() == 1 ? " category" : " categories"));
        for (String n : options.notes()) row("note", Html.text(n));
        row(
                "date",
                Html.text(options.at().truncatedTo(ChronoUnit.SECONDS).format(DateTimeFormatter.ISO_OFFSET_DATE_TIME)));
        row("command", "<code>" + Html.text(options.command()) + "</code>");
        for (Contender c : contenders)
            row(
                    b == null ? "time per picture" : "time per picture, " + c.letter(),
                    String.format(
                            Locale.ROOT,
                            "%.0f ms, reading and measuring included",
                            1000 * c.report().secondsPerImage()));
        put("</tbody></table></section>");
    }

    private void row(String head, String html) throws IOException {
        put("<tr><th>", head, "</th><td>", html, "</td></tr>");
    }
}
