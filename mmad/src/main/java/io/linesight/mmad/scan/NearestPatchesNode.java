package io.linesight.mmad.scan;

import com.sun.jna.Pointer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Arrays;

/** {@link NearestPatches} as ONNX Runtime sees it: checks shapes and hands the tensors to the kernel. */
final class NearestPatchesNode extends NativeOperator {
    private static final String[] INPUTS = {"x", "picks", "memory", "scale"};
    private static final int[] RANKS = {4, 2, 5, 3};

    private final int threads;

    NearestPatchesNode(OrtApi api, int threads) {
        super(api, NearestPatches.NAME, TYPE_FLOAT, TYPE_INT64, TYPE_INT8, TYPE_FLOAT);
        this.threads = threads;
    }

    @Override
    void run(Pointer context) {
        OrtApi.TensorView[] in = new OrtApi.TensorView[INPUTS.length];
        for (int i = 0; i < in.length; i++) in[i] = api.input(context, i);
        check(in);
        int batch = in[0].dimension(0);
        int height = in[0].dimension(2);
        int width = in[0].dimension(3);
        OrtApi.TensorView y = api.output(context, 0, batch, height, width);
        if (batch == 0) return;
        NearestKernel.run(
                new PatchComparison(
                        in[0].dimension(1),
                        height,
                        width,
                        images(in[0], batch),
                        picks(in[1]),
                        ints(in[2]),
                        floats(in[3]),
                        images(y, batch)),
                threads);
    }

    private static void check(OrtApi.TensorView[] in) {
        for (int i = 0; i < in.length; i++) {
            if (in[i].shape().length != RANKS[i])
                throw new IllegalArgumentException(
                        INPUTS[i] + " must have " + RANKS[i] + " dimensions, got " + Arrays.toString(in[i].shape()));
        }
        long[] x = in[0].shape();
        long remembered = in[2].shape()[0];
        long[][] expected = {
            {x[0], x[1] / 4 * 4, x[2], x[3]},
            {x[0], in[1].shape()[1]},
            {remembered, x[2], x[1] / 4, x[3], 4},
            {remembered, x[2], x[3]}
        };
        for (int i = 0; i < in.length; i++) {
            if (!Arrays.equals(in[i].shape(), expected[i]))
                throw new IllegalArgumentException(INPUTS[i] + " must be " + Arrays.toString(expected[i]) + ", got "
                        + Arrays.toString(in[i].shape()));
        }
    }

    private static int[][] picks(OrtApi.TensorView tensor) {
        int count = tensor.dimension(1);
        int[][] picks = new int[tensor.dimension(0)][count];
        long[] all = tensor.data().getLongArray(0, picks.length * count);
        for (int i = 0; i < all.length; i++) picks[i / count][i % count] = Math.toIntExact(all[i]);
        return picks;
    }

    private static IntBuffer ints(OrtApi.TensorView tensor) {
        long bytes = 1;
        for (long d : tensor.shape()) bytes *= d;
        return tensor.data()
                .getByteBuffer(0, bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asIntBuffer();
    }
}
