package io.linesight.trainer.network;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.ScanOrders;
import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.SelectiveScan;
import io.linesight.trainer.torch.Torch;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Times the selective scan at the shapes of the presets and whole training steps on random features; run by hand with
 * {@code --add-modules jdk.incubator.vector}. Arguments: {@code scan} or preset names; nothing = all. Prints the
 * processors' time of all threads together, for the scan as for the steps, because a machine that others use too says
 * little by the clock; and the clock.
 */
final class ScanBenchmark {
    private static final int BATCH = 8;

    private ScanBenchmark() {}

    public static void main(String[] args) {
        Torch.start(0);
        List<String> what = args.length == 0 ? List.of("scan", "tiny", "small") : List.of(args);
        for (String w : what) {
            if (!w.equals("scan")) {
                step(w);
                continue;
            }
            for (int level = 3; level >= 0; level--)
                scan(MmadConfig.levelSide(level), MmadConfig.GROUPS, 64 >> level, "tiny");
            scan(16, 1, 128, "tiny, fuser");
            for (int level = 3; level >= 0; level--)
                scan(MmadConfig.levelSide(level), MmadConfig.GROUPS, 128 >> level, "small");
        }
    }

    private static void scan(int side, int groups, int channels, String name) {
        int repetitions = 12;
        double[] forward = new double[repetitions];
        double[] backward = new double[repetitions];
        int k = MmadConfig.DIRECTIONS;
        int n = MmadConfig.STATES;
        int[][] order = ScanOrders.table(ScanKind.HILBERT, side);
        long rank = ParameterSpecs.dtRank(channels / 2);
        double elements = (double) BATCH * side * side * groups * channels * k * n;
        try (PointerScope outer = new PointerScope()) {
            Tensor u = leaf(torch.randn(BATCH, (long) side * side, (long) groups * channels));
            SelectiveScan.Parameters p = new SelectiveScan.Parameters(
                    leaf(torch.randn(groups, k, rank + 2 * n, channels).mul(Torch.scalar(0.3))),
                    leaf(torch.randn(groups, k, channels, rank)),
                    leaf(torch.randn(groups, k, channels).sub(Torch.scalar(2))),
                    leaf(torch.rand(groups, (long) k * channels, n).mul(Torch.scalar(2.7))),
                    leaf(torch.randn(groups, (long) k * channels)));
            Tensor gy = torch.randn_like(u.detach());
            for (int i = 0; i < repetitions; i++) {
                try (PointerScope scope = new PointerScope()) {
                    long t0 = processors();
                    Tensor y = new SelectiveScan(p, order).apply(u);
                    long t1 = processors();
                    y.backward(
                            gy,
                            new org.bytedeco.pytorch.BoolOptional(),
                            false,
                            new org.bytedeco.pytorch.TensorArrayRefOptional());
                    long t2 = processors();
                    forward[i] = (t1 - t0) / elements;
                    backward[i] = (t2 - t1) / elements;
                    JavaOp.endStep();
                }
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%-11s %2dx%-2d D %3d: forward %5.3f (%5.3f), backward %5.3f (%5.3f) processor ns per state element, "
                        + "best (median)%n",
                name,
                side,
                side,
                channels,
                best(forward),
                median(forward),
                best(backward),
                median(backward));
    }

    private static Tensor leaf(Tensor t) {
        return t.detach().contiguous().set_requires_grad(true);
    }

    private static void step(String preset) {
        MmadConfig config = MmadConfig.preset(preset, List.of(36, 72, 144));
        double[] spent = new double[preset.equals("tiny") ? 12 : 8];
        double[] seconds = new double[preset.equals("tiny") ? 12 : 8];
        torch.manual_seed(1);
        try (PointerScope scope = new PointerScope();
                Parameters p =
                        new Parameters(ParameterSpecs.of(config), Initializer.fresh(ParameterSpecs.of(config), 1));
                MmadNet net = new MmadNet(config, p);
                Trainer trainer = new Trainer(net, p, 1e-3)) {
            List<Tensor> features = new ArrayList<>();
            for (int i = 0; i < 3; i++)
                features.add(torch.randn(
                        BATCH, (64L >> i) * (64 >> i), config.encoderChannels().get(i)));
            for (int i = 0; i < seconds.length; i++) {
                long begun = System.nanoTime();
                long work = processors();
                trainer.step(features);
                seconds[i] = (System.nanoTime() - begun) / 1e9;
                spent[i] = (processors() - work) / 1e9;
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%s: %.3f processor seconds per step of %d, best (median %.3f); by the clock %.3f (%.3f)%n",
                preset,
                best(spent),
                BATCH,
                median(spent),
                best(seconds),
                median(seconds));
    }

    private static long processors() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static double best(double[] v) {
        return Arrays.stream(v).min().getAsDouble();
    }

    private static double median(double[] v) {
        return Arrays.stream(v)
                .skip(v.length / 4)
                .sorted()
                .skip((v.length - v.length / 4) / 2)
                .findFirst()
                .getAsDouble();
    }
}
