package io.linesight.mmad.image;

import java.util.zip.CRC32C;

/**
 * What can be said of an image without a model: whether the camera saw anything, whether it is in focus, and whether it
 * delivers the same image again and again.
 *
 * <p>Measured on a grid of at most {@value #MAX_SAMPLES} pixels at the image's own resolution, so it costs well under a
 * millisecond whatever the image's size; only {@code pixels} looks at all of them.
 *
 * @param brightness mean luminance, 0..1
 * @param contrast standard deviation of the luminance, 0..0.5
 * @param sharpness mean absolute difference of a pixel's luminance from its right and lower neighbour's, 0..1
 * @param darkShare share of pixels with a luminance below {@value #DARK} of 255
 * @param brightShare share of pixels with a luminance above {@value #BRIGHT} of 255
 * @param pixels CRC-32C of the decoded pixels, 0..2^32-1
 */
public record ImageQuality(
        float brightness, float contrast, float sharpness, float darkShare, float brightShare, long pixels) {

    private static final int MAX_SAMPLES = 65_536;
    private static final int DARK = 5;
    private static final int BRIGHT = 250;

    /** Measures an image; the same pixels always give the same figures. */
    public static ImageQuality of(RgbImage image) {
        int width = image.width();
        int height = image.height();
        byte[] rgb = image.rgb();
        int step = (int) Math.ceil(Math.sqrt((double) width * height / MAX_SAMPLES));
        int[] histogram = new int[256];
        long differences = 0;
        long neighbours = 0;
        for (int y = Math.min(step, height) / 2; y < height; y += step) {
            for (int x = Math.min(step, width) / 2; x < width; x += step) {
                int at = 3 * (y * width + x);
                int here = luminance(rgb, at);
                histogram[here]++;
                if (x + 1 < width) {
                    differences += Math.abs(here - luminance(rgb, at + 3));
                    neighbours++;
                }
                if (y + 1 < height) {
                    differences += Math.abs(here - luminance(rgb, at + 3 * width));
                    neighbours++;
                }
            }
        }
        return of(histogram, neighbours == 0 ? 0 : (float) (differences / 255.0 / neighbours), checksum(rgb));
    }

    private static ImageQuality of(int[] histogram, float sharpness, long pixels) {
        long count = 0;
        double sum = 0;
        double squares = 0;
        long dark = 0;
        long bright = 0;
        for (int v = 0; v < histogram.length; v++) {
            long n = histogram[v];
            count += n;
            sum += (double) n * v;
            squares += (double) n * v * v;
            if (v < DARK) dark += n;
            if (v > BRIGHT) bright += n;
        }
        double mean = sum / count;
        double deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
        return new ImageQuality(
                (float) (mean / 255),
                (float) (deviation / 255),
                sharpness,
                (float) ((double) dark / count),
                (float) ((double) bright / count),
                pixels);
    }

    private static long checksum(byte[] rgb) {
        CRC32C crc = new CRC32C();
        crc.update(rgb, 0, rgb.length);
        return crc.getValue();
    }

    /** By the weights of BT.601, rounded down. */
    private static int luminance(byte[] rgb, int at) {
        return 77 * (rgb[at] & 0xff) + 150 * (rgb[at + 1] & 0xff) + 29 * (rgb[at + 2] & 0xff) >> 8;
    }
}
