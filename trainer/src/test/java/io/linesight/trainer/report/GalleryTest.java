package io.linesight.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.accuracy.CategoryCurves;
import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.Decisions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import io.linesight.trainer.report.Gallery.Pick;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GalleryTest {
    private static final ProductCalibration LINE = new ProductCalibration(1, 0.1);

    /** @param scores names beginning with g are normal */
    private static Contender contender(String letter, Object... scores) {
        List<ImageScore> images = new ArrayList<>();
        for (int i = 0; i < scores.length; i += 2)
            images.add(Reports.score(
                    "bolt",
                    (String) scores[i],
                    !((String) scores[i]).startsWith("g"),
                    ((Number) scores[i + 1]).doubleValue(),
                    LINE));
        CategoryDetail detail =
                new CategoryDetail(new CategoryCurves(null, null, null, null, null), LINE, true, 0, 0, 0, null);
        CategoryMetrics none = new CategoryMetrics(null, null, null, null, null, null, null, null, 0, 0);
        return new Contender(
                letter,
                Reports.options(),
                new EvaluationReport(
                        "v", "s", "d", Map.of("bolt", none), Map.of("bolt", detail), none, images, 0, List.of(), 0, 0));
    }

    private static List<String> names(List<Pick> picks) {
        return picks.stream().map(p -> p.first().name()).toList();
    }

    @Test
    void shouldShowTheWorstMistakesFirst() {
        Contender a = contender(
                "A", "g1", 0.2, "g2", 1.5, "g3", 1.1, "g4", 3, "g5", 0.95, "d1", 0.9, "d2", 0.1, "d3", 1.05, "d4", 5);
        List<Pick> all = Gallery.select(a, null, "bolt", 100);
        assertThat(names(all)).containsExactly("d2", "g4", "d1", "g2", "g3", "d3", "g5", "d4", "g1");
        assertThat(names(Gallery.select(a, null, "bolt", 3))).containsExactly("d2", "g4", "d1");
        assertThat(Gallery.select(a, null, "bolt", 0)).isEmpty();
        assertThat(a.decisions("bolt")).isEqualTo(new Decisions(5, 3, 4, 2));
    }

    @Test
    void shouldShowWhatIsDecidedDifferentlyFirst() {
        Contender a = contender("A", "g1", 0.2, "g2", 2, "d1", 0.2, "d2", 1.1, "d3", 0.9);
        Contender b = contender("B", "g1", 0.2, "g2", 2, "d1", 0.2, "d2", 0.9, "d3", 4);
        assertThat(names(Gallery.select(a, b, "bolt", 100))).containsExactly("d3", "d2", "d1", "g2", "g1");
    }

    @Test
    void shouldCountADefectThatVanishedAsNormal() {
        ImageScore s = new ImageScore("bolt", "d1", true, true, 0.2f, LINE.calibrated(0.2f));
        assertThat(s.mistaken()).isFalse();
        assertThat(Decisions.of(List.of(s))).isEqualTo(new Decisions(1, 0, 0, 0));
    }

    @Test
    void shouldKeepEveryImageOnItsSideOfTheThresholdInTheHistogram() {
        Random random = new Random(4);
        for (int round = 0; round < 200; round++) {
            List<ImageScore> images = new ArrayList<>();
            ProductCalibration line = new ProductCalibration(random.nextGaussian() * 3, 0.3);
            int n = random.nextInt(30);
            for (int i = 0; i < n; i++)
                images.add(Reports.score(
                        "bolt",
                        "x" + i,
                        random.nextBoolean(),
                        round % 5 == 0 ? line.threshold() : random.nextGaussian(),
                        line));
            Histogram h = Histogram.of(images, line.threshold());
            assertThat(Arrays.stream(h.normal()).sum()
                            + Arrays.stream(h.defective()).sum())
                    .isEqualTo(n);
            long rejected = 0;
            for (int bar = 0; bar < h.normal().length; bar++) {
                if (h.at(bar) + h.width() / 2 > line.threshold()) rejected += h.normal()[bar] + h.defective()[bar];
            }
            assertThat(rejected)
                    .isEqualTo(images.stream().filter(ImageScore::rejected).count());
            assertThat(h.normal().length).isLessThan(50);
            assertThat(h.svg("scores", line.threshold())).doesNotContain("NaN");
        }
    }
}
