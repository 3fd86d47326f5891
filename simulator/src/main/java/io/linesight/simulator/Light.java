package io.linesight.simulator;

import java.util.SplittableRandom;

/** Lamp and sensor: drift slowly from frame to frame, differ from camera to camera. */
final class Light {
    private static final float[] GAUSS = Noise.gaussian(4711, 1 << 16);
    final float lx;
    final float ly;
    final float lz;
    final float exposure;
    final float gradientX;
    final float gradientY;
    final float warm;

    private Light(float lx, float ly, float lz, float exposure, float gradientX, float gradientY, float warm) {
        this.lx = lx;
        this.ly = ly;
        this.lz = lz;
        this.exposure = exposure;
        this.gradientX = gradientX;
        this.gradientY = gradientY;
        this.warm = warm;
    }

    /** The lamp of a camera at one moment of its life. */
    static Light at(long seed, int camera, long sequence, double drift, Lamp lamp) {
        SplittableRandom camRandom = new SplittableRandom(Noise.mix(seed, camera, 11));
        double phase = camRandom.nextDouble() * 2 * Math.PI;
        double phase2 = camRandom.nextDouble() * 2 * Math.PI;
        double period = 420 + 300 * camRandom.nextDouble();
        double azimuth = -2.3 + 0.25 * (camRandom.nextDouble() - 0.5) + lamp.turn();
        double moment = sequence * drift;
        double slow = Math.sin(2 * Math.PI * moment / period + phase);
        double slower = Math.sin(2 * Math.PI * moment / (period * 2.7) + phase2);
        SplittableRandom now = new SplittableRandom(Noise.mix(seed, camera, sequence, 12));
        azimuth += 0.12 * slow;
        double elevation = 0.95 + 0.03 * slower;
        double exposure = lamp.brightness() * (1 + 0.05 * slower + 0.015 * (now.nextDouble() - 0.5));
        return new Light(
                (float) (Math.cos(azimuth) * Math.cos(elevation)),
                (float) (Math.sin(azimuth) * Math.cos(elevation)),
                (float) Math.sin(elevation),
                (float) exposure,
                (float) (0.05 * slow),
                (float) (0.05 * slower),
                (float) (lamp.warmth() + 0.02 * slow));
    }

    /** Shades the scene into RGB 0..1 planes (interleaved), before blur and noise. */
    void shade(Scene s, float heightGain, float textureColour, float textureHeight, float[] out) {
        int n = s.side;
        float hx = lx;
        float hy = ly;
        float hz = lz + 1;
        float hl = (float) (1 / Math.sqrt(hx * hx + hy * hy + hz * hz));
        hx *= hl;
        hy *= hl;
        hz *= hl;
        float[] h = s.work;
        for (int i = 0; i < h.length; i++) h[i] = s.height[i] * heightGain + s.texture[i] * textureHeight;
        float inv = 1f / n;
        for (int y = 0; y < n; y++) {
            int up = y == 0 ? 0 : -n;
            int down = y == n - 1 ? 0 : n;
            float vy = y * inv - 0.5f;
            for (int x = 0; x < n; x++) {
                int i = y * n + x;
                float gx = (h[x == n - 1 ? i : i + 1] - h[x == 0 ? i : i - 1]) * 0.5f;
                float gy = (h[i + down] - h[i + up]) * 0.5f;
                float nl = (float) (1 / Math.sqrt(gx * gx + gy * gy + 1));
                float diffuse = Math.max(0, (-gx * lx - gy * ly + lz) * nl);
                float spec = Math.max(0, (-gx * hx - gy * hy + hz) * nl);
                spec *= spec;
                spec *= spec;
                spec *= spec;
                spec *= spec;
                spec *= spec;
                float vx = x * inv - 0.5f;
                float field =
                        exposure * (1 + gradientX * vx * 2 + gradientY * vy * 2 - 0.22f * (vx * vx + vy * vy) * 2);
                float t = 1 + textureColour * s.texture[i];
                float lamp = field * (0.34f + 0.80f * diffuse) * t;
                float shine = field * s.gloss[i] * spec * 0.55f;
                out[3 * i] = s.red[i] * lamp * (1 + warm) + shine;
                out[3 * i + 1] = s.green[i] * lamp + shine;
                out[3 * i + 2] = s.blue[i] * lamp * (1 - warm) + shine;
            }
        }
    }

    /** Lens softness, shoulder of the sensor's curve, shot and read noise, quantisation. */
    static byte[] expose(float[] linear, int n, SplittableRandom random) {
        byte[] rgb = new byte[n * n * 3];
        int row = n * 3;
        float[] soft = new float[row];
        for (int y = 0; y < n; y++) {
            int base = y * row;
            int up = y == 0 ? 0 : -row;
            int down = y == n - 1 ? 0 : row;
            for (int k = 0; k < row; k++)
                soft[k] = 0.13f * (linear[base + k + up] + linear[base + k + down]) + 0.74f * linear[base + k];
            int at = random.nextInt(1 << 16);
            for (int k = 0; k < row; k++) {
                float left = soft[k < 3 ? k : k - 3];
                float right = soft[k >= row - 3 ? k : k + 3];
                float v = 0.13f * (left + right) + 0.74f * soft[k];
                if (v > 0.8f) v = 0.8f + (v - 0.8f) / (1 + 2.2f * (v - 0.8f));
                v += GAUSS[(at + k * 3) & 0xFFFF] * (0.004f + 0.007f * v);
                int q = (int) (v * 255 + 0.5f);
                rgb[base + k] = (byte) (q < 0 ? 0 : Math.min(q, 255));
            }
        }
        return rgb;
    }
}
