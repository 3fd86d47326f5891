package io.linesight.trainer.distill;

import java.util.SplittableRandom;

/** What cameras and lighting do to an image, and the eight symmetries of the square. Stateless. */
final class Augment {
    private Augment() {}

    /** Changes the canvas and returns it as planar RGB bytes, turned and mirrored at random. */
    static byte[] apply(SplittableRandom r, Canvas canvas) {
        boolean grey = changeTones(r, canvas);
        double blur = r.nextDouble() < 0.25 ? 0.4 + 1.4 * r.nextDouble() : 0;
        if (blur > 0) for (float[] plane : canvas.rgb) blur(plane, canvas.side, blur);
        if (r.nextDouble() < 0.4) addNoise(r, canvas, grey);
        return turned(canvas, r.nextInt(8));
    }

    /** Exposure, colour and vignette; true when the image is grey now. */
    private static boolean changeTones(SplittableRandom r, Canvas canvas) {
        boolean grey = r.nextDouble() < 0.25;
        double gamma = r.nextDouble() < 0.5 ? 1 : Math.pow(2, (r.nextDouble() - 0.5) * 1.6);
        double contrast = r.nextDouble() < 0.5 ? 1 : 0.4 + 1.1 * r.nextDouble();
        double brightness = r.nextDouble() < 0.5 ? 0 : (r.nextDouble() - 0.5) * 0.4;
        double saturation = r.nextDouble() < 0.5 ? 1 : 1.6 * r.nextDouble();
        double[] gain = new double[3];
        boolean balance = r.nextDouble() < 0.3;
        for (int c = 0; c < 3; c++) gain[c] = balance ? 0.8 + 0.4 * r.nextDouble() : 1;
        if (r.nextDouble() < 0.3) vignette(r, canvas);
        float[][] rgb = canvas.rgb;
        // A table, for the exponent is dear and eight bits are all there is in the end.
        float[] curve = new float[1025];
        for (int i = 0; i < curve.length; i++)
            curve[i] = (float) ((Math.pow(i / 1024.0, gamma) - 0.5) * contrast + 0.5 + brightness);
        for (int i = 0; i < rgb[0].length; i++) {
            float luma = 0.299f * rgb[0][i] + 0.587f * rgb[1][i] + 0.114f * rgb[2][i];
            for (int c = 0; c < 3; c++) {
                float v = grey ? luma : (float) ((luma + saturation * (rgb[c][i] - luma)) * gain[c]);
                rgb[c][i] = curve[(int) (1024 * Math.max(0, Math.min(1, v)) + 0.5f)];
            }
        }
        return grey;
    }

    private static void addNoise(SplittableRandom r, Canvas canvas, boolean grey) {
        float[][] rgb = canvas.rgb;
        float sigma = (float) (0.004 * Math.pow(12, r.nextDouble()));
        boolean same = grey || r.nextBoolean();
        for (int i = 0; i < rgb[0].length; i++) {
            float n = sigma * gaussian(r);
            for (int c = 0; c < 3; c++) rgb[c][i] += same || c == 0 ? n : sigma * gaussian(r);
        }
    }

    /** Planar RGB bytes under one of the square's eight symmetries. */
    private static byte[] turned(Canvas canvas, int turn) {
        int side = canvas.side;
        float[][] rgb = canvas.rgb;
        byte[] out = new byte[3 * side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int u = (turn & 1) == 0 ? x : side - 1 - x;
                int v = (turn & 2) == 0 ? y : side - 1 - y;
                int from = (turn & 4) == 0 ? v * side + u : u * side + v;
                for (int c = 0; c < 3; c++)
                    out[(c * side + y) * side + x] = (byte) Math.max(0, Math.min(255, Math.round(255 * rgb[c][from])));
            }
        }
        return out;
    }

    /** Close enough to normal for noise, and cheap: the sum of four. */
    private static float gaussian(SplittableRandom r) {
        long bits = r.nextLong();
        long sum = (bits & 0xffff) + (bits >>> 16 & 0xffff) + (bits >>> 32 & 0xffff) + (bits >>> 48);
        return (sum - 131070) * (1.7320508f / 65536);
    }

    private static void vignette(SplittableRandom r, Canvas canvas) {
        int side = canvas.side;
        double cx = (0.2 + 0.6 * r.nextDouble()) * side;
        double cy = (0.2 + 0.6 * r.nextDouble()) * side;
        double fall = (0.2 + 0.8 * r.nextDouble()) / (side * side);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                float f = (float) (1 / (1 + fall * ((x - cx) * (x - cx) + (y - cy) * (y - cy))));
                for (int c = 0; c < 3; c++) canvas.rgb[c][y * side + x] *= f;
            }
        }
    }

    private static void blur(float[] plane, int side, double sigma) {
        int reach = (int) Math.ceil(2.5 * sigma);
        float[] kernel = new float[2 * reach + 1];
        float sum = 0;
        for (int i = -reach; i <= reach; i++) sum += kernel[i + reach] = (float) Math.exp(-i * i / (2 * sigma * sigma));
        for (int i = 0; i < kernel.length; i++) kernel[i] /= sum;
        float[] line = new float[side];
        for (int pass = 0; pass < 2; pass++) {
            int step = pass == 0 ? 1 : side;
            for (int k = 0; k < side; k++) {
                int start = pass == 0 ? k * side : k;
                for (int i = 0; i < side; i++) {
                    float v = 0;
                    for (int j = -reach; j <= reach; j++)
                        v += kernel[j + reach] * plane[start + step * Math.max(0, Math.min(side - 1, i + j))];
                    line[i] = v;
                }
                for (int i = 0; i < side; i++) plane[start + step * i] = line[i];
            }
        }
    }
}
