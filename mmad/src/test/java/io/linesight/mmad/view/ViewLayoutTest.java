package io.linesight.mmad.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ViewLayoutTest {
    private static RgbImage noise(int width, int height, long seed) {
        byte[] rgb = new byte[3 * width * height];
        new Random(seed).nextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }

    @Test
    void shouldCutTheWholeAndItsTiles() throws BadImageException {
        RgbImage frame = noise(600, 400, 1);
        ViewLayout layout =
                new ViewLayout(600, 400, null, List.of(new Box(0, 0, 256, 256), new Box(100, 50, 256, 256)));
        byte[] cut = layout.cut(frame);
        assertThat(cut).hasSize(3 * 3 * 65536);
        assertThat(ViewLayout.viewOf(cut, 0)).isEqualTo(Preprocess.toModelInput(frame));
        byte[] tile = ViewLayout.viewOf(cut, 2);
        // A tile of 256x256 pixels is not resized.
        for (int c = 0; c < 3; c++)
            assertThat(tile[c * 65536 + 7 * 256 + 9]).isEqualTo(frame.rgb()[3 * ((50 + 7) * 600 + 100 + 9) + c]);
    }

    @Test
    void shouldNotLookAtPixelsOutsideAPolygon() throws BadImageException {
        Roi roi = Roi.parse("polygon:100,50,500,80,300,350");
        ViewLayout layout = new ViewLayout(600, 400, roi, TilePlan.tiles(new TilePlan.Grid(2, 2), roi.bounds(), roi));
        RgbImage frame = noise(600, 400, 1);
        RgbImage other = noise(600, 400, 2);
        boolean[] inside = new boolean[600];
        for (int y = 0; y < 400; y++) {
            roi.row(inside, 0.5, 1, y + 0.5, 1, 1);
            for (int x = 0; x < 600; x++)
                if (inside[x]) System.arraycopy(frame.rgb(), 3 * (y * 600 + x), other.rgb(), 3 * (y * 600 + x), 3);
        }
        assertThat(layout.cut(other)).isEqualTo(layout.cut(frame));
        other.rgb()[3 * (100 * 600 + 300)] ^= 64;
        assertThat(layout.cut(other)).isNotEqualTo(layout.cut(frame));
    }

    @Test
    void shouldTakeFramesOfTheSameProportionsOnly() throws BadImageException {
        ViewLayout layout = new ViewLayout(600, 400, Roi.parse("box:300,200,300,200"), List.of());
        assertThat(layout.cut(noise(300, 200, 1))).hasSize(3 * 65536);
        assertThat(layout.cut(noise(1201, 800, 1))).hasSize(3 * 65536);
        assertThatThrownBy(() -> layout.cut(noise(400, 600, 1)))
                .isInstanceOfSatisfying(BadImageException.class, e -> assertThat(e.code())
                        .isEqualTo(BadImageException.Code.SIZE_MISMATCH))
                .hasMessageContaining("400x600")
                .hasMessageContaining("600x400");
    }

    @Test
    void shouldRejectRegionsAndTilesOutsideTheFrame() {
        assertThatThrownBy(() -> new ViewLayout(600, 400, Roi.parse("box:500,0,200,200"), List.of()))
                .hasMessageContaining("region of interest")
                .hasMessageContaining("600x400");
        assertThatThrownBy(() ->
                        new ViewLayout(600, 400, Roi.parse("box:100,0,200,200"), List.of(new Box(0, 0, 200, 200))))
                .hasMessageContaining("tile");
    }

    @Test
    void shouldHaveAMapOfWhatIsLookedAt() {
        assertThat(new ViewLayout(2048, 2048, null, List.of(new Box(0, 0, 512, 512))).mapSide())
                .isEqualTo(1024);
        assertThat(new ViewLayout(4000, 3000, null, List.of(new Box(0, 0, 640, 640))).mapSide())
                .isEqualTo(1600);
        assertThat(new ViewLayout(640, 480, null, List.of()).mapSide()).isEqualTo(256);
        // No finer than the frame itself.
        assertThat(new ViewLayout(640, 480, Roi.parse("box:0,0,100,100"), List.of()).mapSide())
                .isEqualTo(640);
        assertThat(new ViewLayout(10_000, 10_000, Roi.parse("box:0,0,100,100"), List.of()).mapSide())
                .isEqualTo(2048);
    }

    @Test
    void shouldComeBackFromTheProperty() throws IOException {
        ViewLayout polygon = new ViewLayout(
                600, 400, Roi.parse("polygon:100,50,500,80,300,350"), List.of(new Box(110, 60, 200, 200)));
        ViewLayout tiled = new ViewLayout(600, 400, null, List.of(new Box(0, 0, 256, 256), new Box(100, 50, 256, 256)));
        ViewLayouts layouts = ViewLayouts.of(Map.of("board", polygon, "cap", tiled), 0.01);
        ViewLayouts read = ViewLayouts.read(layouts.properties());
        assertThat(read.byProduct()).isEqualTo(layouts.byProduct());
        assertThat(read.properties()).isEqualTo(layouts.properties());
        assertThat(read.place("board", 0)).isZero();
        assertThat(List.of(read.place("board", 1), read.place("cap", 1), read.place("cap", 2)))
                .containsExactly(1, 2, 3);
        assertThat(read.views("lid")).isEqualTo(1);
        assertThat(read.of(null)).isNull();
        assertThat(ViewLayouts.read(Map.of())).isSameAs(ViewLayouts.NONE);
    }

    @Test
    void shouldRejectDamagedProperties() {
        for (String json : List.of(
                "",
                "null",
                "{}",
                "{\"topShare\":0.01,\"products\":{\"a\":null}}",
                "{\"topShare\":0.01,\"products\":{\"a\":{\"width\":9,\"height\":9,\"tiles\":[[0,0]]}}}",
                "{\"topShare\":0.01,\"products\":{\"a\":{\"width\":9,\"height\":9,\"tiles\":[[0,0,99,9]]}}}",
                "{\"topShare\":7,\"products\":{}}"))
            assertThatThrownBy(() -> ViewLayouts.read(Map.of(ViewLayouts.PROPERTY, json)))
                    .as(json)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(ViewLayouts.PROPERTY);
    }
}
