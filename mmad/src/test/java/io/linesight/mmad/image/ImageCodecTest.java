package io.linesight.mmad.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.mmad.image.BadImageException.Code;
import io.linesight.mmad.image.ImageNote.Kind;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.Test;

class ImageCodecTest {
    private static final ImageLimits LIMITS = ImageLimits.defaults();
    private static final RgbImage PICTURE = picture(97, 61);

    /** Smooth, with all three channels different, so that swapped channels and wrong rows show. */
    private static RgbImage picture(int w, int h) {
        byte[] rgb = new byte[3 * w * h];
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                int at = 3 * (y * w + x);
                rgb[at] = (byte) (255 * x / w);
                rgb[at + 1] = (byte) (255 * y / h);
                rgb[at + 2] = (byte) (40 + 20 * Math.sin(x * 0.2));
            }
        }
        return new RgbImage(w, h, rgb);
    }

    private static Code refusal(byte[] file) {
        return refusal(file, LIMITS);
    }

    private static Code refusal(byte[] file, ImageLimits limits) {
        BadImageException e = catchThrowableOfType(BadImageException.class, () -> ImageCodec.decode(file, limits));
        assertThat(e).as("decoding must refuse").isNotNull();
        assertThat(e.getMessage()).isNotBlank();
        return e.code();
    }

    @Test
    void shouldDecodeThePngItEncodes() throws BadImageException {
        RgbImage back = ImageCodec.decode(ImageCodec.encodePng(PICTURE), LIMITS);
        assertThat(back.width()).isEqualTo(97);
        assertThat(back.height()).isEqualTo(61);
        assertThat(back.rgb()).isEqualTo(PICTURE.rgb());
    }

    @Test
    void shouldDecodeTheJpegItEncodesUpToItsLoss() throws BadImageException {
        RgbImage back = ImageCodec.decode(ImageCodec.encodeJpeg(PICTURE, 95), LIMITS);
        double sum = 0;
        for (int i = 0; i < back.rgb().length; i++) sum += Math.abs((back.rgb()[i] & 0xff) - (PICTURE.rgb()[i] & 0xff));
        assertThat(sum / back.rgb().length).isLessThan(3);
    }

    @Test
    void shouldDecodeGrey() throws BadImageException {
        byte[] gray = new byte[33 * 20];
        new Random(5).nextBytes(gray);
        byte[] file = ImageCodec.encodeGrayPng(gray, 33, 20);
        assertThat(ImageCodec.decodeGray(file, LIMITS).gray()).isEqualTo(gray);
        byte[] rgb = ImageCodec.decode(file, LIMITS).rgb();
        for (int i = 0; i < gray.length; i++)
            assertThat(new byte[] {rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]}).containsOnly(gray[i]);
    }

    @Test
    void shouldDecodePalettesAndDropTransparency() throws IOException, BadImageException {
        for (int type :
                new int[] {BufferedImage.TYPE_BYTE_INDEXED, BufferedImage.TYPE_4BYTE_ABGR, BufferedImage.TYPE_3BYTE_BGR
                }) {
            BufferedImage image = new BufferedImage(20, 10, type);
            for (int y = 0; y < 10; y++) {
                for (int x = 0; x < 20; x++) image.setRGB(x, y, x < 10 ? 0xffff0000 : 0xff0000ff);
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(image, "png", out);
            byte[] rgb = ImageCodec.decode(out.toByteArray(), LIMITS).rgb();
            assertThat(Arrays.copyOf(rgb, 3)).as("type %d", type).containsExactly(255, 0, 0);
            assertThat(Arrays.copyOfRange(rgb, 3 * 19, 3 * 20))
                    .as("type %d", type)
                    .containsExactly(0, 0, 255);
        }
    }

    @Test
    void shouldTakeTheUpperBitsOfSixteen() throws IOException, BadImageException {
        BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_USHORT_GRAY);
        for (int i = 0; i < 64; i++) image.getRaster().setSample(i % 8, i / 8, 0, 0x4100 + i);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        assertThat(ImageCodec.decode(out.toByteArray(), LIMITS).rgb()).containsOnly(0x41);
    }

    @Test
    void shouldTakeTheUpperBitsOfSixteenOfEveryColour() throws IOException, BadImageException {
        byte[] file = sixteenBits(6, 4, new int[] {0x4101, 0x8202, 0xfe03}, BufferedImage.TRANSLUCENT);
        byte[] rgb = ImageCodec.decode(file, LIMITS).rgb();
        for (int i = 0; i < rgb.length; i += 3)
            assertThat(Arrays.copyOfRange(rgb, i, i + 3)).containsExactly(0x41, 0x82, 0xfe);
    }

    /**
     * A PNG of 16-bit colour. @param transparency {@link BufferedImage#TRANSLUCENT} for half transparent pixels, else
     * OPAQUE
     */
    private static byte[] sixteenBits(int w, int h, int[] colour, int transparency) throws IOException {
        boolean alpha = transparency == BufferedImage.TRANSLUCENT;
        ComponentColorModel model = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB), alpha, false, transparency, DataBuffer.TYPE_USHORT);
        BufferedImage image = new BufferedImage(model, model.createCompatibleWritableRaster(w, h), false, null);
        int[] sample = Arrays.copyOf(colour, alpha ? 4 : 3);
        if (alpha) sample[3] = 0x8000;
        for (int i = 0; i < w * h; i++) image.getRaster().setPixel(i % w, i / w, sample);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, "png", out)).isTrue();
        return out.toByteArray();
    }

    private static byte[] jpegOfBands(int bands) throws IOException {
        WritableRaster raster = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, 24, 16, bands, null);
        for (int i = 0; i < 24 * 16 * bands; i++)
            raster.setSample(i / bands % 24, i / bands / 24, i % bands, 40 + 60 * (i % bands));
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream to = ImageIO.createImageOutputStream(out)) {
            writer.setOutput(to);
            writer.write(null, new IIOImage(raster, null, null), null);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    @Test
    void shouldDecodeFourInksAndSayHowTheyWereTaken() throws IOException, BadImageException {
        DecodedImage plain = ImageCodec.decode(jpegOfBands(4), DecodeSettings.defaults(), true);
        assertThat(plain.notes()).extracting(ImageNote::kind).contains(Kind.INKS);
        assertThat(plain.notes().get(0).text()).contains("CMYK", "Save it as RGB");
        // Each ink counts from full to none: what cyan, magenta and yellow leave of what black leaves.
        int[] expected = {40 * 220 / 255, 100 * 220 / 255, 160 * 220 / 255};
        for (int i = 0; i < plain.image().rgb().length; i++)
            assertThat(plain.image().rgb()[i] & 0xff).isBetween(expected[i % 3] - 4, expected[i % 3] + 4);
        // Adobe's marker says so itself.
        byte[] marked = jpegOfBands(4);
        byte[] adobe = {(byte) 0xff, (byte) 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0};
        byte[] file = Arrays.copyOf(marked, marked.length + adobe.length);
        System.arraycopy(adobe, 0, file, 2, adobe.length);
        System.arraycopy(marked, 2, file, 2 + adobe.length, marked.length - 2);
        DecodedImage said = ImageCodec.decode(file, DecodeSettings.defaults(), true);
        assertThat(said.notes()).extracting(ImageNote::kind).doesNotContain(Kind.INKS);
        assertThat(said.image().rgb()).isEqualTo(plain.image().rgb());
    }

    @Test
    void shouldDecodeGreyJpegs() throws IOException, BadImageException {
        RgbImage image = ImageCodec.decode(jpegOfBands(1), LIMITS);
        assertThat(image.width()).isEqualTo(24);
        assertThat(image.height()).isEqualTo(16);
        for (byte b : image.rgb()) assertThat(b & 0xff).isBetween(38, 42);
    }

    /**
     * Fit, evaluate and serve see the pixels as the sensor gave them; turning only some of them would part the map from
     * its mask.
     */
    @Test
    void shouldLeavePicturesAsTheSensorSawThem() throws BadImageException {
        byte[] exif = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0
        }; // Orientation 6: to be turned by 90 degrees.
        byte[] jpeg = ImageCodec.encodeJpeg(PICTURE, 90);
        ByteBuffer turned = ByteBuffer.allocate(jpeg.length + 10 + exif.length);
        turned.put(jpeg, 0, 2)
                .putShort((short) 0xffe1)
                .putShort((short) (8 + exif.length))
                .put(new byte[] {'E', 'x', 'i', 'f', 0, 0})
                .put(exif)
                .put(jpeg, 2, jpeg.length - 2);
        assertThat(ImageCodec.decode(turned.array(), LIMITS)).satisfies(i -> {
            assertThat(i.width()).isEqualTo(97);
            assertThat(i.rgb()).isEqualTo(ImageCodec.decode(jpeg, LIMITS).rgb());
        });
        byte[] png = ImageCodec.encodePng(PICTURE);
        int header = 8 + 25;
        ByteBuffer chunk = ByteBuffer.allocate(png.length + 12 + exif.length);
        CRC32 crc = new CRC32();
        crc.update(new byte[] {'e', 'X', 'I', 'f'});
        crc.update(exif);
        chunk.put(png, 0, header)
                .putInt(exif.length)
                .put(new byte[] {'e', 'X', 'I', 'f'})
                .put(exif)
                .putInt((int) crc.getValue())
                .put(png, header, png.length - header);
        assertThat(ImageCodec.decode(chunk.array(), LIMITS).rgb()).isEqualTo(PICTURE.rgb());
    }

    @Test
    void shouldMarkWhatIsNotBlackInAMask() throws IOException, BadImageException {
        byte[] grey = {0, 1, 2, (byte) 255};
        assertThat(ImageCodec.decodeMask(ImageCodec.encodeGrayPng(grey, 2, 2), LIMITS)
                        .gray())
                .containsExactly(0, 255, 255, 255);
        byte[] blue = {0, 0, 0, 0, 0, 1};
        assertThat(ImageCodec.decodeMask(ImageCodec.encodePng(new RgbImage(2, 1, blue)), LIMITS)
                        .gray())
                .containsExactly(0, 255);
        for (int type : new int[] {BufferedImage.TYPE_BYTE_INDEXED, BufferedImage.TYPE_BYTE_BINARY}) {
            BufferedImage image = new BufferedImage(9, 3, type);
            image.setRGB(4, 1, 0xffffffff);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(image, "png", out);
            byte[] marked = ImageCodec.decodeMask(out.toByteArray(), LIMITS).gray();
            for (int i = 0; i < 27; i++)
                assertThat(marked[i]).as("type %d, pixel %d", type, i).isEqualTo((byte) (i == 13 ? 255 : 0));
        }
    }

    @Test
    void shouldSeeNumberedRegionsInSixteenBitMasks() throws IOException, BadImageException {
        BufferedImage image = new BufferedImage(4, 1, BufferedImage.TYPE_USHORT_GRAY);
        int[] regions = {0, 1, 200, 0x300};
        for (int i = 0; i < 4; i++) image.getRaster().setSample(i, 0, 0, regions[i]);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        assertThat(ImageCodec.decodeMask(out.toByteArray(), LIMITS).gray()).containsExactly(0, 255, 255, 255);
        assertThat(ImageCodec.decodeMask(sixteenBits(3, 1, new int[] {0, 0, 7}, BufferedImage.OPAQUE), LIMITS)
                        .gray())
                .containsOnly(255);
        assertThat(ImageCodec.decodeMask(sixteenBits(3, 1, new int[] {0, 0, 0}, BufferedImage.TRANSLUCENT), LIMITS)
                        .gray())
                .containsOnly(0);
    }

    @Test
    void shouldRejectMasksWithLosses() {
        BadImageException e = catchThrowableOfType(
                BadImageException.class, () -> ImageCodec.decodeMask(ImageCodec.encodeJpeg(PICTURE, 90), LIMITS));
        assertThat(e.code()).isEqualTo(Code.UNSUPPORTED);
        assertThat(e).hasMessageContaining("save it as PNG");
    }

    @Test
    void shouldRejectEveryTruncation() {
        for (byte[] file : new byte[][] {ImageCodec.encodeJpeg(PICTURE, 90), ImageCodec.encodePng(PICTURE)}) {
            assertThat(refusal(new byte[0])).isEqualTo(Code.EMPTY);
            for (int n = 8; n < file.length; n += 7)
                assertThat(refusal(Arrays.copyOf(file, n)))
                        .as("first %d of %d bytes", n, file.length)
                        .isEqualTo(Code.CORRUPT);
            assertThat(refusal(Arrays.copyOf(file, file.length - 1))).isEqualTo(Code.CORRUPT);
        }
    }

    @Test
    void shouldIgnoreWhatFollowsTheEnd() throws BadImageException {
        for (byte[] file : new byte[][] {ImageCodec.encodeJpeg(PICTURE, 90), ImageCodec.encodePng(PICTURE)}) {
            assertThat(ImageCodec.decode(Arrays.copyOf(file, file.length + 500), LIMITS)
                            .rgb())
                    .isEqualTo(ImageCodec.decode(file, LIMITS).rgb());
        }
    }

    @Test
    void shouldRejectAHugeHeaderWithoutDecoding() {
        byte[] jpeg = ImageCodec.encodeJpeg(PICTURE, 50);
        for (int i = 2; i < jpeg.length - 9; i++) {
            if ((jpeg[i] & 0xff) == 0xff && (jpeg[i + 1] & 0xff) == 0xc0) {
                ByteBuffer.wrap(jpeg).putShort(i + 5, (short) 30_000).putShort(i + 7, (short) 30_000);
                break;
            }
        }
        assertThat(refusal(jpeg)).isEqualTo(Code.TOO_LARGE);
        byte[] png = ImageCodec.encodePng(PICTURE);
        ByteBuffer.wrap(png).putInt(16, 30_000).putInt(20, 30_000);
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        assertThat(refusal(png)).isEqualTo(Code.TOO_LARGE);
    }

    @Test
    void shouldRejectBeyondEachLimit() {
        byte[] png = ImageCodec.encodePng(PICTURE);
        assertThat(refusal(png, new ImageLimits(96, 1_000_000, 1_000_000))).isEqualTo(Code.TOO_LARGE);
        assertThat(refusal(png, new ImageLimits(97, 97 * 61 - 1, 1_000_000))).isEqualTo(Code.TOO_LARGE);
        assertThat(refusal(png, new ImageLimits(97, 97 * 61, png.length - 1))).isEqualTo(Code.TOO_LARGE);
    }

    @Test
    void shouldRejectOtherFormats() {
        for (String start : new String[] {
            "BM..............", "II*\0............", "GIF89a..........", "RIFF....WEBPVP8 ", "<svg>", "x"
        }) {
            assertThat(refusal(start.getBytes(StandardCharsets.ISO_8859_1)))
                    .as(start)
                    .isEqualTo(Code.UNSUPPORTED);
        }
    }

    @Test
    void shouldMakePicturesOfRawPixels() throws BadImageException {
        byte[] rgb = {1, 2, 3, 4, 5, 6};
        assertThat(ImageCodec.raw("RGB8", 2, 1, rgb, LIMITS).rgb())
                .containsExactly(1, 2, 3, 4, 5, 6)
                .isNotSameAs(rgb);
        assertThat(ImageCodec.raw("BGR8", 2, 1, rgb, LIMITS).rgb()).containsExactly(3, 2, 1, 6, 5, 4);
        assertThat(ImageCodec.raw("GRAY8", 2, 1, new byte[] {7, 8}, LIMITS).rgb())
                .containsExactly(7, 7, 7, 8, 8, 8);
        assertThat(rawRefusal("RGB8", 2, 2, rgb)).isEqualTo(Code.SIZE_MISMATCH);
        assertThat(rawRefusal("RGB8", 0, 2, rgb)).isEqualTo(Code.SIZE_MISMATCH);
        assertThat(rawRefusal("RGB8", 30_000, 30_000, rgb)).isEqualTo(Code.TOO_LARGE);
        assertThat(rawRefusal("YUV", 2, 1, rgb)).isEqualTo(Code.UNSUPPORTED);
        assertThat(rawRefusal(null, 2, 1, rgb)).isEqualTo(Code.UNSUPPORTED);
        assertThat(rawRefusal("GRAY8", 2, 1, new byte[0])).isEqualTo(Code.EMPTY);
    }

    private static Code rawRefusal(String encoding, int w, int h, byte[] pixels) {
        BadImageException e =
                catchThrowableOfType(BadImageException.class, () -> ImageCodec.raw(encoding, w, h, pixels, LIMITS));
        assertThat(e).isNotNull();
        return e.code();
    }

    @Test
    void shouldSurviveAnyDamage() {
        Random random = new Random(11);
        byte[][] files = {ImageCodec.encodeJpeg(PICTURE, 80), ImageCodec.encodePng(PICTURE)};
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] damaged = files[i % 2].clone();
            int flips = 1 + random.nextInt(8);
            // Half of them hit the headers, where the structure is.
            int span = random.nextBoolean() ? damaged.length : Math.min(damaged.length, 640);
            for (int f = 0; f < flips; f++) damaged[random.nextInt(span)] = (byte) random.nextInt(256);
            if (i % 4 == 1) repairChecksums(damaged);
            try {
                RgbImage image = ImageCodec.decode(damaged, new ImageLimits(4096, 4_000_000, 1 << 20));
                assertThat(image.rgb()).hasSize(3 * image.width() * image.height());
            } catch (BadImageException e) {
                refused++;
            }
        }
        assertThat(refused).isBetween(500, 2000);
    }

    /** So that damage gets past the checksums and into the decoder. */
    private static void repairChecksums(byte[] png) {
        ByteBuffer buffer = ByteBuffer.wrap(png);
        for (int at = 8; at + 12 <= png.length; ) {
            long length = buffer.getInt(at) & 0xffffffffL;
            if (length > png.length - at - 12) return;
            CRC32 crc = new CRC32();
            crc.update(png, at + 4, (int) length + 4);
            buffer.putInt(at + 8 + (int) length, (int) crc.getValue());
            at += 12 + (int) length;
        }
    }
}
