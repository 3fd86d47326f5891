package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.EMPTY;
import static io.linesight.mmad.image.BadImageException.Code.SIZE_MISMATCH;
import static io.linesight.mmad.image.BadImageException.Code.UNSUPPORTED;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The images of camera frames, encoded or raw: one meaning for whoever reads a frame. Stateless; any number of threads.
 */
public final class FrameImages {
    /** Attribute of a raw frame: bytes from a row to the next, where rows are padded. */
    public static final String STRIDE = "image.stride";
    /** Attribute of a 16-bit frame: bits that its samples use, 8 to 16; before the reader's setting. */
    public static final String BITS = "image.bits";

    private static final String ENCODINGS = "JPEG, PNG, GRAY8, RGB8, BGR8 and MONO16";

    private FrameImages() {}

    /**
     * Decodes a frame.
     *
     * @param encoding JPEG, PNG (the bytes decide which of them), GRAY8, RGB8, BGR8, or MONO16 with the low byte first
     * @param width pixels, of raw encodings
     * @param height pixels, of raw encodings
     * @param attributes of the frame; {@link #STRIDE} and {@link #BITS} count
     * @param bytes not kept
     * @throws BadImageException as {@link ImageCodec#decode}; SIZE_MISMATCH when raw pixels do not fill the size, with
     *     the likely cause
     */
    public static DecodedImage decode(
            String encoding,
            int width,
            int height,
            Map<String, String> attributes,
            byte[] bytes,
            DecodeSettings settings)
            throws BadImageException {
        return switch (encoding) {
            case "JPEG", "PNG" -> ImageCodec.decode(bytes, withBits(settings, attributes), true);
            case "UNKNOWN" ->
                throw new BadImageException(
                        UNSUPPORTED,
                        "the frame's encoding is UNKNOWN, or one that a newer camera wrote; " + ENCODINGS
                                + " are supported");
            default -> raw(encoding, width, height, attributes, bytes, settings);
        };
    }

    /** Whether a frame of this encoding holds a file, and not raw pixels. */
    public static boolean isFile(String encoding) {
        return encoding.equals("JPEG") || encoding.equals("PNG");
    }

    /**
     * Whether a file may be sent as a frame as it is: it begins as a JPEG or PNG does. For others frames have no
     * encoding.
     */
    public static boolean isFrameFile(byte[] file) {
        return ImageHeader.isFrameFile(file);
    }

    static DecodedImage raw(
            @Nullable String encoding,
            int width,
            int height,
            Map<String, String> attributes,
            byte[] pixels,
            DecodeSettings settings)
            throws BadImageException {
        int sample = sampleBytes(encoding);
        if (pixels == null || pixels.length == 0) throw new BadImageException(EMPTY, "the frame has no bytes");
        settings.limits().checkBytes(pixels.length);
        if (width < 1 || height < 1)
            throw new BadImageException(
                    SIZE_MISMATCH, "raw pixels need a width and height, got " + width + "x" + height);
        settings.limits().checkSize(width, height);
        byte[] packed = packed(encoding, width, height, sample, attributes.get(STRIDE), pixels);
        ImageNotes notes = new ImageNotes();
        byte[] rgb =
                switch (encoding) {
                    case "GRAY8" -> grayToRgb(packed);
                    case "MONO16" ->
                        grayToRgb(SampleRange.narrow(
                                packed, withBits(settings, attributes).sampleBits(), false, notes));
                    case "BGR8" -> ImageCodec.swapRedAndBlue(packed);
                    default -> packed == pixels ? pixels.clone() : packed;
                };
        RgbImage image = new RgbImage(width, height, rgb);
        notes.look(image);
        return new DecodedImage(image, List.copyOf(notes.list()));
    }

    /** Of a pixel. */
    private static int sampleBytes(@Nullable String encoding) throws BadImageException {
        if (encoding == null)
            throw new BadImageException(UNSUPPORTED, "no encoding given; raw pixels are GRAY8, RGB8, BGR8 or MONO16");
        return switch (encoding) {
            case "GRAY8" -> 1;
            case "MONO16" -> 2;
            case "RGB8", "BGR8" -> 3;
            default ->
                throw new BadImageException(
                        UNSUPPORTED, "unknown encoding " + encoding + "; raw pixels are GRAY8, RGB8, BGR8 or MONO16");
        };
    }

    private static DecodeSettings withBits(DecodeSettings settings, Map<String, String> attributes)
            throws BadImageException {
        String given = attributes.get(BITS);
        if (given == null) return settings;
        try {
            return settings.withSampleBits(Integer.parseInt(given.strip()));
        } catch (IllegalArgumentException e) {
            throw new BadImageException(
                    UNSUPPORTED, "the frame's attribute " + BITS + " must be 8 to 16, got '" + given + "'", e);
        }
    }

    /** Rows without their padding; the array itself where there is none. */
    private static byte[] packed(
            String encoding, int width, int height, int sample, @Nullable String attribute, byte[] pixels)
            throws BadImageException {
        long row = (long) width * sample;
        long stride = attribute == null ? row : stride(attribute, row);
        // The last row may come without its padding.
        long expected = stride * (height - 1) + row;
        boolean fits = pixels.length == stride * height || pixels.length == expected;
        if (!fits)
            throw new BadImageException(
                    SIZE_MISMATCH,
                    "a " + width + "x" + height + " " + encoding + " frame has " + stride * height + " bytes"
                            + (stride == row ? "" : " with rows of " + stride) + ", got " + pixels.length
                            + likelyCause(encoding, row, height, attribute != null, pixels.length));
        if (stride == row) return pixels;
        byte[] out = new byte[(int) row * height];
        for (int y = 0; y < height; y++) System.arraycopy(pixels, (int) (y * stride), out, (int) (y * row), (int) row);
        return out;
    }

    private static long stride(String attribute, long row) throws BadImageException {
        try {
            long stride = Long.parseLong(attribute.strip());
            if (stride >= row && stride <= Integer.MAX_VALUE) return stride;
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new BadImageException(
                SIZE_MISMATCH,
                "the frame's attribute " + STRIDE + " must be the bytes of a row, at least " + row + ", got '"
                        + attribute + "'");
    }

    /** What usually is the matter when the number of bytes is another. */
    private static String likelyCause(String encoding, long row, int height, boolean strideGiven, long got) {
        long expected = row * height;
        if (encoding.equals("GRAY8") && got == 2 * expected)
            return ": two bytes a pixel, so the samples have 16 bits; send them as MONO16";
        if (encoding.equals("MONO16") && 2 * got == expected)
            return ": one byte a pixel, so the samples have 8 bits; send them as GRAY8";
        if (encoding.equals("GRAY8") && 2 * got == 3 * expected)
            return ": one and a half bytes a pixel, so the samples are packed 12-bit ones; let the camera send 8 or 16";
        if (!encoding.equals("GRAY8") && !encoding.equals("MONO16") && 3 * got == 4 * expected)
            return ": four bytes a pixel, so there is a fourth channel; send three";
        if (encoding.equals("GRAY8") && got == 3 * expected)
            return ": three bytes a pixel, so it has colours; send it as RGB8 or BGR8";
        if (strideGiven) return "";
        long padding = (got - expected) / height;
        if (got > expected && got % height == 0 && padding <= 4096)
            return ": rows are padded by " + padding + " bytes; say so in the attribute " + STRIDE + "=" + got / height;
        if (got > expected && got - expected <= 65_536)
            return ": " + (got - expected) + " bytes follow the pixels, such as a camera's trailer (chunk data, a "
                    + "checksum); cut them off";
        return got < expected ? ": pixels are missing" : "";
    }

    private static byte[] grayToRgb(byte[] gray) {
        byte[] rgb = new byte[gray.length * 3];
        for (int i = 0, o = 0; i < gray.length; i++) {
            byte v = gray[i];
            rgb[o++] = v;
            rgb[o++] = v;
            rgb[o++] = v;
        }
        return rgb;
    }
}
