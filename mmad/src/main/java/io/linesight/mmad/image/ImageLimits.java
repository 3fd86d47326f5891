package io.linesight.mmad.image;

/**
 * What an image may be at most; checked on its header, before any pixel memory is allocated.
 *
 * @param maxSide longest side in pixels
 * @param maxPixels width times height
 * @param maxBytes bytes of the encoded (or raw) image
 */
public record ImageLimits(int maxSide, long maxPixels, long maxBytes) {
    private static final ImageLimits DEFAULTS = new ImageLimits(16_384, 64_000_000L, 64L << 20);

    public ImageLimits {
        if (maxSide < 1 || maxPixels < 1 || maxBytes < 1)
            throw new IllegalArgumentException(
                    "image limits must be positive, got " + maxSide + ", " + maxPixels + ", " + maxBytes);
        // A side or area beyond this could not be held in one Java array of RGB bytes.
        if (maxPixels > Integer.MAX_VALUE / 3 - 16)
            throw new IllegalArgumentException(
                    "maxPixels must be at most " + (Integer.MAX_VALUE / 3 - 16) + ", got " + maxPixels);
    }

    /** 16,384 pixels a side, 64 megapixels, 64 MiB. */
    public static ImageLimits defaults() {
        return DEFAULTS;
    }

    void checkBytes(long bytes) throws BadImageException {
        if (bytes > maxBytes)
            throw new BadImageException(
                    BadImageException.Code.TOO_LARGE, "the image has " + bytes + " bytes; the limit is " + maxBytes);
    }

    void checkSize(long width, long height) throws BadImageException {
        if (width > maxSide || height > maxSide) {
            throw new BadImageException(
                    BadImageException.Code.TOO_LARGE,
                    "the image is " + width + "x" + height + " pixels; the limit is " + maxSide + " a side ("
                            + DecodeSettings.MAX_SIDE + "; --max-pixels of commands)");
        }
        if (width * height > maxPixels) {
            throw new BadImageException(
                    BadImageException.Code.TOO_LARGE,
                    "the image is " + width + "x" + height + " = " + width * height + " pixels; the limit is "
                            + maxPixels + " (" + DecodeSettings.MAX_PIXELS + "; --max-pixels of commands)");
        }
    }
}
