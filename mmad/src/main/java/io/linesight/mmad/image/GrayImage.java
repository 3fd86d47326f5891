package io.linesight.mmad.image;

/**
 * A one-channel image.
 *
 * @param width pixels
 * @param height pixels
 * @param gray {@code width*height} unsigned bytes, rows from the top; not copied
 */
public record GrayImage(int width, int height, byte[] gray) {
    public GrayImage {
        if (width < 1 || height < 1)
            throw new IllegalArgumentException("image size must be positive, got " + width + "x" + height);
        if (gray.length != (long) width * height)
            throw new IllegalArgumentException("a " + width + "x" + height + " grey image needs "
                    + (long) width * height + " bytes, got " + gray.length);
    }
}
