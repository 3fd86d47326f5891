package io.linesight.simulator;

import java.util.List;

/**
 * A large frame: a camera above a tray of parts of one product, side by side, each drawn at its own size. At most one
 * part is defective.
 *
 * @param size side of the frame in pixels, {@value #MIN_SIZE} to {@value #MAX_SIZE}
 * @param minDefect smallest extent of a defect in pixels; 0 where defects are the product's own, of any size
 * @param maxDefect its greatest extent
 */
public record Tray(int size, int minDefect, int maxDefect) {
    /** So that a whole part lies in the frame wherever its edges cut others. */
    public static final int MIN_SIZE = 3 * SimulatedLine.SIZE;

    public static final int MAX_SIZE = 4096;
    /** Below it a defect is noise; above it, half a part. */
    public static final int MIN_DEFECT = 4;

    public static final int MAX_DEFECT = 64;

    /** @throws IllegalArgumentException naming what is out of range */
    public Tray {
        if (size < MIN_SIZE || size > MAX_SIZE)
            throw new IllegalArgumentException(
                    "a tray of parts is " + MIN_SIZE + " to " + MAX_SIZE + " pixels wide, got " + size);
        boolean own = minDefect == 0 && maxDefect == 0;
        if (!own && (minDefect < MIN_DEFECT || maxDefect > MAX_DEFECT || minDefect > maxDefect))
            throw new IllegalArgumentException("small defects are " + MIN_DEFECT + " to " + MAX_DEFECT
                    + " pixels long, such as 8-16, got " + minDefect + "-" + maxDefect);
    }

    /** Parts along a side; those at the edges may be cut. */
    int parts() {
        return (size + SimulatedLine.SIZE - 1) / SimulatedLine.SIZE;
    }

    /** Pixels by which the first part of a row is cut. */
    int cut() {
        return (parts() * SimulatedLine.SIZE - size) / 2;
    }

    boolean small() {
        return maxDefect > 0;
    }

    /** Defects that parts of this product can have on such a tray. */
    public List<String> defects(String product) {
        return small() ? SmallDefect.KINDS : SimulatedLine.defects(product);
    }
}
