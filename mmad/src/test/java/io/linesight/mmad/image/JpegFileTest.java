package io.linesight.mmad.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.mmad.image.BadImageException.Code;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is missing of a JPEG is found where its end looks valid, and what decoders accept is accepted. */
class JpegFileTest {
    private static final ImageLimits LIMITS = ImageLimits.defaults();

    /** How a file is written: progressive, optimised tables, units between restarts, sampling factors, grey. */
    private record Kind(boolean progressive, boolean optimised, int restart, int sampling, boolean grey) {}

    private static Stream<Kind> kinds() {
        return Stream.of(
                new Kind(false, false, 0, 0x221111, false),
                new Kind(false, true, 0, 0x111111, false),
                new Kind(false, false, 7, 0x211111, false),
                new Kind(false, true, 0, 0x111111, true),
                new Kind(true, true, 0, 0x221111, false),
                new Kind(true, true, 5, 0x121111, false),
                new Kind(true, true, 0, 0x111111, true));
    }

    /** Waves and noise, in colours. */
    private static byte[] jpeg(Kind kind, int width, int height, int quality) {
        OpenCv.load();
        Random random = new Random(7);
        int channels = kind.grey ? 1 : 3;
        byte[] samples = new byte[channels * width * height];
        for (int i = 0; i < samples.length; i++)
            samples[i] =
                    (byte) (128 + 60 * Math.sin(i / channels % width * 0.1 + i % channels) + 8 * random.nextGaussian());
        int[] parameters = {
            opencv_imgcodecs.IMWRITE_JPEG_QUALITY,
            quality,
            opencv_imgcodecs.IMWRITE_JPEG_PROGRESSIVE,
            kind.progressive ? 1 : 0,
            opencv_imgcodecs.IMWRITE_JPEG_OPTIMIZE,
            kind.optimised ? 1 : 0,
            opencv_imgcodecs.IMWRITE_JPEG_RST_INTERVAL,
            kind.restart,
            opencv_imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR,
            kind.sampling
        };
        try (BytePointer bytes = new BytePointer(samples);
                Mat image = new Mat(height, width, opencv_core.CV_8UC(channels), bytes);
                BytePointer out = new BytePointer();
                IntPointer options = new IntPointer(parameters)) {
            assertThat(opencv_imgcodecs.imencode(".jpg", image, out, options)).isTrue();
            byte[] file = new byte[(int) out.limit()];
            out.get(file);
            return file;
        }
    }

    private static void assertCorrupt(byte[] file, String what) {
        BadImageException e = catchThrowableOfType(BadImageException.class, () -> ImageCodec.decode(file, LIMITS));
        assertThat(e).as(what).isNotNull();
        assertThat(e.code()).as(what).isEqualTo(Code.CORRUPT);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldDecodeEveryKindOfEverySize(Kind kind) {
        for (int[] size : new int[][] {{1, 1}, {8, 8}, {17, 9}, {97, 61}, {200, 33}}) {
            for (int quality : new int[] {20, 75, 100}) {
                byte[] file = jpeg(kind, size[0], size[1], quality);
                assertThatCode(() -> ImageCodec.decode(file, LIMITS))
                        .as("%s %s %d", kind, Arrays.toString(size), quality)
                        .doesNotThrowAnyException();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldRejectAFileThatWasCutThoughItEndsWell(Kind kind) {
        byte[] file = jpeg(kind, 300, 200, 90);
        for (int percent = 30; percent < 98; percent += 9) {
            byte[] cut = Arrays.copyOf(file, file.length * percent / 100);
            cut[cut.length - 2] = (byte) 0xff;
            cut[cut.length - 1] = (byte) 0xd9;
            assertCorrupt(cut, kind + " cut at " + percent + " %");
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldRejectAFileThatLacksAPieceInTheMiddle(Kind kind) {
        byte[] file = jpeg(kind, 300, 200, 90);
        for (int percent = 30; percent < 80; percent += 9) {
            int at = file.length * percent / 100;
            byte[] holed = new byte[file.length - 1400]; // A packet of a network camera.
            System.arraycopy(file, 0, holed, 0, at);
            System.arraycopy(file, at + 1400, holed, at, holed.length - at);
            assertCorrupt(holed, kind + " without 1400 bytes at " + percent + " %");
        }
    }

    /** Of large files several codes are looked up at once, by tables that small ones do not make up for. */
    @ParameterizedTest
    @MethodSource("kinds")
    void shouldFindTheEndOfALargeFileToTheBlock(Kind kind) {
        byte[] file = jpeg(kind, 640, 480, 95);
        assertThat(file.length).isGreaterThan(UnitTable.WORTH);
        assertThatCode(() -> ImageCodec.decode(file, LIMITS)).doesNotThrowAnyException();
        for (int missing : new int[] {40, 400, 20_000}) {
            byte[] cut = Arrays.copyOf(file, file.length - missing);
            cut[cut.length - 2] = (byte) 0xff;
            cut[cut.length - 1] = (byte) 0xd9;
            assertCorrupt(cut, kind + " without its last " + missing + " bytes");
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldRejectZerosInPlaceOfData(Kind kind) {
        byte[] file = jpeg(kind, 300, 200, 90);
        for (int percent = 30; percent < 80; percent += 9) {
            byte[] zeros = file.clone();
            int at = file.length * percent / 100;
            Arrays.fill(zeros, at, at + 1024, (byte) 0); // Two sectors of a disk.
            assertCorrupt(zeros, kind + " with zeros at " + percent + " %");
        }
    }

    @Test
    void shouldSkipWhatStandsBeforeTheStart() throws BadImageException {
        byte[] file = jpeg(new Kind(false, false, 0, 0x221111, false), 40, 30, 90);
        byte[] expected = ImageCodec.decode(file, LIMITS).rgb();
        for (String before :
                new String[] {"\r\n", "\0\0\0\0", "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 4711\r\n\r\n"
                }) {
            byte[] head = before.getBytes(StandardCharsets.ISO_8859_1);
            byte[] all = Arrays.copyOf(head, head.length + file.length);
            System.arraycopy(file, 0, all, head.length, file.length);
            assertThat(ImageCodec.decode(all, LIMITS).rgb()).as(before).isEqualTo(expected);
            assertCorrupt(Arrays.copyOf(all, all.length - 40), before + "and cut");
        }
    }

    @Test
    void shouldSkipStrayBytesBetweenSegments() throws BadImageException {
        byte[] file = jpeg(new Kind(false, false, 0, 0x221111, false), 40, 30, 90);
        byte[] expected = ImageCodec.decode(file, LIMITS).rgb();
        int second = 4 + ((file[4] & 0xff) << 8 | file[5] & 0xff);
        for (byte[] stray : new byte[][] {{0}, {0, 0, 0}, {0x55, (byte) 0xff, 0, 1}}) {
            byte[] all = new byte[file.length + stray.length];
            System.arraycopy(file, 0, all, 0, second);
            System.arraycopy(stray, 0, all, second, stray.length);
            System.arraycopy(file, second, all, second + stray.length, file.length - second);
            assertThat(ImageCodec.decode(all, LIMITS).rgb())
                    .as(Arrays.toString(stray))
                    .isEqualTo(expected);
        }
    }

    @Test
    void shouldBearAFewExtraBytesBeforeTheEnd() {
        byte[] file = jpeg(new Kind(false, false, 0, 0x221111, false), 40, 30, 90);
        for (byte[] extra : new byte[][] {{0x12}, {0x12, 0x34, 0x56}, new byte[600]}) {
            byte[] all = Arrays.copyOf(file, file.length + extra.length);
            System.arraycopy(extra, 0, all, file.length - 2, extra.length);
            all[all.length - 2] = (byte) 0xff;
            all[all.length - 1] = (byte) 0xd9;
            assertThatCode(() -> ImageCodec.decode(all, LIMITS)).doesNotThrowAnyException();
        }
    }

    @Test
    void shouldDecodeTheFramesOfMotionJpegThatLeaveTheStandardTablesOut() throws BadImageException {
        byte[] file = jpeg(new Kind(false, false, 0, 0x221111, false), 80, 60, 80);
        byte[] expected = ImageCodec.decode(file, LIMITS).rgb();
        byte[] without = new byte[file.length];
        int n = 2;
        System.arraycopy(file, 0, without, 0, 2);
        int at = 2;
        while ((file[at + 1] & 0xff) != 0xda) {
            int length = 2 + ((file[at + 2] & 0xff) << 8 | file[at + 3] & 0xff);
            if ((file[at + 1] & 0xff) != 0xc4) {
                System.arraycopy(file, at, without, n, length);
                n += length;
            }
            at += length;
        }
        System.arraycopy(file, at, without, n, file.length - at);
        assertThat(ImageCodec.decode(Arrays.copyOf(without, n + file.length - at), LIMITS)
                        .rgb())
                .isEqualTo(expected);
    }
}
