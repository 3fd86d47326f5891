package io.linesight.mmad.scan;

import ai.onnxruntime.OrtSession;
import com.sun.jna.Callback;
import com.sun.jna.CallbackReference;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operator as ONNX Runtime sees it: one {@code OrtCustomOp} and one domain for every thread count in use, made once
 * and never freed, because sessions may outlive whoever registered them. The kernel has no state but its thread count,
 * so the operator serves as its own kernel.
 */
final class NativeOperator {
    private static final Logger LOG = LoggerFactory.getLogger(NativeOperator.class);

    /** OrtCustomOp of API version 17: a version word, then function pointers, eight bytes each. */
    private static final int VERSION = 17;

    private static final int FIELDS = 32;
    private static final int GET_NAME = 2;
    private static final int GET_EXECUTION_PROVIDER = 3;
    private static final int GET_INPUT_TYPE = 4;
    private static final int GET_INPUT_COUNT = 5;
    private static final int GET_OUTPUT_TYPE = 6;
    private static final int GET_OUTPUT_COUNT = 7;
    private static final int DESTROY_KERNEL = 9;
    private static final int GET_INPUT_CHARACTERISTIC = 10;
    private static final int GET_OUTPUT_CHARACTERISTIC = 11;
    private static final int GET_INPUT_MEMORY_TYPE = 12;
    private static final int CREATE_KERNEL_V2 = 17;
    private static final int COMPUTE_V2 = 18;
    private static final int GET_START_VERSION = 20;
    private static final int GET_END_VERSION = 21;

    private static final int TYPE_FLOAT = 1;
    private static final int TYPE_INT32 = 6;
    private static final String[] INPUTS = {"x", "dt", "Bm", "Cm", "A", "Dskip", "dt_bias", "order"};
    private static final int ORDER = 7;

    private static OrtApi api;
    private static final Memory NAME = cString(SelectiveScanOperator.NAME);
    private static final Map<Integer, NativeOperator> BY_THREADS = new HashMap<>();

    private interface NameCallback extends Callback {
        Pointer call(Pointer operator);
    }

    private interface CountCallback extends Callback {
        long call(Pointer operator);
    }

    private interface VersionCallback extends Callback {
        int call(Pointer operator);
    }

    private interface PropertyCallback extends Callback {
        int call(Pointer operator, long index);
    }

    private interface CreateCallback extends Callback {
        Pointer call(Pointer operator, Pointer api, Pointer info, Pointer out);
    }

    private interface ComputeCallback extends Callback {
        Pointer call(Pointer kernel, Pointer context);
    }

    private interface DestroyCallback extends Callback {
        void call(Pointer kernel);
    }

    private final int threads;
    private final Memory struct = new Memory((long) FIELDS * Long.BYTES);
    /** JNA holds callbacks weakly. */
    private final List<Callback> callbacks = new ArrayList<>();

    private final Memory domainName = cString(SelectiveScanOperator.DOMAIN);
    private final Pointer domain;

    static synchronized void load() throws ReflectiveOperationException {
        if (api == null) api = new OrtApi();
    }

    static synchronized void register(OrtSession.SessionOptions options, int threads)
            throws ReflectiveOperationException {
        load();
        NativeOperator operator = BY_THREADS.get(threads);
        if (operator == null) {
            operator = new NativeOperator(threads);
            BY_THREADS.put(threads, operator);
        }
        api.addDomain(options, operator.domain);
    }

    private NativeOperator(int threads) {
        this.threads = threads;
        struct.clear();
        struct.setInt(0, VERSION);
        field(GET_NAME, (NameCallback) operator -> NAME);
        field(GET_EXECUTION_PROVIDER, (NameCallback) operator -> null);
        field(GET_INPUT_TYPE, (PropertyCallback) (operator, index) -> index == ORDER ? TYPE_INT32 : TYPE_FLOAT);
        field(GET_INPUT_COUNT, (CountCallback) operator -> INPUTS.length);
        field(GET_OUTPUT_TYPE, (PropertyCallback) (operator, index) -> TYPE_FLOAT);
        field(GET_OUTPUT_COUNT, (CountCallback) operator -> 1);
        field(DESTROY_KERNEL, (DestroyCallback) kernel -> {});
        field(GET_INPUT_CHARACTERISTIC, (PropertyCallback) (operator, index) -> 0);
        field(GET_OUTPUT_CHARACTERISTIC, (PropertyCallback) (operator, index) -> 0);
        field(GET_INPUT_MEMORY_TYPE, (PropertyCallback) (operator, index) -> 0);
        field(CREATE_KERNEL_V2, (CreateCallback) NativeOperator::create);
        field(COMPUTE_V2, (ComputeCallback) (kernel, context) -> compute(context));
        field(GET_START_VERSION, (VersionCallback) operator -> 1);
        field(GET_END_VERSION, (VersionCallback) operator -> Integer.MAX_VALUE);
        domain = api.createDomain(domainName);
        api.addOperator(domain, struct);
    }

    private void field(int index, Callback callback) {
        callbacks.add(callback);
        struct.setPointer((long) index * Long.BYTES, CallbackReference.getFunctionPointer(callback));
    }

    private static Memory cString(String text) {
        byte[] bytes = Arrays.copyOf(text.getBytes(StandardCharsets.US_ASCII), text.length() + 1);
        Memory memory = new Memory(bytes.length);
        memory.write(0, bytes, 0, bytes.length);
        return memory;
    }

    private static Pointer create(Pointer operator, Pointer ortApi, Pointer info, Pointer out) {
        try {
            out.setPointer(0, operator);
            return null;
        } catch (Throwable t) {
            return failure(t);
        }
    }

    /**
     * Everything is caught: an exception that left a callback would be lost and the run would go on with an unwritten
     * output.
     */
    private Pointer compute(Pointer context) {
        try {
            Invocations.COUNT.increment();
            scan(context);
            return null;
        } catch (Throwable t) {
            return failure(t);
        }
    }

    private static Pointer failure(Throwable t) {
        boolean refused = t instanceof IllegalArgumentException;
        if (!refused) LOG.warn("{} failed; the frame's inference fails with it", SelectiveScanOperator.NAME, t);
        String message = refused ? t.getMessage() : t.toString();
        return api.failure(SelectiveScanOperator.DOMAIN + "::" + SelectiveScanOperator.NAME + ": " + message);
    }

    private void scan(Pointer context) {
        OrtApi.TensorView[] in = new OrtApi.TensorView[INPUTS.length];
        for (int i = 0; i < in.length; i++) in[i] = api.input(context, i);
        ScanShape shape = shape(in);
        OrtApi.TensorView y = api.output(context, 0, in[0].shape());
        if (shape.batch() == 0) return;
        int[] order = in[ORDER].data().getIntArray(0, shape.directions() * shape.length());
        ScanData data = new ScanData(
                shape,
                images(in[0], shape),
                images(in[1], shape),
                images(in[2], shape),
                images(in[3], shape),
                floats(in[4]),
                floats(in[5]),
                floats(in[6]),
                order,
                images(y, shape));
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

    private static FloatBuffer[] images(OrtApi.TensorView tensor, ScanShape shape) {
        FloatBuffer[] out = new FloatBuffer[shape.batch()];
        long bytes = Float.BYTES;
        for (int axis = 1; axis < tensor.shape().length; axis++) bytes *= tensor.shape()[axis];
        for (int i = 0; i < out.length; i++) out[i] = floats(tensor.data().getByteBuffer(i * bytes, bytes));
        return out;
    }

    private static FloatBuffer floats(OrtApi.TensorView tensor) {
        long bytes = Float.BYTES;
        for (long d : tensor.shape()) bytes *= d;
        return floats(tensor.data().getByteBuffer(0, bytes));
    }

    private static FloatBuffer floats(ByteBuffer bytes) {
        return bytes.order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
}
