package io.linesight.trainer.distill;

import io.linesight.mmad.image.RgbImage;
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
        int shortest = Math.min(photo.width(), photo.height());
        double scale = Math.max(0.25 * Math.pow(8, r.nextDouble()), (double) side / shortest);
        double window = Math.min(shortest, side / scale);
        double step = window / side;
        double x0 = r.nextDouble() * (photo.width() - window);
        double y0 = r.nextDouble() * (photo.height() - window);
        int taps = Math.max(1, (int) Math.round(step));
        Canvas canvas = new Canvas(side);
        byte[] rgb = photo.rgb();
        float f = 1 / (255f * taps * taps);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                float red = 0;
                float green = 0;
                float blue = 0;
                for (int j = 0; j < taps; j++) {
                    double v = Math.max(0, Math.min(photo.height() - 1.001, y0 + (y + (j + 0.5) / taps) * step - 0.5));
                    int iv = (int) v;
                    float fv = (float) (v - iv);
                    for (int i = 0; i < taps; i++) {
                        double u =
                                Math.max(0, Math.min(photo.width() - 1.001, x0 + (x + (i + 0.5) / taps) * step - 0.5));
                        int iu = (int) u;
                        float fu = (float) (u - iu);
                        int a = 3 * (iv * photo.width() + iu);
                        int b = a + 3 * photo.width();
                        float wa = (1 - fu) * (1 - fv);
                        float wb = fu * (1 - fv);
                        float wc = (1 - fu) * fv;
                        float wd = fu * fv;
                        red += wa * (rgb[a] & 255)
                                + wb * (rgb[a + 3] & 255)
                                + wc * (rgb[b] & 255)
                                + wd * (rgb[b + 3] & 255);
                        green += wa * (rgb[a + 1] & 255)
                                + wb * (rgb[a + 4] & 255)
                                + wc * (rgb[b + 1] & 255)
                                + wd * (rgb[b + 4] & 255);
                        blue += wa * (rgb[a + 2] & 255)
                                + wb * (rgb[a + 5] & 255)
                                + wc * (rgb[b + 2] & 255)
                                + wd * (rgb[b + 5] & 255);
                    }
                }
                int at = y * side + x;
                canvas.rgb[0][at] = red * f;
                canvas.rgb[1][at] = green * f;
                canvas.rgb[2][at] = blue * f;
            }
        }
        return canvas;
    }
}
