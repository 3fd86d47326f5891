package io.linesight.mmad.exemption;

/**
 * What an encoder saw of a batch.
 *
 * @param count frames in the batch, N
 * @param fine stride 8: {@code [N, c, 32, 32]}, row-major; not to be changed
 * @param coarse stride 16: {@code [N, c, 16, 16]}, row-major; not to be changed
 */
public record BatchFeatures(int count, float[] fine, float[] coarse) {

    /**
     * One frame's, as exemptions compare them.
     *
     * @param frame place in the batch
     */
    public FrameFeatures frame(int frame) {
        return FrameFeatures.of(fine, coarse, frame, count);
    }
}
