package io.linesight.mmad.view;

/**
 * A part of a frame, in its pixels.
 *
 * @param x left edge
 * @param y upper edge
 * @param width at least 1
 * @param height at least 1
 */
public record Box(int x, int y, int width, int height) {
    /** @throws IllegalArgumentException when it is empty or begins before the frame */
    public Box {
        if (x < 0 || y < 0 || width < 1 || height < 1)
            throw new IllegalArgumentException(
                    "a box has a corner from 0,0 on and a size, got " + x + "," + y + "," + width + "," + height);
    }

    int right() {
        return Math.addExact(x, width);
    }

    int bottom() {
        return Math.addExact(y, height);
    }

    @Override
    public String toString() {
        return width + "x" + height + " at " + x + "," + y;
    }
}
