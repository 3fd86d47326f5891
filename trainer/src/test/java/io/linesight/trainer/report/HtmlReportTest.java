package io.linesight.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ReviewBand;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.Decisions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import io.linesight.trainer.folders.DatasetLayout;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class HtmlReportTest {
    private static final ZonedDateTime AT = ZonedDateTime.of(2026, 3, 4, 5, 6, 7, 0, ZoneOffset.UTC);

    @TempDir
    Path dir;

    private ReportOptions options(String command) {
        return new ReportOptions(dir, 0, DatasetLayout.MVTEC, List.of(), command, AT);
    }

    private String page(EvaluationReport report) throws IOException {
        return Files.readString(
                HtmlReport.write(Reports.options(), report, options("linesight evaluate --data parts")));
    }

    @Test
    void shouldShowTheFiguresOfTheTable() throws Exception {
        EvaluationReport report = new Reports()
                .category("bolt", 30, 20, 2, true, 1)
                .category("nut", 10, 12, 1, true, 2)
                .report("v1");
        String page = page(report);
        for (String c : List.of("bolt", "nut")) {
            StringBuilder row = new StringBuilder("<bdi>" + c + "</bdi>\\s*</th>\\s*");
            for (Double v : EvaluationReport.values(report.categories().get(c)))
                row.append("<td>")
                        .append(String.format(Locale.ROOT, "%.1f", 100 * v))
                        .append("</td>\\s*");
            assertThat(page).containsPattern(row.toString());
        }
        assertThat(page)
                .contains(
                        "0123abcd",
                        "m.onnx",
                        "linesight evaluate --data parts",
                        "4 March 2026",
                        "40 normal and 32 defective");
        Decisions d = Decisions.of(report.images());
        assertThat(page)
                .contains("of 40 normal images")
                .contains("<b>" + d.falseAlarms() + "</b>")
                .contains("<b>" + d.misses() + "</b>");
    }

    @Test
    void shouldTellWhatThresholdsRestOnAndWhetherTheyWereMadeOnTheseImages() throws Exception {
        EvaluationReport plain =
                new Reports().category("bolt", 30, 20, 2, true, 1).report("v1");
        assertThat(page(plain)).doesNotContain("placed the checkpoint's thresholds");
        CategoryDetail d = plain.details().get("bolt");
        ProductCalibration line = new ProductCalibration(
                1.5,
                0.5,
                new ReviewBand(0.35, 0.7),
                new ThresholdBasis("evt", 0.01, 80, 3, 0.012, 0.05, 0.004, 0.03, 0.1));
        CategoryDetail told = new CategoryDetail(d.curves(), line, true, 0, 0, 0, null);
        EvaluationReport report = new EvaluationReport(
                "v1",
                "0123abcd",
                "parts",
                plain.categories(),
                Map.of("bolt", told),
                plain.mean(),
                plain.images(),
                0,
                List.of(),
                7,
                0.05);
        assertThat(page(report))
                .contains(
                        "evt, 80 normal, 3 anomalous; 1.2 % false alarms expected; review 0.35 to 0.70, 3.0 % of "
                                + "normals",
                        "7 of these images placed the checkpoint's thresholds");
    }

    @Test
    void shouldSayEveryImagesScoreAndItsThreshold() throws Exception {
        Reports reports = new Reports().category("bolt", 3, 2, 2, true, 1);
        Contender a = reports.contender("A");
        StringWriter out = new StringWriter();
        HtmlReport.render(
                new Page(a, null, options("c"), Map.of("bolt", Gallery.select(a, null, "bolt", 5)), Map.of(), Map.of()),
                out);
        for (ImageScore s : a.images("bolt")) {
            assertThat(out.toString())
                    .contains(s.name())
                    .contains("score " + Html.score(s.raw()) + " of 1.500, calibrated "
                            + String.format(Locale.ROOT, "%.2f", s.calibrated()) + " of 0.50</span>");
        }
    }

    /** The area under the drawn line is the figure printed above it. */
    @Test
    void shouldDrawCurvesWhoseAreasAreTheFigures() throws Exception {
        EvaluationReport report =
                new Reports().category("bolt", 140, 60, 1, true, 3).report("v1");
        String page = page(report);
        Matcher figures = Pattern.compile(
                        "<figcaption><b>[^<]*</b>\\s*(AUROC|AP|AUPRO) \\s*([0-9.]+)\\s*</figcaption>(.*?)</figure>",
                        Pattern.DOTALL)
                .matcher(page);
        int n = 0;
        while (figures.find()) {
            Matcher path = Pattern.compile("class=\"line a\" d=\"M([^\"]+)\"").matcher(figures.group(3));
            assertThat(path.find()).isTrue();
            double area = 0;
            double[] before = null;
            for (String point : path.group(1).split("L")) {
                String[] xy = point.split(" ");
                double[] at = {Double.parseDouble(xy[0]) / Chart.WIDTH, 1 - Double.parseDouble(xy[1]) / Chart.HEIGHT};
                if (before != null) area += (at[0] - before[0]) * (at[1] + before[1]) / 2;
                before = at;
            }
            assertThat(100 * area).as(figures.group(1)).isCloseTo(Double.parseDouble(figures.group(2)), within(0.1));
            n++;
        }
        assertThat(n).isEqualTo(5);
        assertThat(report.categories().get("bolt").imageAuroc()).isBetween(0.6, 0.95);
    }

    @Test
    void shouldExplainWhatIsMissing() throws Exception {
        String page = page(new Reports()
                .category("bolt", 0, 5, 1, true, 1)
                .category("nut", 4, 0, 1, true, 2)
                .category("pin", 4, 4, 1, false, 3)
                .report("v1"));
        assertThat(page)
                .contains(
                        "<bdi>bolt</bdi>: no normal images",
                        "<bdi>nut</bdi>: no defective images",
                        "<bdi>pin</bdi>: no defective image has ground truth");
        assertThat(page)
                .containsPattern("<bdi>bolt</bdi>\\s*</th>\\s*<td>–</td>\\s*<td>–</td>\\s*<td>–</td>\\s*<td>[0-9]")
                .contains("No curves per image", "No curves per pixel");
        assertThat(page).doesNotContain("NaN", "Infinity", "null");
    }

    @Test
    void shouldNeedNothingFromElsewhere() throws Exception {
        String page = page(new Reports().category("bolt", 6, 6, 1, true, 1).report("v1"));
        assertThat(page)
                .doesNotContain("<script", "http://", "https://", "@import", "url(")
                .contains("default-src 'none'");
    }

    /** Names come from the user's disk. */
    @Test
    void shouldShowNamesAsTheyAre() throws Exception {
        String evil = "<script>alert('x')</script>\"&amp;";
        EvaluationReport report = new Reports().category(evil, 3, 3, 1, true, 1).report("v\"><img src=x>");
        String page = Files.readString(
                HtmlReport.write(Reports.options(), report, options("linesight evaluate --data '</code><b>x'")));
        assertThat(page)
                .doesNotContain("<script>", "<img src=x>", "</code><b>")
                .contains("<bdi>&lt;script&gt;alert('x')&lt;/script&gt;\"&amp;amp;</bdi>");
    }

    @Test
    void shouldShowTwoCheckpointsSideBySide() throws Exception {
        EvaluationReport a = new Reports().category("bolt", 30, 20, 1, true, 1).report("v1");
        EvaluationReport b =
                new Reports().category("bolt", 30, 20, 2.5, true, 1).report("v2");
        String page = Files.readString(HtmlReport.write(Reports.options(), a, Reports.options(), b, options("x")));
        double difference = 100 * (b.mean().imageAuroc() - a.mean().imageAuroc());
        assertThat(difference).isGreaterThan(1);
        assertThat(page)
                .contains(
                        "<td class=\"up\">" + String.format(Locale.ROOT, "%+.1f", difference) + "</td>",
                        "only A right",
                        "class=\"line a\"",
                        "class=\"line b\"",
                        "checkpoint B");
        EvaluationReport other =
                new Reports().category("nut", 30, 20, 1, true, 1).report("v2");
        assertThatThrownBy(() -> HtmlReport.write(Reports.options(), a, Reports.options(), other, options("x")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldWriteDrawingsThatParse() throws Exception {
        String page = page(new Reports().category("a&b", 9, 9, 1, true, 1).report("v1"));
        Matcher svg = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL).matcher(page);
        int n = 0;
        for (; svg.find(); n++)
            assertThat(DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .parse(new InputSource(new StringReader(svg.group())))
                            .getDocumentElement()
                            .getTagName())
                    .isEqualTo("svg");
        assertThat(n).isEqualTo(6);
    }
}
