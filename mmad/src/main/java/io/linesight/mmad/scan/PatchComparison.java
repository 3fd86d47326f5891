package io.linesight.mmad.scan;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * The tensors of one call of {@link NearestPatches}. Buffers start at index 0 and are only read, except {@code y}.
 *
 * @param channels C of a patch, a multiple of 4
 * @param height H rows of places
 * @param width W places of a row
 * @param x per image [C, H, W]; any length of the vectors
 * @param picks per image the K remembered images to compare with
 * @param memory [M, H, C/4, W], four channels of int8 in each value, the first in the low byte
 * @param scale [M, H, W]; brings a remembered patch to length 1, 0 for one without direction
 * @param y per image [H, W]; overwritten
 */
record PatchComparison(
        int channels,
        int height,
        int width,
        FloatBuffer[] x,
        int[][] picks,
        IntBuffer memory,
        FloatBuffer scale,
        FloatBuffer[] y) {
    PatchComparison {
        if (channels < 4 || channels % 4 != 0 || height < 1 || width < 1)
            throw new IllegalArgumentException("patches need a multiple of four channels and a place, got " + channels
                    + " channels at " + height + "x" + width + " places");
        int images = scale.limit() / (height * width);
        for (int[] some : picks) {
            if (some.length == 0) throw new IllegalArgumentException("there is no image to compare with");
            for (int i : some)
                if (i < 0 || i >= images)
                    throw new IllegalArgumentException(
                            "there is no remembered image " + i + "; the memory holds " + images);
        }
    }

    int batch() {
        return x.length;
    }

    int places() {
        return height * width;
    }

    /** Values of {@link #memory} in one row of one image. */
    int rowInts() {
        return channels / 4 * width;
    }
}
