package io.linesight.mmad.statedict;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Where a tensor lies: a strided view of a storage. It is checked when it is made: every element is inside the storage,
 * and it has no more elements than the storage.
 *
 * @param storage key of the storage in its file
 * @param size elements of the storage
 * @param offset first element
 * @param stride in elements
 */
record TensorRef(String storage, ElementType type, long size, long offset, long[] shape, long[] stride) {
    private static final int MAX_RANK = 16;

    /** @return what is wrong with it, or null */
    String problem() {
        if (shape.length != stride.length || shape.length > MAX_RANK)
            return "has " + shape.length + " sizes and " + stride.length + " strides";
        long count = 1;
        long last = offset;
        try {
            for (int i = 0; i < shape.length; i++) {
                if (shape[i] < 0 || stride[i] < 0) return "has a negative size or stride";
                if (shape[i] > Integer.MAX_VALUE) return "has an absurd size";
                count = Math.multiplyExact(count, shape[i]);
                if (shape[i] > 0) last = Math.addExact(last, Math.multiplyExact(shape[i] - 1, stride[i]));
            }
        } catch (ArithmeticException e) {
            return "has an absurd size";
        }
        if (count > Integer.MAX_VALUE / 8) return "has " + count + " elements, more than are read here";
        if (offset < 0 || count > size || count > 0 && last >= size)
            return "reaches beyond its storage of " + size + " elements";
        return null;
    }

    long count() {
        long n = 1;
        for (long s : shape) n *= s;
        return n;
    }

    int[] intShape() {
        return Arrays.stream(shape).mapToInt(Math::toIntExact).toArray();
    }

    /** The elements in row-major order. */
    float[] floats(ByteBuffer bytes) {
        float[] values = new float[(int) count()];
        int[] at = new int[shape.length];
        long index = offset;
        for (int i = 0; i < values.length; i++) {
            values[i] = type.at(bytes, (int) index);
            for (int d = shape.length - 1; d >= 0; d--) {
                index += stride[d];
                if (++at[d] < shape[d]) break;
                index -= shape[d] * stride[d];
                at[d] = 0;
            }
        }
        return values;
    }

    @Override
    public String toString() {
        return type.word() + Arrays.toString(shape);
    }
}
