package io.linesight.mmad.image;

/**
 * Images and masks at the model's resolution, equal to the reference's Pillow pipeline bit by bit. Stateless; any
 * thread.
 */
public final class Preprocess {
    /** Side of the model's input in pixels. */
    public static final int SIDE = 256;

    private Preprocess() {}

    /**
     * Resizes to 256x256 (the aspect ratio is not kept) with antialiased bilinear filtering.
     *
     * @return planar RGB, {@code 3*256*256} unsigned bytes; normalising by mean and standard deviation is the model's
     *     part
     */
    public static byte[] toModelInput(RgbImage image) {
        return Resampler.resizeToPlanar(image.rgb(), image.width(), image.height(), 3, SIDE, SIDE);
    }

    /**
     * Brings a ground-truth mask to 256x256: above 0 becomes 255, resized as the image is, above one half counts as
     * defect.
     *
     * @param gray {@code width*height} unsigned bytes
     * @return 256*256 bytes, each 0 or 1
     */
    public static byte[] mask(byte[] gray, int width, int height) {
        return mask(gray, width, height, SIDE);
    }

    private static byte[] mask(byte[] gray, int width, int height, int side) {
        if (width < 1 || height < 1 || gray.length != (long) width * height) {
            throw new IllegalArgumentException("a " + width + "x" + height + " mask needs " + (long) width * height
                    + " bytes, got " + gray.length);
        }
        byte[] binary = new byte[gray.length];
        for (int i = 0; i < binary.length; i++) binary[i] = (byte) (gray[i] != 0 ? 255 : 0);
        byte[] out = Resampler.resizeToPlanar(binary, width, height, 1, side, side);
        for (int i = 0; i < out.length; i++) out[i] = (byte) ((out[i] & 0xff) > 127 ? 1 : 0);
        return out;
    }

    /** The same for a mask decoded as an image: a pixel counts as marked when any of its channels is above 0. */
    public static byte[] mask(RgbImage image) {
        return mask(image, SIDE);
    }

    /**
     * The same at another resolution.
     *
     * @return side*side bytes, each 0 or 1
     */
    public static byte[] mask(RgbImage image, int side) {
        byte[] rgb = image.rgb();
        byte[] gray = new byte[rgb.length / 3];
        for (int i = 0; i < gray.length; i++) gray[i] = (byte) (rgb[3 * i] | rgb[3 * i + 1] | rgb[3 * i + 2]);
        return mask(gray, image.width(), image.height(), side);
    }
}
