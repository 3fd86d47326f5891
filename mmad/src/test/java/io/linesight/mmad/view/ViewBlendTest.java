package io.linesight.mmad.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ViewBlendTest {
    private static float[] filled(double value) {
        float[] map = new float[65536];
        Arrays.fill(map, (float) value);
        return map;
    }

    @Test
    void shouldShowNoSeamsBetweenTiles() {
        Box frame = new Box(0, 0, 1024, 1024);
        List<Box> tiles = TilePlan.tiles(new TilePlan.Grid(3, 3), frame, null);
        ViewBlend blend = new ViewBlend(new ViewLayout(1024, 1024, null, tiles), 0.01, null);
        ViewBlend.Sum sum = blend.sum();
        sum.add(0, filled(0), 0);
        // Neighbours differ as much as they can; what is between them must rise gently.
        for (int v = 1; v <= 9; v++) sum.add(v, filled(10 * (v % 2)), 0);
        float[] map = sum.map();
        int side = (int) Math.sqrt(map.length);
        float steepest = 0;
        for (int i = 0; i < map.length; i++)
            if (i % side > 0) steepest = Math.max(steepest, Math.abs(map[i] - map[i - 1]));
        assertThat(steepest).isBetween(0.1f, 1f);
    }

    @Test
    void shouldGiveTheSameValueWhereTilesAgree() {
        Box frame = new Box(0, 0, 1000, 700);
        ViewBlend blend = new ViewBlend(
                new ViewLayout(1000, 700, null, TilePlan.tiles(new TilePlan.Grid(4, 3), frame, null)), 0.01, null);
        ViewBlend.Sum sum = blend.sum();
        sum.add(0, filled(1), 0);
        for (int v = 1; v <= 12; v++) sum.add(v, filled(3), 0);
        for (float value : sum.map()) assertThat(value).isCloseTo(3, within(1e-5f));
    }

    @Test
    void shouldKeepWhatOnlyTheWholeShows() {
        ViewBlend blend = new ViewBlend(
                new ViewLayout(
                        1024, 1024, null, TilePlan.tiles(new TilePlan.Grid(3, 3), new Box(0, 0, 1024, 1024), null)),
                0.01,
                null);
        ViewBlend.Sum sum = blend.sum();
        sum.add(0, filled(5), 0);
        for (int v = 1; v <= 9; v++) sum.add(v, filled(1), 0);
        for (float value : sum.map()) assertThat(value).isCloseTo(5, within(1e-5f));
    }

    @Test
    void shouldPutASpotWhereItIsInTheFrame() {
        ViewLayout layout = new ViewLayout(2048, 2048, null, List.of(new Box(512, 1024, 512, 512)));
        ViewBlend blend = new ViewBlend(layout, 0, null);
        ViewBlend.Sum sum = blend.sum();
        sum.add(0, filled(0), 0);
        float[] tile = new float[65536];
        tile[100 * 256 + 30] = 9;
        sum.add(1, tile, 0);
        float[] map = sum.map();
        int at = 0;
        for (int i = 0; i < map.length; i++) if (map[i] > map[at]) at = i;
        assertThat(layout.mapSide()).isEqualTo(1024);
        assertThat(at % 1024).isEqualTo(256 + 30);
        assertThat(at / 1024).isEqualTo(512 + 100);
        assertThat(blend.score(map)).isCloseTo(9, within(0.01f));
    }

    @Test
    void shouldScoreNothingOutsideTheRegion() {
        Roi roi = Roi.parse("polygon:100,50,500,80,300,350");
        ViewBlend blend = new ViewBlend(new ViewLayout(600, 400, roi, List.of()), 0.01, null);
        ViewBlend.Sum sum = blend.sum();
        sum.add(0, filled(7), 0);
        float[] map = sum.map();
        int side = (int) Math.sqrt(map.length);
        boolean[] inside = new boolean[side];
        int within = 0;
        for (int y = 0; y < side; y++) {
            roi.row(inside, 300.0 / side, 600.0 / side, (y + 0.5) * 400 / side, 1, 1);
            for (int x = 0; x < side; x++) {
                assertThat(map[y * side + x]).isEqualTo(inside[x] ? 7 : 0);
                if (inside[x]) within++;
            }
        }
        assertThat(within).isGreaterThan(1000);
    }

    @Test
    void shouldScoreTheMeanOfTheHighestPixels() {
        ViewBlend blend =
                new ViewBlend(new ViewLayout(256, 256, Roi.box(new Box(0, 0, 256, 256)), List.of()), 0.001, null);
        float[] map = new float[65536];
        for (int i = 0; i < map.length; i++) map[i] = (i * 31_337L) % 65_536;
        double expected = 0;
        for (int i = 0; i < 66; i++) expected += 65_535 - i;
        assertThat(blend.score(map)).isCloseTo((float) (expected / 66), within(0.1f));
        map[17] = Float.NaN;
        assertThat(blend.score(map)).isNaN();
    }

    @Test
    void shouldMeasureEachViewByItsOwnNormal() {
        ViewLayout layout = new ViewLayout(512, 512, null, List.of(new Box(0, 0, 256, 256), new Box(256, 0, 256, 256)));
        ViewBlend blend = new ViewBlend(layout, 0, new double[][] {{1, 2}, {10, 5}, {20, 1}});
        ViewBlend.Sum sum = blend.sum();
        sum.add(0, filled(1), 0);
        sum.add(1, filled(25), 0);
        sum.add(2, filled(22), 0);
        float[] map = sum.map();
        assertThat(map[100 * 512 + 100]).isCloseTo(3, within(1e-5f));
        assertThat(map[100 * 512 + 400]).isCloseTo(2, within(1e-5f));
        assertThat(map[400 * 512 + 100]).isCloseTo(0, within(1e-5f));
    }
}
