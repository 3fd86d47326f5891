package io.linesight.mmad.image;

import java.util.Arrays;
import java.util.List;

/**
 * What a JPEG's frame header says, and how much of the image the scans have brought so far.
 *
 * @param process 0, 1: sequential; 2: progressive
 * @param width pixels
 * @param height pixels
 */
record JpegFrame(int process, int width, int height, List<Component> components) {
    /** The highest sampling factors. */
    private static int max(List<Component> components, boolean horizontal) {
        return components.stream()
                .mapToInt(c -> horizontal ? c.across : c.down)
                .max()
                .orElse(1);
    }

    boolean progressive() {
        return process == 2;
    }

    int unitsWide() {
        return ceil(width, 8 * max(components, true));
    }

    int unitsHigh() {
        return ceil(height, 8 * max(components, false));
    }

    /** Blocks of a component in a scan of its own, which leaves out those that are padding only. */
    int blocksWide(Component c) {
        return ceil(ceil(width * c.across, max(components, true)), 8);
    }

    int blocksHigh(Component c) {
        return ceil(ceil(height * c.down, max(components, false)), 8);
    }

    private static int ceil(int a, int b) {
        return (a + b - 1) / b;
    }

    /** A colour plane. */
    static final class Component {
        static final int UNSEEN = -1;

        final int id;
        final int across;
        final int down;
        /** By coefficient: the bit that the last scan brought; 0 when it is complete. */
        final int[] lowestBit = new int[64];
        /** By block: the coefficients that are not zero, progressive only. */
        long[] nonZero = new long[0];

        Component(int id, int across, int down) {
            this.id = id;
            this.across = across;
            this.down = down;
            Arrays.fill(lowestBit, UNSEEN);
        }

        boolean complete() {
            return Arrays.stream(lowestBit).allMatch(bit -> bit == 0);
        }
    }
}
