package io.linesight.mmad.architecture;

import java.util.Arrays;

/**
 * A float32 tensor in row-major order. The array is not copied: whoever makes a tensor hands the array over.
 *
 * @param data values, length = product of shape
 * @param shape sizes; empty for a scalar
 */
public record Tensor(float[] data, int... shape) {
    public Tensor {
        long n = 1;
        for (int d : shape) n *= d;
        if (n != data.length)
            throw new IllegalArgumentException(
                    "shape " + Arrays.toString(shape) + " needs " + n + " values, got " + data.length);
    }

    public int size() {
        return data.length;
    }

    @Override
    public String toString() {
        return "Tensor" + Arrays.toString(shape);
    }
}
