package io.linesight.trainer.torch;

import java.nio.FloatBuffer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The core of SS2D for G channel groups at once (MMAD_SPEC section 3, steps 3 to 5): projections of every pixel,
 * selective scan along K visiting orders, sum over directions in raster order. Neither projections nor time steps nor
 * any permuted copy are ever stored.
 *
 * <p>Input u [B,L,G*D] to output y [B,L,G*D]. Parameters are leaves; their gradients are accumulated by the backward
 * pass.
 */
public final class SelectiveScan extends JavaOp {
    /** Widest vectors that the kernel uses. */
    public static final int VECTOR_BITS = 256;

    /**
     * Parameters of G groups, stacked.
     *
     * @param xProj [G,K,R+2N,D]
     * @param dtWeight [G,K,D,R]
     * @param dtBias [G,K,D]
     * @param aLogs [G,K*D,N]
     * @param ds [G,K*D]
     */
    public record Parameters(Tensor xProj, Tensor dtWeight, Tensor dtBias, Tensor aLogs, Tensor ds) {}

    private final Parameters p;
    private final int[][] order;
    private TrainingScanShape shape;
    private Tensor u;
    private Tensor checkpoints;
    private TrainingScanKernel.Inputs inputs;

    /** @param order K visiting orders, each a permutation of the L pixels */
    public SelectiveScan(Parameters parameters, int[][] order) {
        this.p = parameters;
        this.order = order;
    }

    /**
     * On a GPU the activations come to the host and go back: the kernel is Java, and in tensor operators the scan takes
     * tens of gigabytes an image.
     */
    @Override
    protected Tensor forward(Tensor device) {
        Tensor u = Torch.onHost(device);
        int groups = (int) p.xProj.size(0);
        int rank = (int) p.dtWeight.size(3);
        int states = (int) p.aLogs.size(2);
        int channels = (int) p.xProj.size(3);
        shape = new TrainingScanShape((int) u.size(0), (int) u.size(1), groups, channels, rank, order.length, states);
        Tensor y = torch.empty_like(u);
        inputs = new TrainingScanKernel.Inputs(
                Torch.buffer(u),
                null,
                Torch.values(p.xProj),
                Torch.values(p.dtWeight),
                Torch.values(p.dtBias),
                negativeA(),
                skip(),
                order);
        FloatBuffer states0 = null;
        if (recording()) {
            this.u = keep(u);
            checkpoints = keep(Torch.empty(shape.checkpointSize()));
            states0 = Torch.buffer(checkpoints);
        }
        TrainingScanKernel.forward(shape, inputs, Torch.buffer(y), states0);
        return Torch.onDevice(y);
    }

    @Override
    protected Tensor backward(Tensor device) {
        Tensor gy = Torch.onHost(device);
        Tensor gu = torch.empty_like(u);
        TrainingScanKernel.Gradients g = new TrainingScanKernel.Gradients(
                Torch.buffer(gu),
                null,
                new float[inputs.projectionWeight().length],
                new float[inputs.stepWeight().length],
                new float[inputs.stepBias().length],
                new float[inputs.a().length],
                new float[inputs.skip().length]);
        TrainingScanKernel.backward(shape, inputs, Torch.buffer(checkpoints), Torch.buffer(gy), g);
        accumulate(p.xProj, Torch.of(g.projectionWeight(), g.projectionWeight().length));
        accumulate(p.dtWeight, Torch.of(g.stepWeight(), g.stepWeight().length));
        accumulate(p.dtBias, Torch.of(g.stepBias(), g.stepBias().length));
        float[] a = g.a();
        for (int i = 0; i < a.length; i++) a[i] *= inputs.a()[i];
        accumulate(p.aLogs, Torch.of(a, a.length));
        accumulate(
                p.ds,
                Torch.of(g.skip(), shape.groups(), 1, shape.channels())
                        .expand(shape.groups(), shape.directions(), shape.channels())
                        .contiguous());
        return Torch.onDevice(gu);
    }

    private float[] negativeA() {
        float[] a = Torch.values(p.aLogs);
        for (int i = 0; i < a.length; i++) a[i] = (float) -Math.exp(a[i]);
        return a;
    }

    private float[] skip() {
        float[] ds = Torch.values(p.ds);
        int channels = shape.channels();
        float[] skip = new float[shape.groups() * channels];
        for (int i = 0; i < ds.length; i++) {
            int group = i / (order.length * channels);
            skip[group * channels + i % channels] += ds[i];
        }
        return skip;
    }
}
