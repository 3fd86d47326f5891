package io.linesight.simulator;

import java.util.Arrays;

/**
 * What the camera sees before light falls on it: colour, height, gloss and texture per pixel, and the mask of what is
 * wrong. One thread.
 */
final class Scene {
    final int side;
    final float[] red;
    final float[] green;
    final float[] blue;
    final float[] height;
    final float[] gloss;
    final float[] texture;
    final byte[] material;
    final byte[] mask;
    final float[] work;

    /** Pose of the part: rotation about its centre and a shift in pixels. */
    record Pose(float cos, float sin, float dx, float dy) {
        static Pose of(double angle, double dx, double dy) {
            return new Pose((float) Math.cos(angle), (float) Math.sin(angle), (float) dx, (float) dy);
        }
    }

    Scene(int side) {
        this.side = side;
        int n = side * side;
        red = new float[n];
        green = new float[n];
        blue = new float[n];
        height = new float[n];
        gloss = new float[n];
        texture = new float[n];
        material = new byte[n];
        mask = new byte[n];
        work = new float[n];
    }

    void clearMask() {
        Arrays.fill(mask, (byte) 0);
    }

    void copyFrom(Scene o) {
        System.arraycopy(o.red, 0, red, 0, red.length);
        System.arraycopy(o.green, 0, green, 0, red.length);
        System.arraycopy(o.blue, 0, blue, 0, red.length);
        System.arraycopy(o.height, 0, height, 0, red.length);
        System.arraycopy(o.gloss, 0, gloss, 0, red.length);
        System.arraycopy(o.texture, 0, texture, 0, red.length);
        System.arraycopy(o.material, 0, material, 0, red.length);
        clearMask();
    }

    /** Places the layer under the pose; texture comes from the tile at an offset that differs from part to part. */
    void place(Layer layer, Pose pose, float[] tile, int offsetU, int offsetV) {
        float c = side / 2f - 0.5f;
        float lc = layer.side / 2f - 0.5f;
        int n = layer.side;
        float[] d = layer.data;
        for (int y = 0; y < side; y++) {
            float py = y - c - pose.dy();
            for (int x = 0; x < side; x++) {
                float px = x - c - pose.dx();
                float lx = pose.cos() * px + pose.sin() * py + lc;
                float ly = -pose.sin() * px + pose.cos() * py + lc;
                lx = Math.max(0, Math.min(n - 1.001f, lx));
                ly = Math.max(0, Math.min(n - 1.001f, ly));
                int x0 = (int) lx;
                int y0 = (int) ly;
                float fx = lx - x0;
                float fy = ly - y0;
                float w11 = fx * fy;
                float w10 = fy - w11;
                float w01 = fx - w11;
                float w00 = 1 - fx - w10;
                int k = (y0 * n + x0) * Layer.CHANNELS;
                int k2 = k + n * Layer.CHANNELS;
                int i = y * side + x;
                red[i] = w00 * d[k] + w01 * d[k + 6] + w10 * d[k2] + w11 * d[k2 + 6];
                green[i] = w00 * d[k + 1] + w01 * d[k + 7] + w10 * d[k2 + 1] + w11 * d[k2 + 7];
                blue[i] = w00 * d[k + 2] + w01 * d[k + 8] + w10 * d[k2 + 2] + w11 * d[k2 + 8];
                height[i] = w00 * d[k + 3] + w01 * d[k + 9] + w10 * d[k2 + 3] + w11 * d[k2 + 9];
                gloss[i] = w00 * d[k + 4] + w01 * d[k + 10] + w10 * d[k2 + 4] + w11 * d[k2 + 10];
                float strength = w00 * d[k + 5] + w01 * d[k + 11] + w10 * d[k2 + 5] + w11 * d[k2 + 11];
                int near = (fy < 0.5f ? y0 : y0 + 1) * n + (fx < 0.5f ? x0 : x0 + 1);
                texture[i] = strength * Noise.at(tile, layer.u[near] + offsetU, layer.v[near] + offsetV);
                material[i] = layer.material[near];
            }
        }
    }

    /** Marks the pixels in which this scene differs from the other: for features that are missing or misplaced. */
    void markDifference(Scene clean) {
        for (int i = 0; i < mask.length; i++) {
            float d = Math.abs(red[i] - clean.red[i])
                    + Math.abs(green[i] - clean.green[i])
                    + Math.abs(blue[i] - clean.blue[i])
                    + 0.1f * Math.abs(height[i] - clean.height[i])
                    + 0.2f * Math.abs(gloss[i] - clean.gloss[i]);
            if (d > 0.05f) mask[i] = 1;
        }
    }
}
