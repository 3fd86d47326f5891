package io.linesight.mmad.scan;

import java.nio.FloatBuffer;

/**
 * The tensors of one scan call. Buffers start at index 0, are in native order, and are only read, except those of
 * {@code y}. Per-image arrays keep every buffer below the 2 GB that a buffer can address.
 *
 * @param shape sizes
 * @param x per image [L, C]
 * @param dt per image [L, K*C]; raw, bias not yet added
 * @param b per image [L, K*G*N]
 * @param c per image [L, K*G*N]
 * @param a [K*C, N]
 * @param skip [C]
 * @param bias [K*C]
 * @param order [K*L]; pixel visited at step t of direction k
 * @param y per image [L, C]; overwritten
 */
record ScanData(
        ScanShape shape,
        FloatBuffer[] x,
        FloatBuffer[] dt,
        FloatBuffer[] b,
        FloatBuffer[] c,
        FloatBuffer a,
        FloatBuffer skip,
        FloatBuffer bias,
        int[] order,
        FloatBuffer[] y) {
    ScanData {
        int length = shape.length();
        for (int i = 0; i < order.length; i++) {
            if (order[i] < 0 || order[i] >= length) {
                throw new IllegalArgumentException("order names pixel " + order[i] + " at direction " + i / length
                        + ", step " + i % length + "; the map has " + length + " pixels");
            }
        }
    }
}
