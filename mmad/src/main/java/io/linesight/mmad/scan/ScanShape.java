package io.linesight.mmad.scan;

/**
 * Sizes of one scan call. Channels are group-major: channel {@code g * width + d}.
 *
 * @param batch images
 * @param length pixels of a map, equally steps of a direction
 * @param groups independent channel groups, each with its own B and C
 * @param width channels of a group
 * @param directions visiting orders
 * @param states states of a channel
 */
record ScanShape(int batch, int length, int groups, int width, int directions, int states) {
    ScanShape {
        if (batch < 0 || length < 1 || groups < 1 || width < 1 || directions < 1 || states < 1) {
            throw new IllegalArgumentException("empty scan: batch " + batch + ", length " + length + ", groups "
                    + groups + ", width " + width + ", directions " + directions + ", states " + states);
        }
        long widest =
                Math.max((long) directions * channels(groups, width), (long) directions * groups * states) * length;
        if (widest * Float.BYTES > Integer.MAX_VALUE)
            throw new IllegalArgumentException("a scan of " + widest + " values per image is too large");
    }

    private static int channels(int groups, int width) {
        return Math.multiplyExact(groups, width);
    }

    int channels() {
        return groups * width;
    }

    /** State updates of the whole call. */
    long updates() {
        return (long) batch * length * channels() * directions * states;
    }

    /** Values of dt per image. */
    int stepValues() {
        return length * directions * channels();
    }

    /** Values of B, and of C, per image. */
    int gateValues() {
        return length * directions * groups * states;
    }

    /** Values of x, and of y, per image. */
    int imageValues() {
        return length * channels();
    }
}
