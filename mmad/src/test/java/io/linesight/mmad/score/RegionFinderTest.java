package io.linesight.mmad.score;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RegionFinderTest {
    @Test
    void shouldJoinDiagonalNeighboursAndSortByPeak() {
        float[] map = new float[64];
        map[0] = 0.6f;
        map[9] = 0.7f;
        map[18] = 0.5f;
        map[63] = 0.9f;
        List<FoundRegion> found = RegionFinder.find(map, 8, 0.5, 16, 8, 10);
        assertThat(found)
                .containsExactly(
                        new FoundRegion(14, 7, 2, 1, 2, 0.9f, 15, 7), new FoundRegion(0, 0, 6, 3, 6, 0.7f, 3, 1));
        assertThat(RegionFinder.find(map, 8, 0.5, 16, 8, 1)).containsExactly(found.get(0));
        assertThat(RegionFinder.find(map, 8, 0.5, 16, 8, 0)).isEmpty();
    }

    @Test
    void shouldFindNothingBelowTheThresholdOrInNaN() {
        float[] map = new float[16];
        map[3] = Float.NaN;
        assertThat(RegionFinder.find(map, 4, 0.1, 4, 4, 5)).isEmpty();
    }

    @Test
    void shouldCoverEveryHotPixelAndStayInsideTheFrame() {
        Random random = new Random(4);
        for (int round = 0; round < 200; round++) {
            int size = 1 + random.nextInt(40);
            int w = 1 + random.nextInt(300);
            int h = 1 + random.nextInt(300);
            float[] map = new float[size * size];
            for (int i = 0; i < map.length; i++) map[i] = random.nextFloat();
            List<FoundRegion> found = RegionFinder.find(map, size, 0.8, w, h, Integer.MAX_VALUE);
            for (FoundRegion r : found) {
                assertThat(r.x()).isBetween(0, w - 1);
                assertThat(r.y()).isBetween(0, h - 1);
                assertThat(r.x() + r.width()).isBetween(r.x() + 1, w);
                assertThat(r.y() + r.height()).isBetween(r.y() + 1, h);
                assertThat(r.peakX()).isBetween(r.x(), r.x() + r.width() - 1);
                assertThat(r.peakY()).isBetween(r.y(), r.y() + r.height() - 1);
            }
            for (int i = 0; i < map.length; i++) {
                if (map[i] < 0.8) continue;
                int x = Math.min(w - 1, (int) ((i % size + 0.5) * w / size));
                int y = Math.min(h - 1, (int) ((i / size + 0.5) * h / size));
                assertThat(found)
                        .anyMatch(r -> x >= r.x() && x < r.x() + r.width() && y >= r.y() && y < r.y() + r.height());
            }
        }
    }
}
