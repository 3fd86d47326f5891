package io.linesight.mmad.scan;

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
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An operator as ONNX Runtime sees it: one {@code OrtCustomOp}, made once and never freed, because sessions may outlive
 * whoever registered it. The kernel has no state but its thread count, so the operator serves as its own kernel.
 */
abstract class NativeOperator {
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

    static final int TYPE_FLOAT = 1;
    static final int TYPE_INT8 = 3;
    static final int TYPE_INT32 = 6;
    static final int TYPE_INT64 = 7;

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

    private final String name;
    private final Memory nativeName;
    private final Memory struct = new Memory((long) FIELDS * Long.BYTES);
    /** JNA holds callbacks weakly. */
    private final List<Callback> callbacks = new ArrayList<>();

    final OrtApi api;

    /**
     * @param name within the domain
     * @param inputTypes element type of each input; the one output is float32
     */
    NativeOperator(OrtApi api, String name, int... inputTypes) {
        this.api = api;
        this.name = name;
        nativeName = cString(name);
        struct.clear();
        struct.setInt(0, VERSION);
        field(GET_NAME, (NameCallback) operator -> nativeName);
        field(GET_EXECUTION_PROVIDER, (NameCallback) operator -> null);
        field(GET_INPUT_TYPE, (PropertyCallback) (operator, index) -> inputTypes[(int) index]);
        field(GET_INPUT_COUNT, (CountCallback) operator -> inputTypes.length);
        field(GET_OUTPUT_TYPE, (PropertyCallback) (operator, index) -> TYPE_FLOAT);
        field(GET_OUTPUT_COUNT, (CountCallback) operator -> 1);
        field(DESTROY_KERNEL, (DestroyCallback) kernel -> {});
        field(GET_INPUT_CHARACTERISTIC, (PropertyCallback) (operator, index) -> 0);
        field(GET_OUTPUT_CHARACTERISTIC, (PropertyCallback) (operator, index) -> 0);
        field(GET_INPUT_MEMORY_TYPE, (PropertyCallback) (operator, index) -> 0);
        field(CREATE_KERNEL_V2, (CreateCallback) this::create);
        field(COMPUTE_V2, (ComputeCallback) (kernel, context) -> compute(context));
        field(GET_START_VERSION, (VersionCallback) operator -> 1);
        field(GET_END_VERSION, (VersionCallback) operator -> Integer.MAX_VALUE);
    }

    /** The {@code OrtCustomOp}. */
    Pointer struct() {
        return struct;
    }

    /**
     * Computes one call; whatever it throws fails the session's run.
     *
     * @throws IllegalArgumentException when inputs do not fit each other
     */
    abstract void run(Pointer context);

    private void field(int index, Callback callback) {
        callbacks.add(callback);
        struct.setPointer((long) index * Long.BYTES, CallbackReference.getFunctionPointer(callback));
    }

    static Memory cString(String text) {
        byte[] bytes = Arrays.copyOf(text.getBytes(StandardCharsets.US_ASCII), text.length() + 1);
        Memory memory = new Memory(bytes.length);
        memory.write(0, bytes, 0, bytes.length);
        return memory;
    }

    private Pointer create(Pointer operator, Pointer ortApi, Pointer info, Pointer out) {
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
            run(context);
            return null;
        } catch (Throwable t) {
            return failure(t);
        }
    }

    private Pointer failure(Throwable t) {
        boolean refused = t instanceof IllegalArgumentException;
        if (!refused) LOG.warn("{} failed; the frame's inference fails with it", name, t);
        String message = refused ? t.getMessage() : t.toString();
        return api.failure(SelectiveScanOperator.DOMAIN + "::" + name + ": " + message);
    }

    /** A buffer per image of a tensor whose first axis is the image. */
    static FloatBuffer[] images(OrtApi.TensorView tensor, int batch) {
        FloatBuffer[] out = new FloatBuffer[batch];
        long bytes = Float.BYTES;
        for (int axis = 1; axis < tensor.shape().length; axis++) bytes *= tensor.shape()[axis];
        for (int i = 0; i < out.length; i++) out[i] = floats(tensor.data().getByteBuffer(i * bytes, bytes));
        return out;
    }

    static FloatBuffer floats(OrtApi.TensorView tensor) {
        long bytes = Float.BYTES;
        for (long d : tensor.shape()) bytes *= d;
        return floats(tensor.data().getByteBuffer(0, bytes));
    }

    private static FloatBuffer floats(ByteBuffer bytes) {
        return bytes.order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
}
