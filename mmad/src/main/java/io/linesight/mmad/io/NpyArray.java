package io.linesight.mmad.io;

import java.util.Arrays;

/**
 * An n-dimensional array of a NumPy file, C order.
 *
 * @param shape dimensions; empty for a scalar
 * @param data {@code float[]} (f4), {@code double[]} (f8), {@code int[]} (i4), {@code long[]} (i8), {@code byte[]} (u1)
 *     or {@code boolean[]} (b1), of as many elements as the shape says; not copied
 */
public record NpyArray(int[] shape, Object data) {
    public NpyArray {
        long expected = elements(shape);
        int length = length(data);
        if (expected != length) {
            throw new IllegalArgumentException(
                    "shape " + Arrays.toString(shape) + " holds " + expected + " elements, the data has " + length);
        }
    }

    /** The number of elements. */
    public int size() {
        return length(data);
    }

    /** The values as float32; the array itself when it is stored so, else a converted copy (bytes count as 0..255). */
    public float[] floats() {
        if (data instanceof float[] f) return f;
        float[] out = new float[size()];
        for (int i = 0; i < out.length; i++) out[i] = (float) number(i);
        return out;
    }

    /** The values as float64; the array itself when it is stored so, else a converted copy (bytes count as 0..255). */
    public double[] doubles() {
        if (data instanceof double[] d) return d;
        double[] out = new double[size()];
        for (int i = 0; i < out.length; i++) out[i] = number(i);
        return out;
    }

    /**
     * The values as int; the array itself when it is stored so, else a converted copy.
     *
     * @throws IllegalStateException when the array holds floating-point numbers or a value that does not fit
     */
    public int[] ints() {
        if (data instanceof int[] i) return i;
        if (data instanceof float[] || data instanceof double[])
            throw new IllegalStateException("the array holds floating-point numbers, not integers");
        int[] out = new int[size()];
        for (int i = 0; i < out.length; i++) {
            if (data instanceof long[] l) {
                if (l[i] != (int) l[i])
                    throw new IllegalStateException("element " + i + " = " + l[i] + " does not fit into an int");
                out[i] = (int) l[i];
            } else {
                out[i] = (int) number(i);
            }
        }
        return out;
    }

    /**
     * The unsigned 8-bit values (booleans become 0 and 1); the array itself when it is stored so.
     *
     * @throws IllegalStateException when the array holds anything else
     */
    public byte[] bytes() {
        if (data instanceof byte[] b) return b;
        if (data instanceof boolean[] b) {
            byte[] out = new byte[b.length];
            for (int i = 0; i < out.length; i++) out[i] = (byte) (b[i] ? 1 : 0);
            return out;
        }
        throw new IllegalStateException("the array holds " + data.getClass().getSimpleName() + ", not bytes");
    }

    private double number(int i) {
        if (data instanceof float[] f) return f[i];
        if (data instanceof double[] d) return d[i];
        if (data instanceof int[] n) return n[i];
        if (data instanceof long[] l) return l[i];
        if (data instanceof byte[] b) return b[i] & 0xff;
        return ((boolean[]) data)[i] ? 1 : 0;
    }

    static long elements(int[] shape) {
        long n = 1;
        for (int d : shape) {
            if (d < 0) throw new IllegalArgumentException("negative dimension in shape " + Arrays.toString(shape));
            n = Math.multiplyExact(n, (long) d);
        }
        return n;
    }

    private static int length(Object data) {
        if (data instanceof float[] f) return f.length;
        if (data instanceof double[] d) return d.length;
        if (data instanceof int[] n) return n.length;
        if (data instanceof long[] l) return l.length;
        if (data instanceof byte[] b) return b.length;
        if (data instanceof boolean[] b) return b.length;
        throw new IllegalArgumentException(
                "arrays of " + (data == null ? "null" : data.getClass().getSimpleName()) + " are not supported");
    }
}
