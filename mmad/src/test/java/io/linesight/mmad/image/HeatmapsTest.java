package io.linesight.mmad.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class HeatmapsTest {
    private static RgbImage grey(int w, int h) {
        byte[] rgb = new byte[3 * w * h];
        Arrays.fill(rgb, (byte) 128);
        return new RgbImage(w, h, rgb);
    }

    private static float[] spot(int size, int sx, int sy) {
        float[] map = new float[size * size];
        for (int i = 0; i < map.length; i++)
            map[i] = (float) Math.exp(-(Math.pow(i % size - sx, 2) + Math.pow(i / size - sy, 2)) / 50);
        return map;
    }

    @Test
    void shouldColourTheSpotAndLeaveTheRest() {
        RgbImage out = Heatmaps.overlay(grey(640, 480), spot(64, 48, 16), 64, 0.5);
        int hot = 3 * ((int) (16.5 * 480 / 64) * 640 + (int) (48.5 * 640 / 64));
        int red = out.rgb()[hot] & 0xff;
        int blue = out.rgb()[hot + 2] & 0xff;
        assertThat(red).isGreaterThan(blue + 50);
        int far = 3 * (400 * 640 + 100);
        assertThat(Arrays.copyOfRange(out.rgb(), far, far + 3)).containsOnly(128);
    }

    @Test
    void shouldNotTurnHotBelowTheThreshold() {
        float[] map = spot(32, 16, 16);
        for (int i = 0; i < map.length; i++) map[i] *= 0.05f;
        RgbImage out = Heatmaps.overlay(grey(64, 64), map, 32, 1.0);
        assertThat(out.rgb()).as("far below the threshold nothing is coloured").containsOnly(128);
    }

    @Test
    void shouldSetFrameTruthAndOverlaySideBySide() {
        byte[] mask = new byte[300 * 200];
        mask[0] = 1;
        RgbImage three = Heatmaps.panel(grey(300, 200), mask, spot(64, 10, 10), 64, 0.73, 0.5);
        RgbImage two = Heatmaps.panel(grey(300, 200), null, spot(64, 10, 10), 64, 0.73, Double.NaN);
        assertThat(three.width()).isEqualTo(3 * 300 + 12);
        assertThat(two.width()).isEqualTo(2 * 300 + 6);
        assertThat(Heatmaps.panel(grey(3000, 2000), new byte[64 * 64], spot(64, 1, 1), 64, 0.73, 0.5)
                        .width())
                .isEqualTo(3 * 512 + 12);
        assertThatThrownBy(() -> Heatmaps.panel(grey(300, 200), new byte[7], new float[16], 4, 0.73, 0.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("300x200");
    }

    /** The score is the mean over the highest pixels, or a reweighted distance: not what is highest in the map. */
    @Test
    void shouldSayTheScoreAndItsThresholdAboveTheMap() {
        RgbImage panel = Heatmaps.panel(grey(256, 256), null, spot(64, 10, 10), 64, 0.73, 0.5);
        byte[] dark = new byte[3 * panel.width() * 22];
        Arrays.fill(dark, (byte) 32);
        RgbImage caption = new RgbImage(panel.width(), 22, dark);
        Captions.draw(caption, 22, 4, "frame");
        Captions.draw(caption, 22, 256 + 6 + 4, "score 0.7300 of 0.5000");
        assertThat(Arrays.copyOf(panel.rgb(), dark.length)).isEqualTo(caption.rgb());
        assertThat(Heatmaps.caption(0.0213, Double.NaN)).isEqualTo("score 0.0213");
        assertThat(Heatmaps.caption(Double.NaN, 0.5)).isEqualTo("score NaN of 0.5000");
        assertThat(Captions.width(Heatmaps.caption(12345.678, 12345.678)))
                .as("fits the narrowest tile")
                .isBetween(100, 252);
    }

    @Test
    void shouldSurviveMapsThatAreNotNumbers() {
        float[] map = new float[16];
        Arrays.fill(map, Float.NaN);
        assertThat(Heatmaps.panel(grey(20, 10), null, map, 4, Double.NaN, 0.5).height())
                .isPositive();
        assertThat(Heatmaps.overlay(grey(1, 1), map, 4, Double.NaN).rgb()).hasSize(3);
    }

    @Test
    void shouldScaleMapsTo8Bits() throws BadImageException {
        float[] map = {0f, 0.25f, 0.5f, 1f, 2f, -1f, Float.NaN, 0.75f, 0.5f};
        byte[] gray = ImageCodec.decodeGray(Heatmaps.mapPng(map, 3, 0f, 1f), ImageLimits.defaults())
                .gray();
        assertThat(gray).containsExactly(0, 64, 128, 255, 255, 0, 255, 191, 128);
    }

    @Test
    void shouldMakeThumbnailsInProportion() {
        RgbImage frame = new RgbImage(400, 100, new byte[3 * 400 * 100]);
        assertThat(Heatmaps.thumbnail(frame, 200)).satisfies(t -> {
            assertThat(t.width()).isEqualTo(200);
            assertThat(t.height()).isEqualTo(50);
        });
        assertThat(Heatmaps.thumbnail(frame, 400)).isSameAs(frame);
        assertThat(Heatmaps.thumbnail(new RgbImage(5000, 1, new byte[15000]), 200)
                        .height())
                .isEqualTo(1);
    }

    @Test
    void shouldPaintTheTruthRedAndDimTheRest() {
        byte[] white = new byte[3 * 8 * 8];
        Arrays.fill(white, (byte) 255);
        byte[] mask = {0, 1, 0, 0};
        RgbImage truth = Heatmaps.truth(new RgbImage(8, 8, white), mask, 2);
        for (int i = 0; i < 64; i++) {
            boolean marked = i / 8 < 4 && i % 8 >= 4;
            assertThat(truth.rgb()[3 * i] & 0xff).isEqualTo(marked ? 254 : 127);
            assertThat(truth.rgb()[3 * i + 1] & 0xff).isEqualTo(127);
        }
    }
}
