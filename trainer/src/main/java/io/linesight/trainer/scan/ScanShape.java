package io.linesight.trainer.scan;

/**
 * Sizes of one batched selective scan.
 *
 * @param batch images
 * @param length pixels L of the map
 * @param groups independent channel groups G
 * @param channels channels D of one group, a multiple of the vector lanes
 * @param rank rank R of the time step's projection
 * @param directions visiting orders K
 * @param states states N per channel, a multiple of four
 */
record ScanShape(int batch, int length, int groups, int channels, int rank, int directions, int states) {
    ScanShape {
        int lanes = ScanKernel.LANES;
        if (channels % lanes != 0) {
            throw new IllegalArgumentException("the selective scan works on " + lanes
                    + " channels at a time and needs a multiple of that per group, got " + channels);
        }
        if (states % ScanKernel.PASS != 0) {
            throw new IllegalArgumentException("the selective scan works on " + ScanKernel.PASS
                    + " states at a time and needs a multiple of that, got " + states);
        }
    }

    /** Values per pixel, group and direction: R for the time step, N for B, N for C. */
    int row() {
        return rank + 2 * states;
    }

    /** {@link #row} rounded up to what the kernel's matrix products work on at a time. */
    int paddedRow() {
        return (row() + ScanKernel.QUAD - 1) / ScanKernel.QUAD * ScanKernel.QUAD;
    }

    int chunks() {
        return (length + ScanKernel.CHUNK - 1) / ScanKernel.CHUNK;
    }

    long projectionSize() {
        return (long) groups * batch * length * directions * row();
    }

    long checkpointSize() {
        return (long) batch * groups * directions * chunks() * states * channels;
    }
}
