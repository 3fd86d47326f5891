package io.linesight.mmad.scan;

import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.ScanOrders;
import java.util.Locale;

/**
 * Nanoseconds per state update of the kernel on one and on all threads, against a plain scalar loop in the same run.
 * Run its main from the test class path with {@code --add-modules jdk.incubator.vector}.
 */
public final class ScanBenchmark {
    private ScanBenchmark() {}

    public static void main(String[] args) {
        int threads = Runtime.getRuntime().availableProcessors();
        System.out.printf("%d lanes, %d threads%n", ScanKernel.LANES, threads);
        int[][] shapes = {{64, 4, 32}, {32, 4, 64}, {16, 4, 128}, {8, 4, 256}, {16, 1, 512}, {64, 4, 8}, {64, 4, 16}};
        for (int[] s : shapes) {
            int length = s[0] * s[0];
            ScanCase in = ScanCase.random(1, 1, length, s[1], s[2], 8, 16);
            int[][] table = ScanOrders.table(ScanKind.HILBERT, s[0]);
            for (int k = 0; k < 8; k++) System.arraycopy(table[k], 0, in.order(), k * length, length);
            ScanData data = in.data();
            double one = best(() -> ScanKernel.run(data, 1), 12);
            double all = best(() -> ScanKernel.run(data, threads), 12);
            double updates = data.shape().updates();
            double scalar = args.length > 0 ? Double.NaN : best(() -> scalar(in), 2);
            System.out.printf(
                    Locale.ROOT,
                    "%4d pixels x %d groups x %3d channels: %.3f ns per state on 1 thread, %.3f on %d; scalar loop "
                            + "%.2f (%.1f times)%n",
                    length,
                    s[1],
                    s[2],
                    one / updates,
                    all / updates,
                    threads,
                    scalar / updates,
                    scalar / one);
        }
    }

    private static double best(Runnable work, int times) {
        double best = Double.MAX_VALUE;
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            work.run();
            best = Math.min(best, System.nanoTime() - start);
        }
        return best;
    }

    private static float scalar(ScanCase in) {
        ScanShape s = in.shape();
        int channels = s.channels();
        float[] y = new float[s.length() * channels];
        float[] h = new float[channels * s.states()];
        for (int k = 0; k < s.directions(); k++) {
            java.util.Arrays.fill(h, 0);
            for (int t = 0; t < s.length(); t++) {
                int pixel = in.order()[k * s.length() + t];
                for (int c = 0; c < channels; c++) {
                    float delta = (float) Math.log1p(Math.exp(
                            in.dt()[(pixel * s.directions() + k) * channels + c] + in.bias()[k * channels + c]));
                    float drive = delta * in.x()[pixel * channels + c];
                    int gate = ((pixel * s.directions() + k) * s.groups() + c / s.width()) * s.states();
                    float out = 0;
                    for (int n = 0; n < s.states(); n++) {
                        int i = c * s.states() + n;
                        h[i] = (float) Math.exp(delta * in.a()[(k * channels + c) * s.states() + n]) * h[i]
                                + drive * in.b()[gate + n];
                        out += in.c()[gate + n] * h[i];
                    }
                    y[pixel * channels + c] += out;
                }
            }
        }
        return y[0];
    }
}
