package io.linesight.mmad.exemption;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ExemptionsTest {
    private static final int FINE = 24;
    private static final int COARSE = 40;
    private static final float NOISE = 0.02f;

    /** What good parts of this product look like, and shots of them that differ by noise. */
    private final float[] fine = random(new Random(1), FINE * 32 * 32);

    private final float[] coarse = random(new Random(2), COARSE * 16 * 16);

    private static float[] random(Random random, int n) {
        float[] out = new float[n];
        for (int i = 0; i < n; i++) out[i] = (float) random.nextGaussian();
        return out;
    }

    /** Something that a shot shows at a place, in pixels of the 256x256 input. */
    private record Spot(int x, int y, long look) {}

    private FrameFeatures shot(long seed, Spot... spots) {
        Random random = new Random(seed);
        float[] f = fine.clone();
        float[] c = coarse.clone();
        for (Spot s : spots) {
            paint(f, FINE, 8, s);
            paint(c, COARSE, 16, s);
        }
        for (int i = 0; i < f.length; i++) f[i] += NOISE * (float) random.nextGaussian();
        for (int i = 0; i < c.length; i++) c[i] += NOISE * (float) random.nextGaussian();
        return FrameFeatures.of(f, c, 0, 1);
    }

    private static void paint(float[] features, int channels, int stride, Spot s) {
        int side = 256 / stride;
        float[] look = random(new Random(s.look), channels);
        for (int ch = 0; ch < channels; ch++)
            for (int y = (s.y - 8) / stride; y <= (s.y + 8) / stride; y++)
                for (int x = (s.x - 8) / stride; x <= (s.x + 8) / stride; x++)
                    features[(ch * side + y) * side + x] += 3 * look[ch];
    }

    private static float[] map(Spot... spots) {
        float[] map = new float[256 * 256];
        Random random = new Random(5);
        for (int i = 0; i < map.length; i++) map[i] = 0.1f + 0.01f * random.nextFloat();
        for (Spot s : spots)
            for (int y = s.y - 12; y <= s.y + 12; y++) for (int x = s.x - 12; x <= s.x + 12; x++) map[y * 256 + x] = 1;
        return map;
    }

    private static float score(float[] map) {
        float[] sorted = map.clone();
        Arrays.sort(sorted);
        double sum = 0;
        for (int i = map.length - 328; i < map.length; i++) sum += sorted[i];
        return (float) (sum / 328);
    }

    private List<FrameFeatures> good() {
        List<FrameFeatures> good = new ArrayList<>();
        for (int i = 0; i < 6; i++) good.add(shot(100 + i));
        return good;
    }

    private Exemptions of(Spot... spots) {
        List<FalseAlarm> all = new ArrayList<>();
        for (int i = 0; i < spots.length; i++)
            all.add(ExemptionMaker.make(
                    "e" + i, score(map(spots[i])), 0.5, map(spots[i]), shot(50 + i, spots[i]), good()));
        return new Exemptions(all);
    }

    private static Exemptions.Applied apply(Exemptions e, FrameFeatures features, float[] map) {
        return e.apply(score(map), map, features);
    }

    @Test
    void shouldLetPassWhatLooksLikeTheFalseAlarm() {
        Spot glare = new Spot(120, 80, 7);
        float[] map = map(glare);

        Exemptions.Applied answer = apply(of(glare), shot(9, glare), map);

        assertThat(answer.applied()).containsExactly("e0");
        assertThat(answer.raw()).as("down to the level of the rest").isCloseTo(0.105f, within(0.02f));
        for (int i = 0; i < map.length; i++) assertThat(answer.map()[i]).isLessThanOrEqualTo(map[i]);
    }

    @Test
    void shouldLetPassTheSameALittleFurtherOn() {
        Spot moved = new Spot(126, 84, 7);
        Exemptions.Applied answer = apply(of(new Spot(120, 80, 7)), shot(9, moved), map(moved));
        assertThat(answer.raw()).isLessThan(0.3f);
    }

    @Test
    void shouldNotForgiveSomethingElseAtTheSamePlace() {
        Spot scratch = new Spot(120, 80, 8);
        float[] map = map(scratch);
        Exemptions.Applied answer = apply(of(new Spot(120, 80, 7)), shot(9, scratch), map);
        assertThat(answer.applied()).isEmpty();
        assertThat(answer.raw()).isEqualTo(score(map));
        assertThat(answer.map()).isEqualTo(map);
    }

    @Test
    void shouldNotForgiveTheSameAtAnotherPlace() {
        Spot elsewhere = new Spot(40, 200, 7);
        float[] map = map(elsewhere);
        Exemptions.Applied answer = apply(of(new Spot(120, 80, 7)), shot(9, elsewhere), map);
        assertThat(answer.raw()).isEqualTo(score(map));
    }

    @Test
    void shouldStillFindADefectBesideTheFalseAlarm() {
        Spot glare = new Spot(120, 80, 7);
        Spot defect = new Spot(60, 180, 8);
        float[] map = map(glare, defect);
        Exemptions.Applied answer = apply(of(glare), shot(9, glare, defect), map);
        assertThat(answer.raw()).as("the defect alone makes the score").isCloseTo(score(map), within(0.05f));
        assertThat(answer.map()[180 * 256 + 60]).isEqualTo(1);
        assertThat(answer.map()[80 * 256 + 120]).isLessThan(0.3f);
    }

    @Test
    void shouldNameThoseThatApplied() {
        Spot first = new Spot(120, 80, 7);
        Spot second = new Spot(200, 200, 9);
        Exemptions both = of(first, second);
        assertThat(apply(both, shot(9, second), map(second)).applied()).containsExactly("e1");
        assertThat(apply(both, shot(9, first, second), map(first, second)).applied())
                .containsExactly("e0", "e1");
    }

    @Test
    void shouldLeaveGoodFramesAsTheyAre() {
        float[] map = map();
        Exemptions.Applied answer = apply(of(new Spot(120, 80, 7)), shot(9), map);
        assertThat(answer.raw()).isEqualTo(score(map));
    }

    @Test
    void shouldKeepTheOrderOfScores() {
        // The model's score need not be the mean of the map's top: what counts is how far down the top went.
        Spot glare = new Spot(120, 80, 7);
        Exemptions e = of(glare);
        FrameFeatures f = shot(9, glare);
        float low = e.apply(2, map(glare), f).raw();
        float high = e.apply(3, map(glare), f).raw();
        assertThat(low).isLessThan(high);
        assertThat(high).isLessThan(3);
    }

    @Test
    void shouldIgnoreCellsOfAnotherNumberOfChannels() {
        ExemptCell fineCell = new ExemptCell(8, 15, 10, true, 0.1, new byte[] {1, 2, 3});
        ExemptCell coarseCell = new ExemptCell(16, 7, 5, true, 0.1, new byte[] {1, 2, 3});
        Exemptions foreign = new Exemptions(List.of(new FalseAlarm("f", List.of(fineCell, coarseCell))));
        Spot glare = new Spot(120, 80, 7);
        assertThat(apply(foreign, shot(9, glare), map(glare)).applied()).isEmpty();
    }

    @Test
    void shouldRejectWhatWouldCoverEverythingOrNothing() {
        byte[] feature = {1};
        for (double radius : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 2.1})
            assertThatThrownBy(() -> new ExemptCell(8, 0, 0, true, radius, feature))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("radius");
        assertThatThrownBy(() -> new FalseAlarm("x", List.of(new ExemptCell(8, 0, 0, true, 0.1, feature))))
                .hasMessageContaining("stride 16");
        assertThatThrownBy(() -> new ExemptCell(4, 0, 0, true, 0.1, new byte[] {1}))
                .hasMessageContaining("stride 4");
        assertThatThrownBy(() -> new ExemptCell(8, 32, 0, true, 0.1, new byte[] {1}))
                .hasMessageContaining("32,0");
        assertThatThrownBy(() -> new ExemptCell(8, 0, 0, true, 0.1, new byte[0]))
                .hasMessageContaining("empty");
    }

    @Test
    void shouldExemptOnlyWhatMadeAFaintAlarm() {
        // Warm all over, and barely above the threshold at one place: the rest stays watched.
        float[] map = new float[256 * 256];
        Random random = new Random(6);
        for (int i = 0; i < map.length; i++) map[i] = 0.4f + 0.05f * random.nextFloat();
        for (int y = 100; y < 104; y++) for (int x = 100; x < 104; x++) map[y * 256 + x] = 0.6f;
        List<ExemptCell> cells =
                ExemptionMaker.make("e", 0.51f, 0.5, map, shot(1), good()).cells();
        assertThat(cells.stream().filter(c -> c.stride() == 16)).hasSize(9);
        assertThat(cells.stream().filter(c -> c.stride() == 8)).hasSize(9);
    }

    @Test
    void shouldNeedGoodFramesToCompareWith() {
        Spot glare = new Spot(120, 80, 7);
        assertThatThrownBy(() -> ExemptionMaker.make("e", 1, 0.5, map(glare), shot(1, glare), good().subList(0, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 good frames")
                .hasMessageContaining("got 2");
    }

    @Test
    void shouldTakeOneFrameOutOfABatch() {
        float[] twoFine = new float[2 * FINE * 32 * 32];
        float[] twoCoarse = new float[2 * COARSE * 16 * 16];
        System.arraycopy(fine, 0, twoFine, fine.length, fine.length);
        System.arraycopy(coarse, 0, twoCoarse, coarse.length, coarse.length);
        FrameFeatures second = new BatchFeatures(2, twoFine, twoCoarse).frame(1);
        FrameFeatures alone = FrameFeatures.of(fine, coarse, 0, 1);
        for (int stride : FrameFeatures.STRIDES)
            assertThat(second.grid(stride).feature(3, 4))
                    .isEqualTo(alone.grid(stride).feature(3, 4));
        assertThat(second.channels(8)).isEqualTo(FINE);
        assertThatThrownBy(() -> FrameFeatures.of(new float[10], coarse, 0, 1)).hasMessageContaining("stride 8");
    }

    @Test
    void shouldHaveNeighbourMeansOfLengthOneAtTheBorderToo() {
        FeatureGrid grid = FeatureGrid.of(coarse, 0, COARSE, 16);
        float[] corner = new float[COARSE];
        for (int c = 0; c < COARSE; c++)
            for (int y = 0; y < 2; y++) for (int x = 0; x < 2; x++) corner[c] += coarse[(c * 16 + y) * 16 + x];
        double length = 0;
        for (float v : corner) length += v * v;
        for (int c = 0; c < COARSE; c++)
            assertThat(grid.feature(0, 0)[c]).isCloseTo((float) (corner[c] / Math.sqrt(length)), within(1e-5f));
    }
}
