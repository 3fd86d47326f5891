package io.linesight.trainer.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.ScanOrders;
import io.linesight.trainer.Golden;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SelectiveScanTest {
    @BeforeAll
    static void start() {
        Torch.start(2);
    }

    private static Tensor leaf(Tensor t) {
        Tensor l = t.detach().contiguous();
        l.set_requires_grad(true);
        return l;
    }

    /** u, xProj, dtWeight, dtBias, aLogs, ds. */
    private static Tensor[] inputs(int batch, int side, int groups, int channels, int rank) {
        torch.manual_seed(5);
        int k = 8;
        int n = 16;
        return new Tensor[] {
            leaf(torch.randn(batch, (long) side * side, (long) groups * channels)),
            leaf(torch.randn(groups, k, rank + 2 * n, channels).mul(Torch.scalar(0.3))),
            leaf(torch.randn(groups, k, channels, rank)),
            leaf(torch.randn(groups, k, channels).sub(Torch.scalar(2))),
            leaf(torch.rand(groups, (long) k * channels, n).mul(Torch.scalar(2.7))),
            leaf(torch.randn(groups, (long) k * channels))
        };
    }

    private static Tensor op(Tensor[] in, int[][] order) {
        return new SelectiveScan(new SelectiveScan.Parameters(in[1], in[2], in[3], in[4], in[5]), order).apply(in[0]);
    }

    /** The same in tensor operators, one time step after the other, differentiated by libtorch. */
    private static Tensor oracle(Tensor[] in, int[][] order) {
        long batch = in[0].size(0);
        long length = in[0].size(1);
        long groups = in[1].size(0);
        long d = in[1].size(3);
        long rank = in[2].size(3);
        Tensor sum = null;
        for (int k = 0; k < order.length; k++) {
            Tensor index = torch.zeros(new long[] {length}, new TensorOptions(torch.ScalarType.Long));
            long[] visit = new long[order[k].length];
            for (int i = 0; i < visit.length; i++) visit[i] = order[k][i];
            index.data_ptr_long().put(visit);
            Tensor u = in[0].view(batch, length, groups, d).index_select(1, index);
            Tensor row = torch.einsum("blgd,gjd->blgj", new TensorVector(u, in[1].select(1, k)));
            Tensor raw = torch.einsum("blgr,gdr->blgd", new TensorVector(row.narrow(3, 0, rank), in[2].select(1, k)));
            Tensor dt = torch.softplus(raw.add(in[3].select(1, k)));
            Tensor b = row.narrow(3, rank, 16);
            Tensor c = row.narrow(3, rank + 16, 16);
            Tensor a =
                    in[4].view(groups, order.length, d, 16).select(1, k).exp().neg();
            Tensor h = torch.zeros(batch, groups, d, 16);
            List<Tensor> steps = new ArrayList<>();
            for (int t = 0; t < length; t++) {
                Tensor dtt = dt.select(1, t).unsqueeze(-1);
                h = dtt.mul(a)
                        .exp()
                        .mul(h)
                        .add(dtt.mul(u.select(1, t).unsqueeze(-1))
                                .mul(b.select(1, t).unsqueeze(2)));
                steps.add(h.mul(c.select(1, t).unsqueeze(2)).sum(-1));
            }
            Tensor y = torch.stack(new TensorVector(steps.toArray(Tensor[]::new)), 1);
            y = y.add(u.mul(in[5].view(groups, order.length, d).select(1, k)));
            Tensor raster = torch.zeros_like(y).index_copy(1, index, y).view(batch, length, groups * d);
            sum = sum == null ? raster : sum.add(raster);
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({"HILBERT,2,8,4,8,1", "ZIGZAG,1,8,1,32,2", "ZORDER,3,4,2,16,4"})
    void shouldHaveTheGradientsOfTensorOperators(
            ScanKind kind, int batch, int side, int groups, int channels, int rank) {
        int[][] order = ScanOrders.table(kind, side);
        try (PointerScope scope = new PointerScope()) {
            Tensor[] in = inputs(batch, side, groups, channels, rank);
            Tensor weight = torch.randn_like(in[0].detach());
            Tensor expected = oracle(in, order);
            expected.mul(weight).sum().backward();
            float[][] gradients = new float[in.length][];
            for (int i = 0; i < in.length; i++) {
                gradients[i] = Torch.values(in[i].grad());
                JavaOp.zeroGradient(in[i]);
            }
            Tensor actual = op(in, order);
            actual.mul(weight).sum().backward();
            assertThat(Golden.relative(Torch.values(actual), Torch.values(expected)))
                    .as("y")
                    .isLessThan(5e-6);
            String[] names = {"u", "xProj", "dtWeight", "dtBias", "aLogs", "ds"};
            for (int i = 0; i < in.length; i++)
                assertThat(Golden.relative(Torch.values(in[i].grad()), gradients[i]))
                        .as(names[i])
                        .isLessThan(1e-5);
            JavaOp.endStep();
        }
    }

    @Test
    void shouldAgreeWithFiniteDifferences() {
        int[][] order = ScanOrders.table(ScanKind.HILBERT, 4);
        try (PointerScope scope = new PointerScope()) {
            Tensor[] in = inputs(1, 4, 2, 8, 1);
            Tensor weight = torch.randn_like(in[0].detach());
            op(in, order).mul(weight).sum().backward();
            for (int i = 0; i < in.length; i++) {
                Tensor direction = torch.randn_like(in[i].detach());
                double analytic = in[i].grad().mul(direction).sum().item_double();
                double[] f = new double[2];
                double eps = 5e-3;
                for (int sign = 0; sign < 2; sign++) {
                    try (NoGradGuard off = new NoGradGuard()) {
                        Tensor[] moved = in.clone();
                        moved[i] = in[i].add(direction.mul(Torch.scalar(sign == 0 ? eps : -eps)));
                        f[sign] = op(moved, order)
                                .to(torch.ScalarType.Double)
                                .mul(weight)
                                .sum()
                                .item_double();
                    }
                }
                assertThat((f[0] - f[1]) / (2 * eps))
                        .as("input " + i)
                        .isCloseTo(analytic, within(0.01 * Math.abs(analytic) + 0.02));
            }
            JavaOp.endStep();
        }
    }

    /** Two scans in a row, the first one's output used twice, across garbage collections and nested scopes. */
    @Test
    void shouldSurviveGarbageCollectionInsideAGraph() {
        int[][] order = ScanOrders.table(ScanKind.ZORDER, 4);
        float[][] gradient = new float[2][];
        for (int run = 0; run < 2; run++) {
            try (PointerScope scope = new PointerScope()) {
                Tensor[] in = inputs(2, 4, 2, 8, 1);
                Tensor first = op(in, order);
                if (run == 1) System.gc();
                Tensor second = op(new Tensor[] {torch.silu(first), in[1], in[2], in[3], in[4], in[5]}, order);
                Tensor loss = second.add(first).square().mean();
                if (run == 1) System.gc();
                loss.backward();
                gradient[run] = Torch.values(in[0].grad());
                JavaOp.endStep();
            }
        }
        assertThat(gradient[1]).isEqualTo(gradient[0]);
        assertThat(gradient[0]).doesNotContain(0f);
    }
}
