package io.linesight.trainer.torch;

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
record TrainingScanShape(int batch, int length, int groups, int channels, int rank, int directions, int states) {
    TrainingScanShape {
        int lanes = TrainingScanKernel.LANES;
        if (channels % lanes != 0) {
            throw new IllegalArgumentException("the selective scan works on " + lanes
                    + " channels at a time and needs a multiple of that per group, got " + channels);
        }
        if (states % TrainingScanKernel.PASS != 0) {
            throw new IllegalArgumentException("the selective scan works on " + TrainingScanKernel.PASS
                    + " states at a time and needs a multiple of that, got " + states);
        }
    }

    /** Values per pixel, group and direction: R for the time step, N for B, N for C. */
    int row() {
        return rank + 2 * states;
    }

    /** {@link #row} rounded up to what the kernel's matrix products work on at a time. */
    int paddedRow() {
        return (row() + TrainingScanKernel.QUAD - 1) / TrainingScanKernel.QUAD * TrainingScanKernel.QUAD;
    }

    int chunks() {
        return (length + TrainingScanKernel.CHUNK - 1) / TrainingScanKernel.CHUNK;
    }

    long projectionSize() {
        return (long) groups * batch * length * directions * row();
    }

    long checkpointSize() {
        return (long) batch * groups * directions * chunks() * states * channels;
    }
}
