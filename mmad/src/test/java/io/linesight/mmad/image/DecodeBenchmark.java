package io.linesight.mmad.image;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * What the checks of an image file cost: processor time of a frame decoded with them, relative to the native decoder
 * alone, in turns in one run, so that a busy machine spoils both alike; and the checks' own throughput. Main arguments:
 * image files; default made-up ones of 320x320 and 1280x1024 pixels. {@code -Dseconds=N} sets the time for each, 6 by
 * default.
 */
public final class DecodeBenchmark {
    /** Of the thread: other work on the machine does not count. */
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

    private static final int ROUND_NANOS = 20_000_000;

    private DecodeBenchmark() {}

    public static void main(String[] args) throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (String file : args) files.put(Path.of(file).getFileName().toString(), Files.readAllBytes(Path.of(file)));
        if (args.length == 0) {
            for (int[] size : new int[][] {{320, 320}, {1280, 1024}}) {
                RgbImage image = part(size[0], size[1]);
                String name = size[0] + "x" + size[1] + " ";
                for (int quality : new int[] {75, 90, 95})
                    files.put(name + "JPEG " + quality, ImageCodec.encodeJpeg(image, quality));
                files.put(name + "PNG", ImageCodec.encodePng(image));
            }
        }
        double seconds = Double.parseDouble(System.getProperty("seconds", "6"));
        for (Map.Entry<String, byte[]> file : files.entrySet()) measure(file.getValue(), seconds / 6);
        System.out.printf(
                "%-24s %9s %12s %12s %12s %7s%n", "file", "KiB", "alone us", "checked us", "check MB/s", "ratio");
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            double[] m = measure(file.getValue(), seconds);
            System.out.printf(
                    Locale.ROOT,
                    "%-24s %9.1f %12.1f %12.1f %12.0f %7.3f%n",
                    file.getKey(),
                    file.getValue().length / 1024.0,
                    m[0] / 1e3,
                    m[1] / 1e3,
                    file.getValue().length * 1e3 / m[2],
                    m[3]);
        }
    }

    private interface Work {
        void run() throws BadImageException;
    }

    /** Medians in nanoseconds of decoding alone, of decoding with checks and of the checks; and the median ratio. */
    private static double[] measure(byte[] file, double seconds) throws BadImageException {
        DecodeSettings settings = DecodeSettings.defaults();
        ImageHeader header = ImageHeader.check(file, settings.limits(), true);
        Work[] works = {
            () -> ImageCodec.decodeUnchecked(file, header),
            () -> ImageCodec.decode(file, settings, true),
            () -> ImageHeader.check(file, settings.limits(), true)
        };
        int rounds = (int) Math.max(5, seconds * 1e9 / ROUND_NANOS / works.length);
        double[][] nanos = new double[4][rounds];
        for (int r = 0; r < rounds; r++) {
            for (int w = 0; w < works.length; w++) nanos[w][r] = once(works[w]);
            nanos[3][r] = nanos[1][r] / nanos[0][r];
        }
        double[] medians = new double[4];
        for (int i = 0; i < 4; i++) {
            Arrays.sort(nanos[i]);
            medians[i] = nanos[i][rounds / 2];
        }
        return medians;
    }

    private static double once(Work work) throws BadImageException {
        long begin = CLOCK.getCurrentThreadCpuTime();
        long now;
        int n = 0;
        do {
            work.run();
            n++;
            now = CLOCK.getCurrentThreadCpuTime();
        } while (now - begin < ROUND_NANOS);
        return (double) (now - begin) / n;
    }

    /** A part on a bench: edges, a gradient of light, and a sensor's noise. */
    private static RgbImage part(int width, int height) {
        Random random = new Random(7);
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double r = Math.hypot(x - width / 2.0, y - height / 2.0) / Math.min(width, height);
                double light = 60 + 40.0 * x / width;
                double value =
                        r < 0.35 ? 190 - 100 * r : r < 0.4 ? 40 : light + 12 * Math.sin(x * 0.21) * Math.sin(y * 0.17);
                for (int c = 0; c < 3; c++)
                    rgb[3 * (y * width + x) + c] =
                            (byte) Math.max(0, Math.min(255, value * (1 - 0.08 * c) + 2.5 * random.nextGaussian()));
            }
        }
        return new RgbImage(width, height, rgb);
    }
}
