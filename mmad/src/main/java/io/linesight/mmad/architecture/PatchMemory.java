package io.linesight.mmad.architecture;

/**
 * Patches of remembered images at one stride, 8 bits a channel. Only directions are kept: a patch is compared by its
 * cosine.
 *
 * <p>Layout [M,S,G,S,4] with G = ceil(C/4): image, row, four channels, place in the row, channel of the four. Missing
 * channels are 0. The arrays are not copied. Thread-safe as long as nobody {@linkplain #remember remembers}.
 *
 * @param channels C of a patch
 * @param side S places along a side of an image
 * @param patches M*S*G*S*4 values
 * @param scales [M,S,S]: times the values gives a patch of length 1; 0 for a patch of zeros
 */
public record PatchMemory(int channels, int side, byte[] patches, float[] scales) {
    private static final int LARGEST = 127;

    public PatchMemory {
        int places = side * side;
        if (channels < 1 || side < 1 || scales.length % places != 0)
            throw new IllegalArgumentException(
                    "a memory of " + channels + " channels at " + side + "x" + side + " places, " + scales.length);
        if (patches.length != (long) scales.length * padded(channels))
            throw new IllegalArgumentException(scales.length + " patches of " + channels + " channels need "
                    + (long) scales.length * padded(channels) + " values, got " + patches.length);
    }

    /**
     * Room for images, all zero.
     *
     * @throws IllegalArgumentException when an array cannot be so large
     */
    public static PatchMemory create(int images, int channels, int side) {
        long values = bytes(images, channels, side);
        if (values > Integer.MAX_VALUE - 8)
            throw new IllegalArgumentException(images + " images need " + values + " bytes at one stride, over 2 GB");
        return new PatchMemory(channels, side, new byte[(int) values], new float[images * side * side]);
    }

    /** Bytes of the patches of some images. */
    public static long bytes(int images, int channels, int side) {
        return (long) images * side * side * padded(channels);
    }

    /** Channels with the zeros that fill the last four up. */
    public static int padded(int channels) {
        return (channels + 3) / 4 * 4;
    }

    public int paddedChannels() {
        return padded(channels);
    }

    /** Places of an image. */
    public int places() {
        return side * side;
    }

    /** Number of images. */
    public int images() {
        return scales.length / places();
    }

    /**
     * Keeps an image.
     *
     * @param image its number
     * @param features [padded channels, S, S], finite, from {@code at} on
     */
    public void remember(int image, float[] features, int at) {
        int padded = paddedChannels();
        for (int p = 0; p < places(); p++) {
            float largest = 0;
            for (int c = 0; c < padded; c++) largest = Math.max(largest, Math.abs(features[at + c * places() + p]));
            if (!Float.isFinite(largest))
                throw new IllegalArgumentException("the encoder gave a value that is not a number for an image");
            double squares = 0;
            for (int c = 0; c < padded; c++) {
                int v = largest == 0 ? 0 : Math.round(features[at + c * places() + p] / largest * LARGEST);
                patches[index(image, p, c)] = (byte) v;
                squares += v * v;
            }
            // Of the values as they are kept, so that their length is 1 exactly.
            scales[image * places() + p] = squares == 0 ? 0 : (float) (1 / Math.sqrt(squares));
        }
    }

    /** An image's patches [padded channels, S, S], each of length 1 or 0. */
    public float[] features(int image) {
        int padded = paddedChannels();
        float[] features = new float[padded * places()];
        for (int p = 0; p < places(); p++) {
            float scale = scales[image * places() + p];
            for (int c = 0; c < padded; c++) features[c * places() + p] = scale * patches[index(image, p, c)];
        }
        return features;
    }

    /** The memory of some of the images, in the order given. */
    public PatchMemory select(int[] images) {
        PatchMemory some = create(images.length, channels, side);
        int each = places() * paddedChannels();
        for (int i = 0; i < images.length; i++) {
            System.arraycopy(patches, images[i] * each, some.patches, i * each, each);
            System.arraycopy(scales, images[i] * places(), some.scales, i * places(), places());
        }
        return some;
    }

    private int index(int image, int place, int channel) {
        int row = place / side;
        return (((image * side + row) * (paddedChannels() / 4) + channel / 4) * side + place % side) * 4 + channel % 4;
    }

    @Override
    public String toString() {
        return "PatchMemory[" + images() + " images, " + channels + " channels, " + side + "x" + side + "]";
    }
}
