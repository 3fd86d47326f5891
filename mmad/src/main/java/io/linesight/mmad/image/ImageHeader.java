package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.BadImageException.Code.UNSUPPORTED;

import java.util.zip.CRC32;

/**
 * Size and soundness of a JPEG or PNG, read without decoding it. The native decoders pad what is missing of a truncated
 * file with grey and say so on standard error only, and they allocate what the header asks for: both are settled here
 * first.
 */
record ImageHeader(Format format, int width, int height) {
    enum Format {
        JPEG,
        PNG
    }

    private static final byte[] PNG_SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    /**
     * Real progressive files have about ten; thousands of empty scans over a large frame are a way to burn processor
     * time.
     */
    private static final int MAX_SCANS = 100;
    /** Deflate makes at most 1032 bytes of one. */
    private static final long MAX_EXPANSION = 1032;

    /**
     * Reads the header and checks the size before looking at the rest, then walks the file's structure to its end.
     *
     * @throws BadImageException UNSUPPORTED, TOO_LARGE or CORRUPT
     */
    static ImageHeader check(byte[] file, ImageLimits limits) throws BadImageException {
        if (startsWith(file, PNG_SIGNATURE)) return png(file, limits);
        if (file.length >= 2 && u8(file, 0) == 0xff && u8(file, 1) == 0xd8) return jpeg(file, limits);
        if (file.length < PNG_SIGNATURE.length && startsWith(PNG_SIGNATURE, file))
            throw new BadImageException(CORRUPT, "PNG file truncated after " + file.length + " bytes");
        throw new BadImageException(UNSUPPORTED, "not a JPEG or PNG: the file is " + kind(file));
    }

    private static ImageHeader jpeg(byte[] f, ImageLimits limits) throws BadImageException {
        ImageHeader header = null;
        int scans = 0;
        int at = 2;
        while (true) {
            // A marker is any number of ff and then its code.
            if (at >= f.length) throw truncatedJpeg(f);
            if (u8(f, at) != 0xff)
                throw new BadImageException(CORRUPT, "JPEG damaged: no marker where one is due, at byte " + at);
            while (at < f.length && u8(f, at) == 0xff) at++;
            if (at >= f.length) throw truncatedJpeg(f);
            int marker = u8(f, at++);
            if (marker == 0xd9) {
                if (header == null || scans == 0)
                    throw new BadImageException(CORRUPT, "JPEG ends before any picture data");
                return header; // What follows the end is ignored, as every decoder does: some cameras pad.
            }
            if (marker == 0x00 || marker == 0xd8)
                throw new BadImageException(
                        CORRUPT, "JPEG damaged: marker " + Integer.toHexString(marker) + " at byte " + (at - 1));
            if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue; // Stand alone, without a length.
            if (at + 2 > f.length) throw truncatedJpeg(f);
            int length = u16(f, at);
            if (length < 2)
                throw new BadImageException(CORRUPT, "JPEG damaged: segment of length " + length + " at byte " + at);
            boolean frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
            if (frame) {
                if (header != null)
                    throw new BadImageException(CORRUPT, "JPEG damaged: a second frame header at byte " + at);
                if (at + 8 > f.length) throw truncatedJpeg(f);
                header = jpegFrame(f, at, length, marker, limits);
            }
            if (at + length > f.length) throw truncatedJpeg(f);
            at += length;
            if (marker == 0xda) {
                if (header == null)
                    throw new BadImageException(CORRUPT, "JPEG damaged: picture data before the frame header");
                if (++scans > MAX_SCANS)
                    throw new BadImageException(UNSUPPORTED, "JPEG with more than " + MAX_SCANS + " scans");
                at = endOfScan(f, at);
            }
        }
    }

    private static ImageHeader jpegFrame(byte[] f, int at, int length, int marker, ImageLimits limits)
            throws BadImageException {
        if (marker > 0xc2) {
            throw new BadImageException(
                    UNSUPPORTED,
                    "JPEG of process " + (marker - 0xc0)
                            + " (lossless, hierarchical or arithmetic); baseline and progressive are supported");
        }
        int precision = u8(f, at + 2);
        int height = u16(f, at + 3);
        int width = u16(f, at + 5);
        int components = u8(f, at + 7);
        if (precision != 8)
            throw new BadImageException(UNSUPPORTED, "JPEG with " + precision + " bits a sample; 8 are supported");
        if (width == 0 || height == 0)
            throw new BadImageException(CORRUPT, "JPEG header says " + width + "x" + height + " pixels");
        limits.checkSize(width, height);
        // Every block of 8x8 pixels takes at least a bit of some scan, so fewer bytes cannot hold so many pixels;
        // decoders would make room for them all.
        if ((long) width * height > 512L * f.length)
            throw new BadImageException(
                    CORRUPT,
                    "JPEG damaged: " + f.length + " bytes cannot hold the " + width + "x" + height
                            + " pixels of its header");
        if (components == 4) throw new BadImageException(UNSUPPORTED, "JPEG with four inks (CMYK); save it as RGB");
        if (components != 1 && components != 3)
            throw new BadImageException(UNSUPPORTED, "JPEG with " + components + " components; 1 and 3 are supported");
        if (length != 8 + 3 * components)
            throw new BadImageException(
                    CORRUPT, "JPEG damaged: frame header of length " + length + " for " + components + " components");
        return new ImageHeader(Format.JPEG, width, height);
    }

    private static int endOfScan(byte[] f, int from) throws BadImageException {
        for (int i = from; i + 1 < f.length; i++) {
            if (f[i] != (byte) 0xff) continue;
            int next = u8(f, i + 1);
            if (next == 0xff) continue;
            boolean stuffingOrRestart = next == 0x00 || (next >= 0xd0 && next <= 0xd7);
            if (!stuffingOrRestart) return i;
            i++;
        }
        throw truncatedJpeg(f);
    }

    private static BadImageException truncatedJpeg(byte[] f) {
        return new BadImageException(
                CORRUPT, "JPEG truncated: " + f.length + " bytes end before the end-of-image marker");
    }

    private static ImageHeader png(byte[] f, ImageLimits limits) throws BadImageException {
        int at = PNG_SIGNATURE.length;
        ImageHeader header = null;
        boolean data = false;
        long dataBytes = 0;
        long leastRaw = 0;
        CRC32 crc = new CRC32();
        while (true) {
            if (at + 8 > f.length) throw truncatedPng(f);
            long length = u32(f, at);
            int type = (int) u32(f, at + 4);
            if (header == null) {
                if (type != 0x49484452 || length != 13)
                    throw new BadImageException(CORRUPT, "PNG does not begin with its header chunk");
                if (at + 8 + 13 > f.length) throw truncatedPng(f);
                long width = u32(f, at + 8);
                long height = u32(f, at + 12);
                if (width < 1 || height < 1 || width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
                    throw new BadImageException(CORRUPT, "PNG header says " + width + "x" + height + " pixels");
                }
                limits.checkSize(width, height);
                header = new ImageHeader(Format.PNG, (int) width, (int) height);
                leastRaw = width * height * bitsPerPixel(u8(f, at + 16), u8(f, at + 17)) / 8;
            }
            if (length > f.length - at - 12L) throw truncatedPng(f);
            int end = at + 8 + (int) length;
            crc.reset();
            crc.update(f, at + 4, (int) length + 4);
            if (crc.getValue() != u32(f, end))
                throw new BadImageException(CORRUPT, "PNG damaged: wrong checksum of the chunk at byte " + at);
            if (type == 0x49444154) {
                data = true;
                dataBytes += length;
            }
            if (type == 0x49454e44) {
                if (!data) throw new BadImageException(CORRUPT, "PNG without picture data");
                if (leastRaw > MAX_EXPANSION * (dataBytes + 1)) {
                    throw new BadImageException(
                            CORRUPT,
                            "PNG damaged: " + dataBytes + " bytes of picture data cannot hold " + header.width() + "x"
                                    + header.height() + " pixels");
                }
                return header;
            }
            at = end + 4;
        }
    }

    /** At least; kinds that do not exist are the decoder's to reject. */
    private static int bitsPerPixel(int depth, int colour) {
        int samples =
                switch (colour) {
                    case 2 -> 3;
                    case 4 -> 2;
                    case 6 -> 4;
                    default -> 1;
                };
        return Math.max(1, Math.min(16, depth)) * samples;
    }

    private static BadImageException truncatedPng(byte[] f) {
        return new BadImageException(CORRUPT, "PNG truncated: " + f.length + " bytes end before the closing chunk");
    }

    private static String kind(byte[] f) {
        if (ascii(f, 0, "BM")) return "a BMP";
        if (ascii(f, 0, "II*\0") || ascii(f, 0, "MM\0*")) return "a TIFF";
        if (ascii(f, 0, "GIF8")) return "a GIF";
        if (ascii(f, 0, "RIFF") && ascii(f, 8, "WEBP")) return "a WebP";
        StringBuilder hex = new StringBuilder("of an unknown kind (begins with");
        for (int i = 0; i < Math.min(4, f.length); i++) hex.append(String.format(" %02x", u8(f, i)));
        return hex.append(')').toString();
    }

    private static boolean ascii(byte[] f, int at, String text) {
        if (f.length < at + text.length()) return false;
        for (int i = 0; i < text.length(); i++) {
            if (f[at + i] != (byte) text.charAt(i)) return false;
        }
        return true;
    }

    private static boolean startsWith(byte[] f, byte[] prefix) {
        if (f.length < prefix.length) return false;
        for (int i = 0; i < prefix.length; i++) {
            if (f[i] != prefix[i]) return false;
        }
        return true;
    }

    private static int u8(byte[] f, int at) {
        return f[at] & 0xff;
    }

    private static int u16(byte[] f, int at) {
        return u8(f, at) << 8 | u8(f, at + 1);
    }

    private static long u32(byte[] f, int at) {
        return (long) u16(f, at) << 16 | u16(f, at + 2);
    }
}
