package io.linesight.mmad.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoiTest {
    @Test
    void shouldReadABox() {
        Roi roi = Roi.parse("box:10,20,30,40");
        assertThat(roi.bounds()).isEqualTo(new Box(10, 20, 30, 40));
        assertThat(roi.isBox()).isTrue();
        assertThat(roi).hasToString("30x40 at 10,20");
    }

    @Test
    void shouldReadAPolygon() {
        Roi roi = Roi.parse("polygon:0,0, 10,0, 0,10");
        assertThat(roi.bounds()).isEqualTo(new Box(0, 0, 10, 10));
        assertThat(roi.isBox()).isFalse();
        assertThat(Roi.parse("polygon:3,0,3,5,0,5,0,0").isBox()).isTrue();
        assertThat(Roi.parse("polygon:0,0,4,4,4,0,0,4").isBox()).isFalse();
    }

    @Test
    void shouldCountPixelsWhoseCentreLiesInside() {
        Roi triangle = Roi.parse("polygon:0,0,8,0,0,8");
        int inside = 0;
        boolean[] row = new boolean[10];
        for (int y = 0; y < 10; y++) {
            triangle.row(row, 0.5, 1, y + 0.5, 1, 1);
            for (int x = 0; x < 10; x++) {
                assertThat(row[x]).as("%d,%d", x, y).isEqualTo(x + y + 1 < 8);
                if (row[x]) inside++;
            }
        }
        assertThat(inside).isEqualTo(28);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "box:1,2,3",
                "box:1,2,3,4,5",
                "box:1,2,0,4",
                "box:-1,2,3,4",
                "box:a,2,3,4",
                "polygon:1,2,3,4",
                "polygon:1,2,3,4,5",
                "polygon:1,1,2,1,3,1",
                "polygon:1,1,2,2,-3,1",
                "circle:1,2,3",
                "box",
                "box:99999999999,1,1,1",
                ""
            })
    void shouldRejectWhatIsNoRegion(String text) {
        assertThatThrownBy(() -> Roi.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("(?s).{20,}");
    }
}
