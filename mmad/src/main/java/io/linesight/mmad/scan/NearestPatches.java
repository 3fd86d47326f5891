package io.linesight.mmad.scan;

import io.linesight.mmad.architecture.PatchMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * The operator {@code linesight::NearestPatches}: the cosine distance of every patch of a frame to the nearest patch
 * that lies at the same place, or one place beside it, in one of some remembered images.
 *
 * <p>Inputs: x [B,C,H,W] float, C a multiple of 4; picks [B,K] int64, the remembered images that each frame is compared
 * with; memory [M,H,C/4,W,4] int8; scale [M,H,W] float, which brings a remembered patch to length 1. Output [B,H,W]: 0
 * to 2, 1 for a patch of zeros, NaN for one with NaN.
 *
 * <p>Why an operator: with ONNX Runtime's own, whole rows have to be multiplied where three places of a row are wanted,
 * and the images picked have to be copied and widened to float first (docs/accuracy.md has the times). It comes with
 * the scan's: {@link SelectiveScanOperator#register} registers both.
 *
 * <p>Stateless; any number of threads.
 */
public final class NearestPatches {
    /** Operator name. */
    public static final String NAME = "NearestPatches";
    /** Shorter patches do not reach length 1. */
    static final float MIN_LENGTH = 1e-8f;

    private NearestPatches() {}

    /**
     * The same outside of a session: the distances of one image's patches.
     *
     * @param features [C,H,W] with the memory's padded channels
     * @param picks numbers of the images to compare with, at least one
     * @param threads that may be used, the caller included
     * @return [H,W]
     */
    public static float[] distances(PatchMemory memory, float[] features, int[] picks, int threads) {
        float[] y = new float[memory.places()];
        PatchComparison data = new PatchComparison(
                memory.paddedChannels(),
                memory.side(),
                memory.side(),
                new FloatBuffer[] {FloatBuffer.wrap(features)},
                new int[][] {picks},
                ByteBuffer.wrap(memory.patches()).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer(),
                FloatBuffer.wrap(memory.scales()),
                new FloatBuffer[] {FloatBuffer.wrap(y)});
        if (SelectiveScanOperator.available()) NearestKernel.run(data, threads);
        else PlainNearest.run(data);
        return y;
    }
}
