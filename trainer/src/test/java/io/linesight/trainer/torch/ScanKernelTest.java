package io.linesight.trainer.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.golden.GoldenSet;
import io.linesight.trainer.Golden;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScanKernelTest {
    private static FloatBuffer buffer(int n) {
        return ByteBuffer.allocateDirect(n * 4).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    private static float[] array(FloatBuffer b) {
        float[] a = new float[b.capacity()];
        b.get(0, a);
        return a;
    }

    /** Everything one scan reads and writes. */
    private static final class Case {
        final TrainingScanShape s;
        final FloatBuffer x, projection, y, checkpoints, gy, gx, gProjection;
        final float[] w, bias, a, skip, gw, gBias, ga, gSkip;
        final int[][] order;

        Case(TrainingScanShape s) {
            this.s = s;
            int map = s.batch() * s.length() * s.groups() * s.channels();
            int gkd = s.groups() * s.directions() * s.channels();
            x = buffer(map);
            y = buffer(map);
            gy = buffer(map);
            gx = buffer(map);
            projection = buffer((int) s.projectionSize());
            gProjection = buffer((int) s.projectionSize());
            checkpoints = buffer((int) s.checkpointSize());
            w = new float[gkd * s.rank()];
            gw = new float[w.length];
            bias = new float[gkd];
            gBias = new float[gkd];
            a = new float[gkd * s.states()];
            ga = new float[a.length];
            skip = new float[s.groups() * s.channels()];
            gSkip = new float[skip.length];
            order = new int[s.directions()][s.length()];
            for (int[] o : order) for (int i = 0; i < o.length; i++) o[i] = i;
        }

        Case fill(long seed) {
            Random r = new Random(seed);
            for (FloatBuffer b : List.of(x, projection, gy))
                for (int i = 0; i < b.capacity(); i++) b.put(i, (float) r.nextGaussian());
            for (int i = 0; i < w.length; i++) w[i] = (float) (0.5 * r.nextGaussian());
            for (int i = 0; i < bias.length; i++) bias[i] = (float) (r.nextGaussian() - 2);
            for (int i = 0; i < a.length; i++)
                a[i] = (float) -((1 + i % s.states()) * Math.exp(0.1 * r.nextGaussian()));
            for (int i = 0; i < skip.length; i++) skip[i] = (float) r.nextGaussian();
            for (int[] o : order) {
                List<Integer> p = new ArrayList<>();
                for (int i = 0; i < o.length; i++) p.add(i);
                Collections.shuffle(p, r);
                for (int i = 0; i < o.length; i++) o[i] = p.get(i);
            }
            return this;
        }

        Case run() {
            TrainingScanKernel.Inputs in = new TrainingScanKernel.Inputs(x, projection, w, bias, a, skip, order);
            TrainingScanKernel.forward(s, in, y, checkpoints);
            TrainingScanKernel.backward(
                    s, in, checkpoints, gy, new TrainingScanKernel.Gradients(gx, gProjection, gw, gBias, ga, gSkip));
            return this;
        }
    }

    @ParameterizedTest
    @CsvSource({"selective_scan_small, 8, 16", "selective_scan, 8, 16"})
    void shouldAgreeWithReferenceScan(String name, int channels, int states) throws Exception {
        try (GoldenSet z = GoldenSet.open(name)) {
            int batch = z.get("u").shape()[0];
            int length = z.get("u").shape()[2];
            int groups = z.get("B").shape()[1];
            int n = z.get("B").shape()[2];
            int d = z.get("u").shape()[1] / groups;
            // Narrow cases are padded with silent channels and states; the time step goes in through an identity
            // projection.
            Case c = new Case(new TrainingScanShape(batch, length, groups, channels, channels, 1, states));
            int row = c.s.row();
            float[] u = z.floats("u");
            float[] delta = z.floats("delta");
            float[] gy = z.floats("grad_y");
            float[] b = z.floats("B");
            float[] cc = z.floats("C");
            for (int i = 0; i < batch; i++) {
                for (int g = 0; g < groups; g++) {
                    for (int l = 0; l < length; l++) {
                        int at = ((g * batch + i) * length + l) * row;
                        for (int k = 0; k < d; k++) {
                            int from = (i * groups * d + g * d + k) * length + l;
                            int to = (i * length + l) * groups * channels + g * channels + k;
                            c.x.put(to, u[from]);
                            c.gy.put(to, gy[from]);
                            c.projection.put(at + k, delta[from]);
                        }
                        for (int k = 0; k < n; k++) {
                            c.projection.put(at + channels + k, b[((i * groups + g) * n + k) * length + l]);
                            c.projection.put(at + channels + states + k, cc[((i * groups + g) * n + k) * length + l]);
                        }
                    }
                }
            }
            for (int g = 0; g < groups; g++) {
                for (int k = 0; k < channels; k++) {
                    int to = g * channels + k;
                    c.w[to * channels + k] = 1;
                    for (int j = 0; j < states; j++)
                        c.a[to * states + j] = k < d && j < n ? z.floats("A")[(g * d + k) * n + j] : -1;
                    if (k >= d) continue;
                    c.bias[to] = z.floats("delta_bias")[g * d + k];
                    c.skip[to] = z.floats("D")[g * d + k];
                }
            }
            c.run();
            float[] y = new float[u.length];
            float[] gu = new float[u.length];
            float[] gDelta = new float[u.length];
            float[] gb = new float[b.length];
            float[] gc = new float[b.length];
            for (int i = 0; i < batch; i++) {
                for (int g = 0; g < groups; g++) {
                    for (int l = 0; l < length; l++) {
                        int at = ((g * batch + i) * length + l) * row;
                        for (int k = 0; k < d; k++) {
                            int to = (i * groups * d + g * d + k) * length + l;
                            int from = (i * length + l) * groups * channels + g * channels + k;
                            y[to] = c.y.get(from);
                            gu[to] = c.gx.get(from);
                            gDelta[to] = c.gProjection.get(at + k);
                        }
                        for (int k = 0; k < n; k++) {
                            gb[((i * groups + g) * n + k) * length + l] = c.gProjection.get(at + channels + k);
                            gc[((i * groups + g) * n + k) * length + l] = c.gProjection.get(at + channels + states + k);
                        }
                    }
                }
            }
            float[] ga = new float[groups * d * n];
            float[] gBias = new float[groups * d];
            float[] gSkip = new float[groups * d];
            for (int g = 0; g < groups; g++) {
                for (int k = 0; k < d; k++) {
                    gBias[g * d + k] = c.gBias[g * channels + k];
                    gSkip[g * d + k] = c.gSkip[g * channels + k];
                    for (int j = 0; j < n; j++) ga[(g * d + k) * n + j] = c.ga[(g * channels + k) * states + j];
                }
            }
            assertThat(Golden.relative(y, z.floats("y"))).as("y").isLessThan(2.5e-6);
            assertThat(Golden.relative(Golden.beginning(gu, gu.length, z.floats("grad_u")), z.floats("grad_u")))
                    .as("grad u")
                    .isLessThan(5e-6);
            assertThat(Golden.relative(
                            Golden.beginning(gDelta, gDelta.length, z.floats("grad_delta")), z.floats("grad_delta")))
                    .as("grad delta")
                    .isLessThan(5e-6);
            assertThat(Golden.relative(Golden.beginning(gb, gb.length, z.floats("grad_B")), z.floats("grad_B")))
                    .as("grad B")
                    .isLessThan(5e-6);
            assertThat(Golden.relative(Golden.beginning(gc, gc.length, z.floats("grad_C")), z.floats("grad_C")))
                    .as("grad C")
                    .isLessThan(5e-6);
            assertThat(Golden.relative(ga, z.floats("grad_A"))).as("grad A").isLessThan(5e-6);
            assertThat(Golden.relative(gBias, z.floats("grad_delta_bias")))
                    .as("grad bias")
                    .isLessThan(5e-6);
            assertThat(Golden.relative(gSkip, z.floats("grad_D"))).as("grad D").isLessThan(5e-6);
        }
    }

    @ParameterizedTest
    @CsvSource({"2,100,4,8,1,8", "1,64,2,16,1,8", "3,33,1,32,2,3", "1,256,1,64,4,8"})
    void shouldAgreeWithPlainLoopsInDouble(int batch, int length, int groups, int channels, int rank, int directions) {
        Case c = new Case(new TrainingScanShape(batch, length, groups, channels, rank, directions, 16))
                .fill(7)
                .run();
        Reference r = new Reference(c);
        assertThat(r.error(c.y, r.y)).as("y").isLessThan(5e-6);
        assertThat(r.error(c.gx, r.gx)).as("grad x").isLessThan(5e-6);
        assertThat(r.error(c.gProjection, r.gp)).as("grad projection").isLessThan(5e-6);
        assertThat(r.error(FloatBuffer.wrap(c.ga), r.ga)).as("grad A").isLessThan(5e-6);
        assertThat(r.error(FloatBuffer.wrap(c.gw), r.gw)).as("grad step weight").isLessThan(5e-6);
        assertThat(r.error(FloatBuffer.wrap(c.gBias), r.gBias))
                .as("grad step bias")
                .isLessThan(5e-6);
        assertThat(r.error(FloatBuffer.wrap(c.gSkip), r.gSkip)).as("grad skip").isLessThan(5e-6);
    }

    @Test
    void shouldGiveTheSameBitsEveryTime() {
        TrainingScanShape s = new TrainingScanShape(4, 256, 4, 16, 1, 8, 16);
        Case a = new Case(s).fill(3).run();
        Case b = new Case(s).fill(3).run();
        assertThat(array(a.y)).isEqualTo(array(b.y));
        assertThat(array(a.gProjection)).isEqualTo(array(b.gProjection));
        assertThat(a.ga).isEqualTo(b.ga);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 6, 12})
    void shouldSayWhichChannelsItCannotVectorise(int channels) {
        if (channels % TrainingScanKernel.LANES == 0) return;
        assertThatThrownBy(() -> new TrainingScanShape(1, 16, 1, channels, 1, 8, 16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(String.valueOf(TrainingScanKernel.LANES))
                .hasMessageContaining("got " + channels);
    }

    /** MMAD_SPEC section 3, loop by loop. */
    private static final class Reference {
        final double[] y, gx, gp, ga, gw, gBias, gSkip;

        Reference(Case c) {
            TrainingScanShape s = c.s;
            int d = s.channels();
            int n = s.states();
            int row = s.row();
            y = new double[c.y.capacity()];
            gx = new double[y.length];
            gp = new double[c.projection.capacity()];
            ga = new double[c.a.length];
            gw = new double[c.w.length];
            gBias = new double[c.bias.length];
            gSkip = new double[c.skip.length];
            for (int i = 0; i < s.batch(); i++) {
                for (int g = 0; g < s.groups(); g++) {
                    for (int ch = 0; ch < d; ch++) {
                        for (int l = 0; l < s.length(); l++) {
                            int o = (i * s.length() + l) * s.groups() * d + g * d + ch;
                            y[o] += c.skip[g * d + ch] * c.x.get(o);
                            gx[o] += c.skip[g * d + ch] * c.gy.get(o);
                            gSkip[g * d + ch] += (double) c.x.get(o) * c.gy.get(o);
                        }
                        for (int k = 0; k < s.directions(); k++) direction(c, i, g, ch, k, d, n, row);
                    }
                }
            }
        }

        private void direction(Case c, int i, int g, int ch, int k, int d, int n, int row) {
            TrainingScanShape s = c.s;
            int gk = (g * s.directions() + k) * d + ch;
            double[][] h = new double[s.length() + 1][n];
            double[] z = new double[s.length()];
            for (int t = 0; t < s.length(); t++) {
                int q = c.order[k][t];
                int p = (((g * s.batch() + i) * s.length() + q) * s.directions() + k) * row;
                int o = (i * s.length() + q) * s.groups() * d + g * d + ch;
                z[t] = c.bias[gk];
                for (int r = 0; r < s.rank(); r++) z[t] += (double) c.w[gk * s.rank() + r] * c.projection.get(p + r);
                double dt = softplus(z[t]);
                for (int j = 0; j < n; j++) {
                    h[t + 1][j] = Math.exp(dt * c.a[gk * n + j]) * h[t][j]
                            + dt * c.x.get(o) * c.projection.get(p + s.rank() + j);
                    y[o] += c.projection.get(p + s.rank() + n + j) * h[t + 1][j];
                }
            }
            double[] lambda = new double[n];
            for (int t = s.length() - 1; t >= 0; t--) {
                int q = c.order[k][t];
                int p = (((g * s.batch() + i) * s.length() + q) * s.directions() + k) * row;
                int o = (i * s.length() + q) * s.groups() * d + g * d + ch;
                double dt = softplus(z[t]);
                double gDrive = 0;
                double gStep = 0;
                for (int j = 0; j < n; j++) {
                    int pb = p + s.rank() + j;
                    lambda[j] += (double) c.gy.get(o) * c.projection.get(pb + n);
                    gp[pb + n] += c.gy.get(o) * h[t + 1][j];
                    gp[pb] += lambda[j] * dt * c.x.get(o);
                    gDrive += lambda[j] * c.projection.get(pb);
                    double e = Math.exp(dt * c.a[gk * n + j]);
                    gStep += lambda[j] * c.a[gk * n + j] * e * h[t][j];
                    ga[gk * n + j] += lambda[j] * dt * e * h[t][j];
                    lambda[j] *= e;
                }
                gx[o] += gDrive * dt;
                double gz = (gStep + gDrive * c.x.get(o)) / (1 + Math.exp(-z[t]));
                gBias[gk] += gz;
                for (int r = 0; r < s.rank(); r++) {
                    gw[gk * s.rank() + r] += gz * c.projection.get(p + r);
                    gp[p + r] += gz * c.w[gk * s.rank() + r];
                }
            }
        }

        private static double softplus(double z) {
            return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
        }

        double error(FloatBuffer actual, double[] expected) {
            double difference = 0;
            double largest = 0;
            for (int i = 0; i < expected.length; i++) {
                difference = Math.max(difference, Math.abs(actual.get(i) - expected[i]));
                largest = Math.max(largest, Math.abs(expected[i]));
            }
            return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference / largest;
        }
    }
}
