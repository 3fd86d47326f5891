package io.linesight.mmad.exemption;

import java.util.Objects;

/**
 * A place of a frame, and what is all right to see there.
 *
 * @param stride 8 or 16
 * @param x column of the cell, 0 to {@code 256 / stride - 1}
 * @param y its row
 * @param hot whether it is one of those that made the alarm; the others are their neighbours, which the smoothed map
 *     warms, and cover nothing by themselves
 * @param radius cosine distance up to which a frame looks the same there, above 0 and at most 2
 * @param feature direction of the features there, 8 bit; not copied, not to be changed
 */
public record ExemptCell(int stride, int x, int y, boolean hot, double radius, byte[] feature) {
    public ExemptCell {
        Objects.requireNonNull(feature, "feature");
        if (!FrameFeatures.STRIDES.contains(stride)) throw new IllegalArgumentException("no cells at stride " + stride);
        int side = 256 / stride;
        if (x < 0 || x >= side || y < 0 || y >= side)
            throw new IllegalArgumentException("there is no cell " + x + "," + y + " at stride " + stride);
        if (!(radius > 0 && radius <= 2))
            throw new IllegalArgumentException("a radius must be above 0 and at most 2, got " + radius);
        if (feature.length == 0) throw new IllegalArgumentException("the feature of cell " + x + "," + y + " is empty");
    }

    /** The feature as a vector of length one; zero where the 8 bits are. */
    float[] direction() {
        double squares = 0;
        for (byte b : feature) squares += b * b;
        float scale = squares == 0 ? 0 : (float) (1 / Math.sqrt(squares));
        float[] out = new float[feature.length];
        for (int i = 0; i < out.length; i++) out[i] = feature[i] * scale;
        return out;
    }
}
