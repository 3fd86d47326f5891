package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.demo.line.BundledModel;
import io.linesight.mmad.exemption.ExemptionMaker;
import io.linesight.mmad.exemption.Exemptions;
import io.linesight.mmad.exemption.FalseAlarm;
import io.linesight.mmad.exemption.FrameFeatures;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.FeaturedScores;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What one exemption is worth and what it costs: a mark that does no harm, forgiven on one part, on eleven others; and
 * parts with defects, before and after. The figures stand in docs/operations.md.
 */
@Tag("full")
class ExemptionEffectIT {
    private static final int GOOD = 6;
    private static final int MARKED = 12;
    private static final int OF_A_KIND = 6;

    private final SimulatedLine parts = new SimulatedLine(7, 0.1);
    private OrtScorer scorer;

    /** A mark at a place of the image, in one colour. */
    private record Mark(int x, int y, int width, int height, int red, int green, int blue) {
        RgbImage on(RgbImage image) {
            byte[] pixels = image.rgb().clone();
            for (int py = y; py < y + height; py++)
                for (int px = x; px < x + width; px++) {
                    int at = 3 * (py * image.width() + px);
                    pixels[at] = (byte) red;
                    pixels[at + 1] = (byte) green;
                    pixels[at + 2] = (byte) blue;
                }
            return new RgbImage(image.width(), image.height(), pixels);
        }
    }

    private static final List<Mark> MARKS = List.of(
            new Mark(60, 200, 14, 10, 240, 240, 40),
            new Mark(150, 150, 8, 24, 20, 20, 20),
            new Mark(230, 80, 20, 20, 40, 120, 220));

    private record Seen(float raw, float[] map, FrameFeatures features) {
        boolean rejected(double threshold) {
            return raw >= threshold;
        }

        boolean rejected(double threshold, Exemptions exemptions) {
            return exemptions.apply(raw, map, features).raw() >= threshold;
        }
    }

    private Seen see(RgbImage image) {
        FeaturedScores a = scorer.scoreWithFeatures(List.of(Preprocess.toModelInput(image)));
        return new Seen(
                a.scores().raw()[0],
                a.scores().map(0),
                Objects.requireNonNull(a.features()).frame(0));
    }

    private static final class Count {
        private int before;
        private int after;
        private int of;

        void add(Seen seen, double threshold, Exemptions exemptions) {
            of++;
            if (seen.rejected(threshold)) before++;
            if (seen.rejected(threshold, exemptions)) after++;
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%d -> %d of %d", before, after, of);
        }
    }

    @Test
    void shouldForgiveMostOfItsKindAndCostHardlyADefect(@TempDir Path dir) throws Exception {
        Count marked = new Count();
        Count defects = new Count();
        try (OrtScorer opened = OrtScorer.open(
                BundledModel.unpack(dir).orElseThrow(), ScorerOptions.defaults().withFeatures(true))) {
            scorer = opened;
            for (String product : SimulatedLine.products()) {
                double threshold =
                        scorer.info().calibration().forProduct(product).threshold();
                List<FrameFeatures> good = new ArrayList<>();
                for (SimulatedFrame f : parts.normals(product, GOOD, 99)) good.add(see(f.image()).features);
                for (Mark mark : MARKS) measure(product, mark, threshold, good, marked, defects);
            }
        }
        System.out.println("ExemptionEffectIT: marked parts rejected " + marked + "; defective parts found " + defects);
        assertThat(marked.after).isLessThan(marked.before / 2);
        assertThat(defects.after).isGreaterThan((int) (0.98 * defects.before));
    }

    private void measure(
            String product, Mark mark, double threshold, List<FrameFeatures> good, Count marked, Count defects) {
        List<SimulatedFrame> normals = parts.normals(product, MARKED, 5);
        Seen first = see(mark.on(normals.get(0).image()));
        FalseAlarm alarm = ExemptionMaker.make("first", first.raw, threshold, first.map, first.features, good);
        Exemptions exemptions = new Exemptions(List.of(alarm));
        for (SimulatedFrame f : normals.subList(1, MARKED)) marked.add(see(mark.on(f.image())), threshold, exemptions);
        for (String defect : SimulatedLine.defects(product))
            for (int i = 0; i < OF_A_KIND; i++)
                defects.add(see(parts.part(product, defect, 17, i).image()), threshold, exemptions);
        System.out.println(
                "ExemptionEffectIT: " + product + ", " + mark + ": so far marked " + marked + ", defects " + defects);
    }
}
