package io.linesight.mmad.scan;

import ai.onnxruntime.OrtSession;
import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.linesight.mmad.onnx.OnnxRuntime;
import java.lang.reflect.Field;

/**
 * The few functions of ONNX Runtime's C API that a custom operator needs and its Java API does not offer. They are
 * reached through the table that the Java API itself loaded, so both speak to the same library. All slots belong to
 * version 1 of the API, whose order ONNX Runtime guarantees.
 */
final class OrtApi {
    private static final int CREATE_STATUS = 0;
    private static final int GET_ERROR_MESSAGE = 2;
    private static final int CREATE_CUSTOM_OP_DOMAIN = 26;
    private static final int CUSTOM_OP_DOMAIN_ADD = 27;
    private static final int ADD_CUSTOM_OP_DOMAIN = 28;
    private static final int GET_TENSOR_MUTABLE_DATA = 51;
    private static final int GET_DIMENSIONS_COUNT = 61;
    private static final int GET_DIMENSIONS = 62;
    private static final int GET_TENSOR_TYPE_AND_SHAPE = 65;
    private static final int KERNEL_CONTEXT_GET_INPUT = 90;
    private static final int KERNEL_CONTEXT_GET_OUTPUT = 91;
    private static final int RELEASE_STATUS = 93;
    private static final int RELEASE_TENSOR_TYPE_AND_SHAPE_INFO = 99;
    private static final int LAST = RELEASE_TENSOR_TYPE_AND_SHAPE_INFO;
    private static final int RUNTIME_EXCEPTION = 6;
    private static final int MAX_DIMENSIONS = 8;

    private final Function[] functions = new Function[LAST + 1];

    /** @throws ReflectiveOperationException when this ONNX Runtime keeps its handles elsewhere */
    OrtApi() throws ReflectiveOperationException {
        OnnxRuntime.environment();
        Field handle = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("ortApiHandle");
        handle.setAccessible(true);
        Pointer table = new Pointer(handle.getLong(null));
        int[] used = {
            CREATE_STATUS,
            GET_ERROR_MESSAGE,
            CREATE_CUSTOM_OP_DOMAIN,
            CUSTOM_OP_DOMAIN_ADD,
            ADD_CUSTOM_OP_DOMAIN,
            GET_TENSOR_MUTABLE_DATA,
            GET_DIMENSIONS_COUNT,
            GET_DIMENSIONS,
            GET_TENSOR_TYPE_AND_SHAPE,
            KERNEL_CONTEXT_GET_INPUT,
            KERNEL_CONTEXT_GET_OUTPUT,
            RELEASE_STATUS,
            RELEASE_TENSOR_TYPE_AND_SHAPE_INFO
        };
        for (int slot : used) functions[slot] = Function.getFunction(table.getPointer((long) slot * Long.BYTES));
    }

    private void call(int slot, Object... arguments) {
        Pointer status = functions[slot].invokePointer(arguments);
        if (status == null) return;
        String message = functions[GET_ERROR_MESSAGE]
                .invokePointer(new Object[] {status})
                .getString(0);
        functions[RELEASE_STATUS].invokeVoid(new Object[] {status});
        throw new IllegalStateException("ONNX Runtime: " + message);
    }

    /** A status for ONNX Runtime to report; it takes ownership. */
    Pointer failure(String message) {
        return functions[CREATE_STATUS].invokePointer(new Object[] {RUNTIME_EXCEPTION, message});
    }

    Pointer createDomain(Pointer name) {
        Memory out = new Memory(Long.BYTES);
        call(CREATE_CUSTOM_OP_DOMAIN, name, out);
        return out.getPointer(0);
    }

    void addOperator(Pointer domain, Pointer operator) {
        call(CUSTOM_OP_DOMAIN_ADD, domain, operator);
    }

    void addDomain(OrtSession.SessionOptions options, Pointer domain) throws ReflectiveOperationException {
        Field handle = OrtSession.SessionOptions.class.getDeclaredField("nativeHandle");
        handle.setAccessible(true);
        call(ADD_CUSTOM_OP_DOMAIN, new Pointer(handle.getLong(options)), domain);
    }

    /** A tensor of a kernel call; valid until the call returns. */
    record TensorView(Pointer data, long[] shape) {
        int dimension(int axis) {
            return Math.toIntExact(shape[axis]);
        }
    }

    TensorView input(Pointer context, int index) {
        try (Memory out = new Memory((long) MAX_DIMENSIONS * Long.BYTES)) {
            call(KERNEL_CONTEXT_GET_INPUT, context, (long) index, out);
            Pointer value = out.getPointer(0);
            call(GET_TENSOR_TYPE_AND_SHAPE, value, out);
            Pointer info = out.getPointer(0);
            long[] shape;
            try {
                call(GET_DIMENSIONS_COUNT, info, out);
                int rank = (int) out.getLong(0);
                if (rank > MAX_DIMENSIONS)
                    throw new IllegalArgumentException("input " + index + " has " + rank + " dimensions");
                call(GET_DIMENSIONS, info, out, (long) rank);
                shape = out.getLongArray(0, rank);
            } finally {
                functions[RELEASE_TENSOR_TYPE_AND_SHAPE_INFO].invokeVoid(new Object[] {info});
            }
            call(GET_TENSOR_MUTABLE_DATA, value, out);
            return new TensorView(out.getPointer(0), shape);
        }
    }

    TensorView output(Pointer context, int index, long... shape) {
        try (Memory out = new Memory(Long.BYTES);
                Memory dimensions = new Memory((long) shape.length * Long.BYTES)) {
            dimensions.write(0, shape, 0, shape.length);
            call(KERNEL_CONTEXT_GET_OUTPUT, context, (long) index, dimensions, (long) shape.length, out);
            Pointer value = out.getPointer(0);
            call(GET_TENSOR_MUTABLE_DATA, value, out);
            return new TensorView(out.getPointer(0), shape);
        }
    }
}
