package io.linesight.mmad.image;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Antialiased bilinear resizing of 8-bit images with Pillow's arithmetic (triangle filter stretched by the reduction,
 * weights in fixed point with 22 fraction bits, horizontal pass first and rounded to 8 bits, then vertical), so that
 * pixels equal those the reference was trained and measured on.
 */
final class Resampler {
    private static final int PRECISION_BITS = 32 - 8 - 2;
    private static final int HALF = 1 << (PRECISION_BITS - 1);
    /** Cameras have few sizes; a hostile stream of ever new sizes must not fill the heap. */
    private static final int MAX_TABLES = 64;

    private static final Map<Long, Taps> TABLES = Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Taps> eldest) {
            return size() > MAX_TABLES;
        }
    });

    private Resampler() {}

    /** Output sample i is the sum over t of weight[i*width+t] * input[first[i]+t], t &lt; count[i]. */
    private record Taps(int width, int[] first, int[] count, int[] weight) {
        static Taps of(int in, int out) {
            return TABLES.computeIfAbsent((long) in << 32 | out, k -> compute(in, out));
        }

        private static Taps compute(int in, int out) {
            double scale = (double) in / out;
            double filterScale = Math.max(scale, 1.0);
            double support = filterScale;
            int width = (int) Math.ceil(support) * 2 + 1;
            double inverse = 1.0 / filterScale;
            int[] first = new int[out];
            int[] count = new int[out];
            int[] weight = new int[out * width];
            double[] w = new double[width];
            for (int i = 0; i < out; i++) {
                double center = (i + 0.5) * scale;
                int min = Math.max(0, (int) (center - support + 0.5));
                int max = Math.min(in, (int) (center + support + 0.5));
                int n = max - min;
                double sum = 0;
                for (int t = 0; t < n; t++) {
                    w[t] = Math.max(0.0, 1.0 - Math.abs((t + min - center + 0.5) * inverse));
                    sum += w[t];
                }
                for (int t = 0; t < n; t++) {
                    double v = sum != 0.0 ? w[t] / sum : w[t];
                    weight[i * width + t] = (int) (0.5 + v * (1 << PRECISION_BITS));
                }
                first[i] = min;
                count[i] = n;
            }
            return new Taps(width, first, count, weight);
        }
    }

    /**
     * Resizes interleaved 8-bit samples.
     *
     * @param pixels {@code height*width*channels} unsigned bytes, rows of interleaved channels
     * @param channels 1 or 3
     * @return planar: {@code channels*outHeight*outWidth}
     */
    static byte[] resizeToPlanar(byte[] pixels, int width, int height, int channels, int outWidth, int outHeight) {
        Taps across = width == outWidth ? null : Taps.of(width, outWidth);
        byte[] out = new byte[channels * outWidth * outHeight];
        int plane = outWidth * outHeight;
        int row = outWidth * channels;
        if (height == outHeight) {
            int[] line = new int[row];
            for (int y = 0; y < height; y++) {
                horizontal(pixels, y * width * channels, channels, outWidth, across, line, 0);
                for (int c = 0; c < channels; c++) {
                    int to = c * plane + y * outWidth;
                    for (int x = 0; x < outWidth; x++) out[to + x] = (byte) line[c * outWidth + x];
                }
            }
            return out;
        }
        Taps down = Taps.of(height, outHeight);
        // Only as many horizontally resized rows as one output row needs are alive: they stay in the cache.
        int ringRows = down.width;
        int[] ring = new int[ringRows * row];
        int[] sum = new int[row];
        int done = 0;
        for (int y = 0; y < outHeight; y++) {
            int first = down.first[y];
            int count = down.count[y];
            for (done = Math.max(done, first); done < first + count; done++) {
                horizontal(pixels, done * width * channels, channels, outWidth, across, ring, done % ringRows * row);
            }
            Arrays.fill(sum, HALF);
            for (int t = 0; t < count; t++) {
                accumulate(sum, ring, (first + t) % ringRows * row, down.weight[y * down.width + t], row);
            }
            for (int c = 0; c < channels; c++) {
                int to = c * plane + y * outWidth;
                for (int x = 0; x < outWidth; x++) out[to + x] = (byte) (sum[c * outWidth + x] >> PRECISION_BITS);
            }
        }
        return out;
    }

    private static void accumulate(int[] sum, int[] ring, int from, int weight, int n) {
        for (int i = 0; i < n; i++) sum[i] += ring[from + i] * weight;
    }

    /**
     * One row, interleaved in, planar out (values 0..255). Weights are not negative and sum to about 1, so nothing can
     * leave 0..255.
     */
    private static void horizontal(byte[] pixels, int from, int channels, int outWidth, Taps taps, int[] line, int to) {
        if (taps == null) {
            for (int x = 0; x < outWidth; x++) {
                for (int c = 0; c < channels; c++) line[to + c * outWidth + x] = pixels[from + x * channels + c] & 0xff;
            }
        } else if (channels == 3) {
            int[] weight = taps.weight;
            for (int x = 0; x < outWidth; x++) {
                int p = from + taps.first[x] * 3;
                int w = x * taps.width;
                int end = w + taps.count[x];
                int r = HALF;
                int g = HALF;
                int b = HALF;
                for (; w < end; w++, p += 3) {
                    int k = weight[w];
                    r += (pixels[p] & 0xff) * k;
                    g += (pixels[p + 1] & 0xff) * k;
                    b += (pixels[p + 2] & 0xff) * k;
                }
                line[to + x] = r >> PRECISION_BITS;
                line[to + outWidth + x] = g >> PRECISION_BITS;
                line[to + 2 * outWidth + x] = b >> PRECISION_BITS;
            }
        } else {
            for (int x = 0; x < outWidth; x++) {
                int p = from + taps.first[x];
                int w = x * taps.width;
                int sum = HALF;
                for (int end = w + taps.count[x]; w < end; w++) sum += (pixels[p++] & 0xff) * taps.weight[w];
                line[to + x] = sum >> PRECISION_BITS;
            }
        }
    }
}
