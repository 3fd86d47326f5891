package io.linesight.mmad.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.linesight.mmad.golden.GoldenSet;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PreprocessTest {
    private static final int PLANE = 256 * 256;

    @Test
    void shouldEqualPillowsResizeBitByBit() throws IOException {
        try (GoldenSet golden = GoldenSet.open("preprocess")) {
            assumeThat(golden.has("img_up_in_hwc"))
                    .as("the complete set is present")
                    .isTrue();
            for (String name : new String[] {"img_up", "img_down"}) {
                int[] shape = golden.get(name + "_in_hwc").shape();
                byte[] planar =
                        Preprocess.toModelInput(new RgbImage(shape[1], shape[0], golden.bytes(name + "_in_hwc")));
                byte[] expected = golden.bytes(name + "_out_hwc");
                byte[] interleaved = new byte[expected.length];
                for (int i = 0; i < PLANE; i++) {
                    for (int c = 0; c < 3; c++) interleaved[3 * i + c] = planar[c * PLANE + i];
                }
                assertThat(interleaved).as(name).isEqualTo(expected);
            }
        }
    }

    @Test
    void shouldEqualTheReferencesMasks() throws IOException {
        try (GoldenSet golden = GoldenSet.open("preprocess")) {
            int[] shape = golden.get("mask_in").shape();
            assertThat(Preprocess.mask(golden.bytes("mask_in"), shape[1], shape[0]))
                    .isEqualTo(golden.bytes("mask_bin"));
            assertThat(Resampler.resizeToPlanar(golden.bytes("mask_in"), shape[1], shape[0], 1, 256, 256))
                    .isEqualTo(golden.bytes("mask_resized_u8"));
        }
    }

    @Test
    void shouldOnlyReorderAPictureOfTheModelsSize() {
        byte[] rgb = new byte[3 * PLANE];
        new Random(1).nextBytes(rgb);
        byte[] planar = Preprocess.toModelInput(new RgbImage(256, 256, rgb));
        for (int i = 0; i < PLANE; i++) {
            for (int c = 0; c < 3; c++) assertThat(planar[c * PLANE + i]).isEqualTo(rgb[3 * i + c]);
        }
    }

    @Test
    void shouldKeepAFlatPictureFlatAtAnySize() {
        Random random = new Random(2);
        for (int[] size :
                new int[][] {{1, 1}, {1, 700}, {700, 1}, {255, 257}, {256, 31}, {31, 256}, {1023, 511}, {5000, 3}}) {
            byte v = (byte) random.nextInt(256);
            byte[] rgb = new byte[size[0] * size[1] * 3];
            Arrays.fill(rgb, v);
            byte[] out = Preprocess.toModelInput(new RgbImage(size[0], size[1], rgb));
            byte[] flat = new byte[3 * PLANE];
            Arrays.fill(flat, v);
            assertThat(out).as("%dx%d", size[0], size[1]).isEqualTo(flat);
        }
    }

    @Test
    void shouldTreatBothAxesAlike() {
        int w = 300;
        int h = 471;
        byte[] gray = new byte[w * h];
        new Random(3).nextBytes(gray);
        byte[] turned = new byte[w * h];
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) turned[x * h + y] = gray[y * w + x];
        }
        byte[] a = Resampler.resizeToPlanar(gray, w, h, 1, 256, 256);
        byte[] b = Resampler.resizeToPlanar(turned, h, w, 1, 256, 256);
        int worst = 0;
        for (int y = 0; y < 256; y++) {
            for (int x = 0; x < 256; x++)
                worst = Math.max(worst, Math.abs((a[y * 256 + x] & 0xff) - (b[x * 256 + y] & 0xff)));
        }
        // The passes round in a different order, which is worth at most one step.
        assertThat(worst).isLessThanOrEqualTo(1);
    }

    @Test
    void shouldCountAnyMarkedChannelAsDefect() {
        byte[] rgb = new byte[3 * PLANE];
        rgb[3 * 1000 + 2] = 1;
        byte[] mask = Preprocess.mask(new RgbImage(256, 256, rgb));
        assertThat(mask[1000]).isEqualTo((byte) 1);
        mask[1000] = 0;
        assertThat(mask).containsOnly(0);
    }

    @Test
    void shouldRejectAMaskOfAnotherSize() {
        assertThatThrownBy(() -> Preprocess.mask(new byte[5], 2, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("6 bytes, got 5");
    }
}
