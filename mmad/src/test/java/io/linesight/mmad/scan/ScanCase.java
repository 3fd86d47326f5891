package io.linesight.mmad.scan;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.SplittableRandom;

/** A random scan problem in plain arrays, with the layouts of {@link ScanData} and a leading batch axis. */
public record ScanCase(
        ScanShape shape,
        float[] x,
        float[] dt,
        float[] b,
        float[] c,
        float[] a,
        float[] skip,
        float[] bias,
        int[] order) {

    public static ScanCase random(long seed, int batch, int length, int groups, int width, int directions, int states) {
        SplittableRandom random = new SplittableRandom(seed);
        ScanShape s = new ScanShape(batch, length, groups, width, directions, states);
        int channels = s.channels();
        float[] a = new float[directions * channels * states];
        for (int i = 0; i < a.length; i++) a[i] = (float) (-(i % states + 1) * (0.8 + 0.4 * random.nextDouble()));
        int[] order = new int[directions * length];
        for (int k = 0; k < directions; k++) shuffle(order, k * length, length, random);
        return new ScanCase(
                s,
                uniform(random, batch * length * channels, -1, 1),
                uniform(random, batch * length * directions * channels, -1, 1),
                uniform(random, batch * s.gateValues(), -1, 1),
                uniform(random, batch * s.gateValues(), -1, 1),
                a,
                uniform(random, channels, 4, 12),
                uniform(random, directions * channels, -7, -2),
                order);
    }

    private static float[] uniform(SplittableRandom random, int count, double low, double high) {
        float[] out = new float[count];
        for (int i = 0; i < count; i++) out[i] = (float) (low + (high - low) * random.nextDouble());
        return out;
    }

    private static void shuffle(int[] order, int from, int length, SplittableRandom random) {
        for (int i = 0; i < length; i++) order[from + i] = i;
        for (int i = length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = order[from + i];
            order[from + i] = order[from + j];
            order[from + j] = swap;
        }
    }

    /** The kernel's result, y [B*L*C]. */
    float[] kernel(int threads) {
        ScanData data = data();
        ScanKernel.run(data, threads);
        float[] y = new float[shape.batch() * shape.imageValues()];
        for (int i = 0; i < shape.batch(); i++) data.y()[i].get(0, y, i * shape.imageValues(), shape.imageValues());
        return y;
    }

    ScanData data() {
        return new ScanData(
                shape,
                images(x),
                images(dt),
                images(b),
                images(c),
                direct(a, 0, a.length),
                direct(skip, 0, skip.length),
                direct(bias, 0, bias.length),
                order,
                images(new float[x.length]));
    }

    private FloatBuffer[] images(float[] values) {
        int each = values.length / shape.batch();
        FloatBuffer[] out = new FloatBuffer[shape.batch()];
        for (int i = 0; i < out.length; i++) out[i] = direct(values, i * each, each);
        return out;
    }

    private static FloatBuffer direct(float[] values, int from, int count) {
        FloatBuffer out = ByteBuffer.allocateDirect(count * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        return out.put(0, values, from, count);
    }
}
