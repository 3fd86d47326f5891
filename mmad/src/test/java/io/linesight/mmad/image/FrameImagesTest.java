package io.linesight.mmad.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.mmad.image.BadImageException.Code;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Raw frames as cameras send them. */
class FrameImagesTest {
    private static final DecodeSettings SETTINGS = DecodeSettings.defaults();

    private static byte[] decode(String encoding, Map<String, String> attributes, int w, int h, int... bytes)
            throws BadImageException {
        byte[] pixels = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) pixels[i] = (byte) bytes[i];
        return FrameImages.decode(encoding, w, h, attributes, pixels, SETTINGS)
                .image()
                .rgb();
    }

    private static BadImageException refusal(String encoding, Map<String, String> attributes, int w, int h, int bytes) {
        return catchThrowableOfType(
                BadImageException.class,
                () -> FrameImages.decode(encoding, w, h, attributes, new byte[bytes], SETTINGS));
    }

    @Test
    void shouldLeavePaddingOut() throws BadImageException {
        Map<String, String> stride = Map.of(FrameImages.STRIDE, "4");
        assertThat(decode("GRAY8", stride, 3, 2, 1, 2, 3, 0, 4, 5, 6, 0))
                .containsExactly(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6);
        // The last row may lack it.
        assertThat(decode("RGB8", stride, 1, 2, 1, 2, 3, 0, 4, 5, 6)).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(decode("BGR8", stride, 1, 2, 1, 2, 3, 0, 4, 5, 6, 0)).containsExactly(3, 2, 1, 6, 5, 4);
        assertThat(decode("MONO16", stride, 1, 2, 0, 1, 9, 9, 0, 2, 9, 9)).containsExactly(1, 1, 1, 2, 2, 2);
    }

    @Test
    void shouldReadSixteenBitsLowByteFirstAndShiftThemAsTheFrameSays() throws BadImageException {
        assertThat(decode("MONO16", Map.of(), 2, 1, 0xff, 0x41, 0, 0x80))
                .containsExactly(0x41, 0x41, 0x41, 0x80, 0x80, 0x80);
        assertThat(decode("MONO16", Map.of(FrameImages.BITS, "12"), 2, 1, 0xf0, 0x0f, 0, 0x08))
                .containsExactly(0xff, 0xff, 0xff, 0x80, 0x80, 0x80);
        assertThat(decode("MONO16", Map.of(FrameImages.BITS, "10"), 2, 1, 0xff, 0x03, 0, 0x02))
                .containsExactly(0xff, 0xff, 0xff, 0x80, 0x80, 0x80);
    }

    @Test
    void shouldSayWhyTheNumberOfBytesIsAnother() {
        Map<String, String> none = Map.of();
        assertThat(refusal("GRAY8", none, 10, 8, 96))
                .hasMessageContaining("padded by 2")
                .hasMessageContaining("=12");
        assertThat(refusal("GRAY8", none, 10, 8, 160)).hasMessageContaining("MONO16");
        assertThat(refusal("GRAY8", none, 10, 8, 120)).hasMessageContaining("packed 12-bit");
        assertThat(refusal("GRAY8", none, 10, 8, 240)).hasMessageContaining("RGB8 or BGR8");
        assertThat(refusal("GRAY8", none, 10, 8, 93)).hasMessageContaining("13 bytes follow");
        assertThat(refusal("GRAY8", none, 10, 8, 79)).hasMessageContaining("missing");
        assertThat(refusal("RGB8", none, 10, 8, 320)).hasMessageContaining("fourth channel");
        assertThat(refusal("MONO16", none, 10, 8, 80)).hasMessageContaining("GRAY8");
        assertThat(refusal("GRAY8", Map.of(FrameImages.STRIDE, "12"), 10, 8, 80))
                .hasMessageContaining("rows of 12");
    }

    @Test
    void shouldRejectAttributesThatAreNone() {
        for (String stride : new String[] {"9", "-4", "wide", "99999999999"})
            assertThat(refusal("GRAY8", Map.of(FrameImages.STRIDE, stride), 10, 8, 80)
                            .code())
                    .as(stride)
                    .isEqualTo(Code.SIZE_MISMATCH);
        for (String bits : new String[] {"7", "17", "twelve"})
            assertThat(refusal("MONO16", Map.of(FrameImages.BITS, bits), 10, 8, 160)
                            .code())
                    .as(bits)
                    .isEqualTo(Code.UNSUPPORTED);
    }

    @Test
    void shouldTakeTheBitsOfAnEncodedFrameFromItsAttribute() throws BadImageException {
        byte[] grey = new byte[64];
        Arrays.fill(grey, (byte) 9);
        byte[] png = ImageCodec.encodeGrayPng(grey, 8, 8);
        // Of 8-bit files it says nothing.
        assertThat(FrameImages.decode("PNG", 0, 0, Map.of(FrameImages.BITS, "12"), png, SETTINGS)
                        .image()
                        .rgb())
                .containsOnly(9);
    }
}
