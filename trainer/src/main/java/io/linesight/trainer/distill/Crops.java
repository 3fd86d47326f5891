package io.linesight.trainer.distill;

import io.linesight.mmad.image.RgbImage;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The endless stream of training images, by number: crop n of a seed is always the same, whoever asks and when.
 * Thread-safe.
 */
final class Crops {
    private final Photos photos;
    private final double photoShare;
    private final int side;
    private final long seed;

    /** @param photoShare share of crops cut from photographs, when there are any; the others are made up */
    Crops(Photos photos, double photoShare, int side, long seed) {
        this.photos = photos;
        this.photoShare = photos.isEmpty() ? 0 : photoShare;
        this.side = side;
        this.seed = seed;
    }

    int side() {
        return side;
    }

    /** Crop n >= 0 for training: planar RGB, {@code 3*side*side} bytes. */
    byte[] train(long n) {
        return crop(random(n, 0), false);
    }

    /** Crop n >= 0 to measure on: from photographs that training never sees, and scenes of other random numbers. */
    byte[] heldOut(long n) {
        return crop(random(n, 1), true);
    }

    private SplittableRandom random(long n, int stream) {
        SplittableRandom mixed = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + 2 * n + stream);
        return new SplittableRandom(mixed.nextLong() ^ n);
    }

    private byte[] crop(SplittableRandom r, boolean heldOut) {
        Canvas canvas = r.nextDouble() < photoShare ? cut(r, photos.any(r, heldOut)) : Scenes.paint(r, side);
        return Augment.apply(r, canvas);
    }

    /** A square of a photograph at a random scale, averaged where it shrinks and interpolated where it grows. */
    private Canvas cut(SplittableRandom r, RgbImage photo) {
        int minSide = Math.min(photo.width(), photo.height());
        double scale = Math.max(0.25 * Math.pow(8, r.nextDouble()), (double) side / minSide);
        double window = Math.min(minSide, side / scale);
        double step = window / side;
        double x0 = r.nextDouble() * (photo.width() - window);
        double y0 = r.nextDouble() * (photo.height() - window);
        int taps = Math.max(1, (int) Math.round(step));
        Canvas canvas = new Canvas(side);
        float f = 1 / (255f * taps * taps);
        float[] sum = new float[3];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                Arrays.fill(sum, 0);
                for (int j = 0; j < taps; j++) {
                    double v = y0 + (y + (j + 0.5) / taps) * step - 0.5;
                    for (int i = 0; i < taps; i++) addSample(photo, x0 + (x + (i + 0.5) / taps) * step - 0.5, v, sum);
                }
                for (int c = 0; c < 3; c++) canvas.rgb[c][y * side + x] = sum[c] * f;
            }
        }
        return canvas;
    }

    /** Adds the photograph's colour at (u, v), interpolated between the four pixels around it, 0..255. */
    private static void addSample(RgbImage photo, double u, double v, float[] sum) {
        byte[] rgb = photo.rgb();
        double cu = Math.max(0, Math.min(photo.width() - 1.001, u));
        double cv = Math.max(0, Math.min(photo.height() - 1.001, v));
        int iu = (int) cu;
        int iv = (int) cv;
        float fu = (float) (cu - iu);
        float fv = (float) (cv - iv);
        int a = 3 * (iv * photo.width() + iu);
        int b = a + 3 * photo.width();
        float wa = (1 - fu) * (1 - fv);
        float wb = fu * (1 - fv);
        float wc = (1 - fu) * fv;
        float wd = fu * fv;
        for (int c = 0; c < 3; c++) {
            sum[c] += wa * (rgb[a + c] & 255)
                    + wb * (rgb[a + 3 + c] & 255)
                    + wc * (rgb[b + c] & 255)
                    + wd * (rgb[b + 3 + c] & 255);
        }
    }
}
