package io.linesight.mmad.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.view.TilePlan.Grid;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class TilePlanTest {
    @Test
    void shouldNeedNoTilesWhereTheWholeShowsTheDefect() {
        assertThat(TilePlan.auto(new Box(0, 0, 256, 256), 8)).isNull();
        assertThat(TilePlan.auto(new Box(0, 0, 1024, 768), 100)).isNull();
    }

    @Test
    void shouldMagnifyUntilTheDefectIsSeen() {
        for (int defect : List.of(8, 10, 16, 33)) {
            Box area = new Box(0, 0, 4000, 3000);
            Grid grid = TilePlan.auto(area, defect);
            Box tile = TilePlan.tiles(grid, area, null).get(0);
            double seen = defect * 256.0 / Math.max(tile.width(), tile.height());
            assertThat(seen).as("%d pixels in %s tiles", defect, grid).isGreaterThan(TilePlan.SEEN * 0.99);
        }
    }

    @Test
    void shouldCoverEveryPixelWithOverlap() {
        Box area = new Box(100, 50, 1900, 1111);
        List<Box> tiles = TilePlan.tiles(new Grid(5, 3), area, null);
        assertThat(tiles).hasSize(15);
        int[] covered = new int[area.width()];
        for (Box t : tiles.subList(0, 5)) for (int x = t.x(); x < t.right(); x++) covered[x - area.x()]++;
        assertThat(covered).doesNotContain(0);
        for (int i = 1; i < 5; i++)
            assertThat(tiles.get(i - 1).right() - tiles.get(i).x())
                    .isGreaterThanOrEqualTo(tiles.get(i).width() / 8 - 1);
        assertThat(tiles.get(14).right()).isEqualTo(area.right());
        assertThat(tiles.get(14).bottom()).isEqualTo(area.bottom());
    }

    @Test
    void shouldLeaveTilesOutsideThePolygonOut() {
        Roi triangle = Roi.parse("polygon:0,0,1000,0,0,1000");
        List<Box> tiles = TilePlan.tiles(new Grid(4, 4), triangle.bounds(), triangle);
        assertThat(tiles).hasSizeBetween(9, 13).contains(new Box(0, 0, 276, 276));
    }

    @Test
    void shouldRejectMoreTilesThanPixels() {
        assertThatThrownBy(() -> TilePlan.tiles(new Grid(200, 1), new Box(0, 0, 100, 100), null))
                .hasMessageContaining("200 tiles");
    }

    @Test
    void shouldSayWhatItCosts() {
        assertThat(TilePlan.cost(26, OptionalLong.empty(), Double.NaN)).isEqualTo("26 views a frame");
        assertThat(TilePlan.cost(26, OptionalLong.of(640_000_000), 10))
                .isEqualTo("26 views a frame, 16.6 billion multiplications in the encoder, "
                        + "about 260 ms in it on this machine (10.0 ms a view)");
    }
}
