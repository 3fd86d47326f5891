package io.linesight.mmad.scan;

import com.sun.jna.Pointer;
import java.util.Arrays;

/** {@link SelectiveScanOperator} as ONNX Runtime sees it: checks shapes and hands the tensors to the kernel. */
final class ScanNode extends NativeOperator {
    private static final String[] INPUTS = {"x", "dt", "Bm", "Cm", "A", "Dskip", "dt_bias", "order"};
    private static final int ORDER = 7;

    private final int threads;

    ScanNode(OrtApi api, int threads) {
        super(
                api,
                SelectiveScanOperator.NAME,
                TYPE_FLOAT,
                TYPE_FLOAT,
                TYPE_FLOAT,
                TYPE_FLOAT,
                TYPE_FLOAT,
                TYPE_FLOAT,
                TYPE_FLOAT,
                TYPE_INT32);
        this.threads = threads;
    }

    @Override
    void run(Pointer context) {
        Invocations.COUNT.increment();
        OrtApi.TensorView[] in = new OrtApi.TensorView[INPUTS.length];
        for (int i = 0; i < in.length; i++) in[i] = api.input(context, i);
        ScanShape shape = shape(in);
        OrtApi.TensorView y = api.output(context, 0, in[0].shape());
        if (shape.batch() == 0) return;
        int[] order = in[ORDER].data().getIntArray(0, shape.directions() * shape.length());
        ScanData data = new ScanData(
                shape,
                images(in[0], shape.batch()),
                images(in[1], shape.batch()),
                images(in[2], shape.batch()),
                images(in[3], shape.batch()),
                floats(in[4]),
                floats(in[5]),
                floats(in[6]),
                order,
                images(y, shape.batch()));
        ScanKernel.run(data, threads);
    }

    private static ScanShape shape(OrtApi.TensorView[] in) {
        int[] ranks = {3, 3, 3, 3, 2, 1, 1, 2};
        for (int i = 0; i < in.length; i++) {
            if (in[i].shape().length != ranks[i]) {
                throw new IllegalArgumentException(
                        INPUTS[i] + " must have " + ranks[i] + " dimensions, got " + Arrays.toString(in[i].shape()));
            }
        }
        int batch = in[0].dimension(0);
        int length = in[0].dimension(1);
        int channels = in[0].dimension(2);
        int directions = in[ORDER].dimension(0);
        int states = in[4].dimension(1);
        int gates = in[2].dimension(2);
        if (directions < 1 || states < 1 || gates < 1 || gates % (directions * states) != 0) {
            throw new IllegalArgumentException("Bm has " + gates + " columns, which is not directions " + directions
                    + " * groups * states " + states);
        }
        int groups = gates / directions / states;
        if (channels % groups != 0)
            throw new IllegalArgumentException(channels + " channels cannot be cut into " + groups + " groups");
        long wide = (long) directions * channels;
        long[][] expected = {
            {batch, length, channels},
            {batch, length, wide},
            {batch, length, gates},
            {batch, length, gates},
            {wide, states},
            {channels},
            {wide},
            {directions, length}
        };
        for (int i = 0; i < in.length; i++) {
            if (!Arrays.equals(in[i].shape(), expected[i])) {
                throw new IllegalArgumentException(INPUTS[i] + " must be " + Arrays.toString(expected[i]) + ", got "
                        + Arrays.toString(in[i].shape()));
            }
        }
        return new ScanShape(batch, length, groups, channels / groups, directions, states);
    }
}
