package io.linesight.mmad.exemption;

import java.util.List;

/** What an encoder sees of a frame, at strides 8 and 16, as exemptions compare it. Immutable, thread-safe. */
public final class FrameFeatures {
    /** Strides of the 256x256 input, finest first. */
    public static final List<Integer> STRIDES = List.of(8, 16);

    private final List<FeatureGrid> grids;

    private FrameFeatures(List<FeatureGrid> grids) {
        this.grids = grids;
    }

    /**
     * Takes a frame's features out of a batch's.
     *
     * @param fine stride 8: {@code [N, c, 32, 32]}, row-major; not kept
     * @param coarse stride 16: {@code [N, c, 16, 16]}, row-major; not kept
     * @param frame place in the batch
     * @param count frames in the batch, N
     */
    public static FrameFeatures of(float[] fine, float[] coarse, int frame, int count) {
        return new FrameFeatures(List.of(grid(fine, frame, count, 8), grid(coarse, frame, count, 16)));
    }

    private static FeatureGrid grid(float[] values, int frame, int count, int stride) {
        int cells = (256 / stride) * (256 / stride);
        int each = values.length / count;
        if (each == 0 || each * count != values.length || each % cells != 0)
            throw new IllegalArgumentException(
                    values.length + " values are no features of " + count + " frames at stride " + stride);
        return FeatureGrid.of(values, frame * each, each / cells, stride);
    }

    /** Channels at a stride of {@link #STRIDES}. */
    public int channels(int stride) {
        return grid(stride).channels();
    }

    FeatureGrid grid(int stride) {
        int i = STRIDES.indexOf(stride);
        if (i < 0) throw new IllegalArgumentException("no features at stride " + stride);
        return grids.get(i);
    }
}
