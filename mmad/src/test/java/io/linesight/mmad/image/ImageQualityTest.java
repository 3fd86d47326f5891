package io.linesight.mmad.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ImageQualityTest {

    @Test
    void shouldMeasureACheckerboard() {
        byte[] rgb = new byte[64 * 64 * 3];
        for (int i = 0; i < 64 * 64; i++) if ((i / 64 + i) % 2 == 0) fill(rgb, i, 255);
        ImageQuality q = ImageQuality.of(new RgbImage(64, 64, rgb));
        assertThat(q.brightness()).isEqualTo(0.5f);
        assertThat(q.contrast()).isEqualTo(0.5f);
        assertThat(q.sharpness()).isEqualTo(1f);
        assertThat(q.darkShare()).isEqualTo(0.5f);
        assertThat(q.brightShare()).isEqualTo(0.5f);
    }

    @Test
    void shouldMeasureTheSameOfAnImageWhateverItsSize() {
        byte[] small = ramp(200, 200);
        byte[] large = ramp(2000, 2000);
        ImageQuality a = ImageQuality.of(new RgbImage(200, 200, small));
        ImageQuality b = ImageQuality.of(new RgbImage(2000, 2000, large));
        assertThat(b.brightness()).isCloseTo(a.brightness(), within(0.01f));
        assertThat(b.contrast()).isCloseTo(a.contrast(), within(0.01f));
        assertThat(b.sharpness()).isLessThan(a.sharpness());
    }

    @Test
    void shouldFallWithFocus() {
        byte[] noise = new byte[300 * 300 * 3];
        new Random(1).nextBytes(noise);
        RgbImage sharp = new RgbImage(300, 300, noise);
        ImageQuality before = ImageQuality.of(sharp);
        ImageQuality after = ImageQuality.of(blurred(sharp));
        assertThat(after.sharpness()).isLessThan(before.sharpness() / 3);
        assertThat(after.brightness()).isCloseTo(before.brightness(), within(0.01f));
    }

    @Test
    void shouldTellOnePixelThatDiffersAnywhere() {
        byte[] rgb = ramp(700, 500);
        long before = ImageQuality.of(new RgbImage(700, 500, rgb)).pixels();
        assertThat(ImageQuality.of(new RgbImage(700, 500, rgb.clone())).pixels())
                .isEqualTo(before);
        rgb[3 * 12_345 + 1]++;
        assertThat(ImageQuality.of(new RgbImage(700, 500, rgb)).pixels()).isNotEqualTo(before);
    }

    @Test
    void shouldMeasureImagesOfAPixelOrALine() {
        for (int[] size : new int[][] {{1, 1}, {5, 1}, {1, 5}, {100_000, 1}}) {
            byte[] rgb = new byte[3 * size[0] * size[1]];
            ImageQuality q = ImageQuality.of(new RgbImage(size[0], size[1], rgb));
            assertThat(q.brightness()).isZero();
            assertThat(q.sharpness()).isZero();
            assertThat(q.darkShare()).isEqualTo(1f);
        }
    }

    private static byte[] ramp(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) fill(rgb, i, 255 * (i % width) / width);
        return rgb;
    }

    private static void fill(byte[] rgb, int pixel, int value) {
        for (int c = 0; c < 3; c++) rgb[3 * pixel + c] = (byte) value;
    }

    /** Mean of 9x9 pixels. */
    private static RgbImage blurred(RgbImage image) {
        int side = image.width();
        byte[] rgb = image.rgb().clone();
        for (int y = 4; y < side - 4; y++) {
            for (int x = 4; x < side - 4; x++) {
                for (int c = 0; c < 3; c++) {
                    int sum = 0;
                    for (int dy = -4; dy <= 4; dy++)
                        for (int dx = -4; dx <= 4; dx++) sum += image.rgb()[3 * ((y + dy) * side + x + dx) + c] & 0xff;
                    rgb[3 * (y * side + x) + c] = (byte) (sum / 81);
                }
            }
        }
        return new RgbImage(side, image.height(), rgb);
    }
}
