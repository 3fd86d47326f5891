package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.BadImageException.Code.UNSUPPORTED;
import static io.linesight.mmad.image.Bytes.ascii;
import static io.linesight.mmad.image.Bytes.startsWith;
import static io.linesight.mmad.image.Bytes.u8;

/**
 * Size and soundness of an image file, read without decoding it. The native decoders pad what is missing of a truncated
 * JPEG with grey and say so on standard error only, and they allocate what the header asks for: both are settled here
 * first.
 *
 * @param width pixels
 * @param height pixels
 * @param bits of a sample: 8 or 16, less where the file packs them
 * @param orientation Exif's, 1 where none is given
 * @param pages whether the file holds other images besides: an animation's, or pages
 * @param start first byte of the image in its file
 * @param strayBytes whether bytes that mean nothing had to be skipped
 * @param whiteIsZero whether 16-bit samples count from white to black
 * @param guessedInks whether it has four inks and does not say how they count
 */
record ImageHeader(
        Format format,
        int width,
        int height,
        int bits,
        int orientation,
        boolean pages,
        int start,
        boolean strayBytes,
        boolean whiteIsZero,
        boolean guessedInks) {
    enum Format {
        JPEG,
        PNG,
        BMP,
        TIFF,
        WEBP,
        GIF;

        /** Whether a camera's frame may have it. */
        boolean isFrame() {
            return this == JPEG || this == PNG;
        }
    }

    private static final String LFS = "version https://git-lfs";

    ImageHeader(Format format, int width, int height) {
        this(format, width, height, 8, 1, false, 0, false, false, false);
    }

    ImageHeader withBits(int n) {
        return new ImageHeader(
                format, width, height, n, orientation, pages, start, strayBytes, whiteIsZero, guessedInks);
    }

    ImageHeader withOrientation(int n) {
        return new ImageHeader(format, width, height, bits, n, pages, start, strayBytes, whiteIsZero, guessedInks);
    }

    ImageHeader withPages(boolean more) {
        return new ImageHeader(
                format, width, height, bits, orientation, more, start, strayBytes, whiteIsZero, guessedInks);
    }

    ImageHeader withStart(int at) {
        return new ImageHeader(
                format, width, height, bits, orientation, pages, at, strayBytes, whiteIsZero, guessedInks);
    }

    ImageHeader withStrayBytes(boolean any) {
        return new ImageHeader(format, width, height, bits, orientation, pages, start, any, whiteIsZero, guessedInks);
    }

    ImageHeader withWhiteIsZero(boolean is) {
        return new ImageHeader(format, width, height, bits, orientation, pages, start, strayBytes, is, guessedInks);
    }

    ImageHeader withGuessedInks(boolean are) {
        return new ImageHeader(format, width, height, bits, orientation, pages, start, strayBytes, whiteIsZero, are);
    }

    /**
     * Reads the header and checks the size before looking at the rest, then walks the file's structure to its end.
     *
     * @param frame whether only what cameras send is accepted: JPEG and PNG
     * @throws BadImageException UNSUPPORTED, TOO_LARGE or CORRUPT
     */
    static ImageHeader check(byte[] file, ImageLimits limits, boolean frame) throws BadImageException {
        if (startsWith(file, PngFile.SIGNATURE)) return PngFile.check(file, limits);
        if (file.length < PngFile.SIGNATURE.length && startsWith(PngFile.SIGNATURE, file))
            throw new BadImageException(CORRUPT, "PNG file truncated after " + file.length + " bytes");
        String kind = kind(file);
        if (!frame && kind.equals("a BMP")) return OtherFormats.bmp(file, limits);
        if (!frame && kind.equals("a TIFF")) return OtherFormats.tiff(file, limits);
        if (!frame && kind.equals("a WebP")) return OtherFormats.webp(file, limits);
        if (!frame && kind.equals("a GIF")) return GifFile.check(file, limits);
        int jpeg = kind.startsWith("of") ? JpegFile.start(file) : -1;
        if (jpeg >= 0) return JpegFile.check(file, jpeg, limits);
        if (ascii(file, 0, LFS))
            throw new BadImageException(
                    UNSUPPORTED, "a Git LFS pointer and not the image: get the images with 'git lfs pull'");
        throw new BadImageException(
                UNSUPPORTED,
                (frame ? "not a JPEG or PNG" : "not a JPEG or PNG, nor a BMP, TIFF, WebP or GIF") + ": the file is "
                        + kind);
    }

    /** Whether it begins as a JPEG or PNG does. */
    static boolean isFrameFile(byte[] file) {
        return ascii(file, 0, "\u0089PNG") || kind(file).startsWith("of") && JpegFile.start(file) >= 0;
    }

    private static String kind(byte[] f) {
        if (ascii(f, 0, "BM")) return "a BMP";
        if (ascii(f, 0, "II*\0") || ascii(f, 0, "MM\0*")) return "a TIFF";
        if (ascii(f, 0, "II+\0") || ascii(f, 0, "MM\0+")) return "a BigTIFF";
        if (ascii(f, 0, "GIF8")) return "a GIF";
        if (ascii(f, 0, "RIFF") && ascii(f, 8, "WEBP")) return "a WebP";
        if (ascii(f, 4, "ftyphei") || ascii(f, 4, "ftypmif1")) return "a HEIC";
        if (ascii(f, 4, "ftypavif")) return "an AVIF";
        if (ascii(f, 0, "\0\0\0\fjP  ")) return "a JPEG 2000";
        if (ascii(f, 0, "8BPS")) return "a Photoshop file";
        if (ascii(f, 0, "%PDF")) return "a PDF";
        if (ascii(f, 0, "\u0093NUMPY")) return "a NumPy array";
        StringBuilder hex = new StringBuilder("of an unknown kind (begins with");
        for (int i = 0; i < Math.min(4, f.length); i++) hex.append(String.format(" %02x", u8(f, i)));
        return hex.append(')').toString();
    }
}
