package io.linesight.mmad.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.mmad.image.BadImageException.Code;
import io.linesight.mmad.image.ImageNote.Kind;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.ImageIO;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;
import org.junit.jupiter.api.Test;

/** Files that are no JPEG, samples of other ranges, and what is said of them. */
class ImageFilesOfOtherKindsTest {
    private static final DecodeSettings SETTINGS = DecodeSettings.defaults();

    private static BufferedImage picture(int type) {
        BufferedImage image = new BufferedImage(20, 12, type);
        for (int i = 0; i < 240; i++) image.setRGB(i % 20, i / 20, 0xff000000 | i << 16 | (255 - i) << 8 | i * 7 % 256);
        return image;
    }

    private static byte[] write(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, format, out)).isTrue();
        return out.toByteArray();
    }

    private static byte[] webp(RgbImage image) {
        OpenCv.load();
        try (BytePointer bytes = new BytePointer(ImageCodec.swapRedAndBlue(image.rgb()));
                Mat mat = new Mat(image.height(), image.width(), opencv_core.CV_8UC3, bytes);
                BytePointer out = new BytePointer()) {
            assertThat(opencv_imgcodecs.imencode(".webp", mat, out)).isTrue();
            byte[] file = new byte[(int) out.limit()];
            out.get(file);
            return file;
        }
    }

    private static Code refusal(byte[] file) {
        BadImageException e =
                catchThrowableOfType(BadImageException.class, () -> ImageCodec.decodeFile(file, SETTINGS));
        assertThat(e).isNotNull();
        return e.code();
    }

    private static List<Kind> kinds(byte[] file, DecodeSettings settings) throws BadImageException {
        return ImageCodec.decodeFile(file, settings).notes().stream()
                .map(ImageNote::kind)
                .toList();
    }

    @Test
    void shouldReadBmpTiffAndWebpFilesWithTheSamePixels() throws IOException, BadImageException {
        byte[] png = write(picture(BufferedImage.TYPE_3BYTE_BGR), "png");
        RgbImage expected = ImageCodec.decodeFile(png, SETTINGS).image();
        byte[] bmp = write(picture(BufferedImage.TYPE_3BYTE_BGR), "bmp");
        byte[] tiff = write(picture(BufferedImage.TYPE_3BYTE_BGR), "tiff");
        for (byte[] file : List.of(bmp, tiff, webp(expected))) {
            DecodedImage read = ImageCodec.decodeFile(file, SETTINGS);
            assertThat(read.image().rgb()).isEqualTo(expected.rgb());
            assertThat(read.notes()).isEmpty();
            // Cameras' frames are JPEG or PNG.
            assertThat(catchThrowableOfType(
                                    BadImageException.class, () -> ImageCodec.decode(file, ImageLimits.defaults()))
                            .code())
                    .isEqualTo(Code.UNSUPPORTED);
        }
    }

    @Test
    void shouldRejectTheirTruncationsAndTheirHugeHeaders() throws IOException, BadImageException {
        byte[] bmp = write(picture(BufferedImage.TYPE_3BYTE_BGR), "bmp");
        byte[] tiff = write(picture(BufferedImage.TYPE_3BYTE_BGR), "tiff");
        byte[] webp = webp(ImageCodec.decodeFile(bmp, SETTINGS).image());
        for (byte[] file : List.of(bmp, tiff, webp))
            for (int percent = 35; percent < 100; percent += 15)
                assertThat(refusal(Arrays.copyOf(file, file.length * percent / 100)))
                        .as("%d %% of %s", percent, new String(file, 0, 4, StandardCharsets.ISO_8859_1))
                        .isEqualTo(Code.CORRUPT);
        ByteBuffer.wrap(bmp).putInt(18, 0x40000000);
        bmp[18] = 0;
        bmp[20] = 1;
        assertThat(refusal(bmp)).isEqualTo(Code.TOO_LARGE);
    }

    @Test
    void shouldNameWhatCannotBeRead() {
        for (String[] pair : new String[][] {
            {"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"},
            {"\0\0\0\014jP  \r\n", "a JPEG 2000"},
            {"\0\0\0\030ftypheic....", "a HEIC"},
            {"II+\0....", "a BigTIFF"},
            {"%PDF-1.7", "a PDF"}
        }) {
            byte[] file = pair[0].getBytes(StandardCharsets.ISO_8859_1);
            assertThat(catchThrowableOfType(BadImageException.class, () -> ImageCodec.decodeFile(file, SETTINGS)))
                    .hasMessageContaining(pair[1]);
        }
    }

    private static BufferedImage colours(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_INDEXED);
        for (int i = 0; i < width * height; i++)
            image.setRGB(i % width, i / width, i * i % 7 * 0x331100 | i % 5 * 0x33);
        return image;
    }

    @Test
    void shouldReadTheFirstImageOfAGif() throws IOException, BadImageException {
        // Small, with codes that grow to 12 bits, and so long that the table starts over.
        for (int[] size : new int[][] {{3, 2}, {90, 50}, {300, 200}}) {
            BufferedImage expected = colours(size[0], size[1]);
            byte[] file = write(expected, "gif");
            DecodedImage read = ImageCodec.decodeFile(file, SETTINGS);
            assertThat(read.image().width()).isEqualTo(size[0]);
            assertThat(read.notes()).isEmpty();
            for (int i = 0; i < size[0] * size[1]; i++) {
                int rgb = expected.getRGB(i % size[0], i / size[0]);
                assertThat(read.image().rgb()[3 * i]).isEqualTo((byte) (rgb >> 16));
                assertThat(read.image().rgb()[3 * i + 2]).isEqualTo((byte) rgb);
            }
            for (int cut = 1; cut < file.length; cut += Math.max(1, file.length / 40))
                assertThat(refusal(Arrays.copyOf(file, cut))).isIn(Code.CORRUPT, Code.UNSUPPORTED);
        }
    }

    @Test
    void shouldRejectAGifWhoseDataEndsBeforeItsValidEnd() throws IOException, BadImageException {
        byte[] file = write(colours(90, 50), "gif");
        int data = 13 + (3 << (file[10] & 7) + 1);
        // Extensions lie between the colours and the image.
        while (file[data] != 0x2c) data++;
        int block = data + 11;
        for (int blocks = 1; blocks <= 2; blocks++) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.write(file, 0, block + blocks * 256);
            out.write(0);
            out.write(0x3b);
            assertThat(refusal(out.toByteArray())).isEqualTo(Code.CORRUPT);
        }
        byte[] two = Arrays.copyOf(file, file.length + file.length - data - 1);
        System.arraycopy(file, data, two, file.length - 1, file.length - data);
        assertThat(kinds(two, SETTINGS)).containsExactly(Kind.PAGES);
        file[data + 5] = 1;
        assertThat(refusal(file)).as("an image outside").isEqualTo(Code.CORRUPT);
        file[7] = 0x7f;
        assertThat(refusal(file)).as("a huge header").isEqualTo(Code.TOO_LARGE);
    }

    private static byte[] grey16(int... samples) throws IOException {
        BufferedImage image = new BufferedImage(samples.length, 1, BufferedImage.TYPE_USHORT_GRAY);
        for (int i = 0; i < samples.length; i++) image.getRaster().setSample(i, 0, 0, samples[i]);
        return write(image, "png");
    }

    @Test
    void shouldSayWhenSamplesUseFewerOrMoreBitsThanAreRead() throws IOException, BadImageException {
        for (int bits : new int[] {10, 12, 14}) {
            int top = (1 << bits) - 1;
            byte[] file = grey16(0, top / 2 + 1, top);
            assertThat(kinds(file, SETTINGS)).as("%d bits", bits).containsExactly(Kind.RANGE);
            DecodedImage shifted = ImageCodec.decodeFile(file, SETTINGS.withSampleBits(bits));
            assertThat(shifted.notes()).isEmpty();
            assertThat(shifted.image().rgb()).startsWith(0, 0, 0, 128, 128, 128, 255, 255, 255);
        }
        assertThat(kinds(grey16(0, 0x8000, 0xffff), SETTINGS)).isEmpty();
        assertThat(kinds(grey16(0, 0x8000, 0xffff), SETTINGS.withSampleBits(12)))
                .containsExactly(Kind.RANGE);
    }

    @Test
    void shouldSayWhenEveryPixelIsTheSame() throws IOException, BadImageException {
        assertThat(kinds(grey16(0x7000, 0x7001, 0x7002), SETTINGS)).containsExactly(Kind.CONSTANT);
        byte[] grey = new byte[64];
        Arrays.fill(grey, (byte) 128);
        assertThat(kinds(ImageCodec.encodeGrayPng(grey, 8, 8), SETTINGS)).containsExactly(Kind.CONSTANT);
        assertThat(kinds(ImageCodec.encodeJpeg(new RgbImage(16, 16, new byte[768]), 90), SETTINGS))
                .containsExactly(Kind.CONSTANT);
        grey[63] = 127;
        assertThat(kinds(ImageCodec.encodeGrayPng(grey, 8, 8), SETTINGS)).isEmpty();
    }

    /** A TIFF of 3x2 samples with these tags besides. */
    private static byte[] tiff(int bits, int photometric, int orientation, int... samples) {
        int[][] tags = {
            {256, 3},
            {257, 2},
            {258, bits},
            {259, 1},
            {262, photometric},
            {273, 8},
            {274, orientation},
            {277, 1},
            {278, 2},
            {279, 6 * bits / 8}
        };
        ByteBuffer out = ByteBuffer.allocate(8 + 12 + 2 + 12 * tags.length + 4);
        out.put("MM\0*".getBytes(StandardCharsets.ISO_8859_1)).putInt(20);
        for (int s : samples) {
            if (bits == 16) out.putShort((short) s);
            else out.put((byte) s);
        }
        out.position(20);
        out.putShort((short) tags.length);
        for (int[] tag : tags)
            out.putShort((short) tag[0])
                    .putShort((short) 3)
                    .putInt(1)
                    .putShort((short) tag[1])
                    .putShort((short) 0);
        return out.array();
    }

    @Test
    void shouldReadTiffsThatCountFromWhite() throws BadImageException {
        byte[] expected = {0, 0, 0, 10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40, 50, 50, 50};
        byte[] black8 = tiff(8, 1, 1, 0, 10, 20, 30, 40, 50);
        byte[] white8 = tiff(8, 0, 1, 255, 245, 235, 225, 215, 205);
        byte[] black16 = tiff(16, 1, 1, 0, 2560, 5120, 7680, 10240, 12800);
        byte[] white16 = tiff(16, 0, 1, 65535, 62975, 60415, 57855, 55295, 52735);
        for (byte[] file : List.of(black8, white8, black16, white16))
            assertThat(ImageCodec.decodeFile(file, SETTINGS).image().rgb()).isEqualTo(expected);
    }

    @Test
    void shouldIgnoreEveryOrientationAndSayIt() throws BadImageException {
        byte[] plain = ImageCodec.decodeFile(tiff(8, 1, 1, 0, 10, 20, 30, 40, 50), SETTINGS)
                .image()
                .rgb();
        for (int orientation = 2; orientation <= 8; orientation++) {
            DecodedImage read = ImageCodec.decodeFile(tiff(8, 1, orientation, 0, 10, 20, 30, 40, 50), SETTINGS);
            assertThat(read.image().rgb()).as("orientation %d", orientation).isEqualTo(plain);
            assertThat(read.notes()).extracting(ImageNote::kind).containsExactly(Kind.ORIENTATION);
        }
    }

    private static byte[] chunk(String type, byte[] data) {
        ByteBuffer out = ByteBuffer.allocate(12 + data.length);
        CRC32 crc = new CRC32();
        crc.update(type.getBytes(StandardCharsets.ISO_8859_1));
        crc.update(data);
        return out.putInt(data.length)
                .put(type.getBytes(StandardCharsets.ISO_8859_1))
                .put(data)
                .putInt((int) crc.getValue())
                .array();
    }

    private static byte[] deflated(byte[] data) {
        Deflater deflater = new Deflater();
        deflater.setInput(data);
        deflater.finish();
        byte[] out = new byte[1000];
        return Arrays.copyOf(out, deflater.deflate(out));
    }

    private static byte[] concat(byte[]... parts) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) out.write(part);
        return out.toByteArray();
    }

    @Test
    void shouldTakeTheImageOfAnAnimatedPngAndNotItsFirstFrame() throws IOException, BadImageException {
        byte[] ihdr = chunk("IHDR", new byte[] {0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0, 0});
        byte[] fctl = chunk(
                "fcTL", new byte[] {0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0});
        byte[] idat = chunk("IDAT", deflated(new byte[] {0, 77, 88}));
        byte[] frame = concat(new byte[] {0, 0, 0, 1}, new byte[] {1, 2, 3});
        byte[] file = concat(
                PngFile.SIGNATURE,
                ihdr,
                chunk("acTL", new byte[] {0, 0, 0, 1, 0, 0, 0, 0}),
                idat,
                fctl,
                chunk("fdAT", frame),
                chunk("IEND", new byte[0]));
        DecodedImage read = ImageCodec.decodeFile(file, SETTINGS);
        assertThat(read.image().rgb()).containsExactly(77, 77, 77, 88, 88, 88);
        assertThat(read.notes()).extracting(ImageNote::kind).containsExactly(Kind.PAGES);
    }

    @Test
    void shouldRejectPngsWhoseDataEndsEarlyThoughEveryChecksumIsRight() throws IOException {
        byte[] ihdr = chunk("IHDR", new byte[] {0, 0, 0, 20, 0, 0, 0, 20, 8, 0, 0, 0, 0});
        byte[] rows = new byte[20 * 21];
        for (int i = 0; i < rows.length; i++) rows[i] = (byte) (i % 21 == 0 ? 0 : i * 37);
        byte[] whole = deflated(rows);
        for (byte[] data :
                List.of(Arrays.copyOf(whole, whole.length / 2), deflated(Arrays.copyOf(rows, 200)), new byte[] {
                    0x78, (byte) 0x9c, 0, 0, 0, 0, 0
                }))
            assertThat(refusal(concat(PngFile.SIGNATURE, ihdr, chunk("IDAT", data), chunk("IEND", new byte[0]))))
                    .isEqualTo(Code.CORRUPT);
    }
}
