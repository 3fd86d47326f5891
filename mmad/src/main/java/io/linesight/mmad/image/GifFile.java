package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.Bytes.u16;
import static io.linesight.mmad.image.Bytes.u8;

/**
 * Size and soundness of a GIF, of which the first image counts. Its codes are counted here, because decoders leave what
 * is missing of a truncated one as it was and do not tell. Use once.
 */
final class GifFile {
    private static final int MAX_CODE = 4096;
    private static final int EXTENSION = 0x21;
    private static final int IMAGE = 0x2c;
    private static final int TRAILER = 0x3b;

    private final byte[] f;
    private final ImageLimits limits;
    private int at;
    private int width;
    private int height;

    private GifFile(byte[] file, ImageLimits limits) {
        f = file;
        this.limits = limits;
    }

    /** @throws BadImageException TOO_LARGE (before anything else is looked at) or CORRUPT */
    static ImageHeader check(byte[] file, ImageLimits limits) throws BadImageException {
        return new GifFile(file, limits).read();
    }

    private BadImageException truncated() {
        return new BadImageException(CORRUPT, "GIF truncated after " + f.length + " bytes");
    }

    private void need(int bytes) throws BadImageException {
        if (bytes > f.length - at) throw truncated();
    }

    private ImageHeader read() throws BadImageException {
        need(13);
        width = u16(f, 6, true);
        height = u16(f, 8, true);
        if (width == 0 || height == 0)
            throw new BadImageException(CORRUPT, "GIF header says " + width + "x" + height + " pixels");
        limits.checkSize(width, height);
        at = 13;
        skipColours(u8(f, 10));
        int images = 0;
        while (true) {
            need(1);
            int block = u8(f, at++);
            if (block == TRAILER) break;
            if (block == EXTENSION) {
                at++;
                skipSubBlocks();
            } else if (block == IMAGE) {
                image(images++ == 0);
            } else {
                throw new BadImageException(CORRUPT, "GIF damaged: no block at byte " + (at - 1));
            }
        }
        if (images == 0) throw new BadImageException(CORRUPT, "GIF without image data");
        return new ImageHeader(ImageHeader.Format.GIF, width, height).withPages(images > 1);
    }

    private void skipColours(int flags) throws BadImageException {
        if ((flags & 0x80) == 0) return;
        int bytes = 3 << (flags & 7) + 1;
        need(bytes);
        at += bytes;
    }

    private void skipSubBlocks() throws BadImageException {
        while (true) {
            need(1);
            int length = u8(f, at++);
            if (length == 0) return;
            need(length);
            at += length;
        }
    }

    private void image(boolean first) throws BadImageException {
        need(9);
        int wide = u16(f, at + 4, true);
        int high = u16(f, at + 6, true);
        if (wide == 0 || high == 0 || u16(f, at, true) + wide > width || u16(f, at + 2, true) + high > height)
            throw new BadImageException(CORRUPT, "GIF damaged: an image of it lies outside of it");
        int flags = u8(f, at + 8);
        at += 9;
        skipColours(flags);
        need(1);
        int codeSize = u8(f, at++);
        if (codeSize < 2 || codeSize > 8)
            throw new BadImageException(CORRUPT, "GIF damaged: codes of " + codeSize + " bits");
        int begin = at;
        skipSubBlocks();
        if (first) checkPixels(begin, codeSize, (long) wide * high);
    }

    /** Counts the pixels of the codes: only the lengths of the table's entries are kept. */
    private void checkPixels(int begin, int codeSize, long expected) throws BadImageException {
        int clear = 1 << codeSize;
        int[] lengths = new int[MAX_CODE];
        java.util.Arrays.fill(lengths, 0, clear, 1);
        int next = clear + 2;
        int bits = codeSize + 1;
        int before = -1;
        long pixels = 0;
        int buffer = 0;
        int available = 0;
        int p = begin;
        int left = u8(f, p++);
        while (pixels < expected) {
            while (available < bits) {
                if (left == 0)
                    throw new BadImageException(
                            CORRUPT, "GIF truncated: its data ends after " + pixels + " of " + expected + " pixels");
                buffer |= u8(f, p++) << available;
                available += 8;
                if (--left == 0) left = u8(f, p++);
            }
            int code = buffer & (1 << bits) - 1;
            buffer >>>= bits;
            available -= bits;
            if (code == clear) {
                next = clear + 2;
                bits = codeSize + 1;
                before = -1;
                continue;
            }
            if (code == clear + 1 || code > next || code == next && before < 0 || before < 0 && code > clear)
                throw new BadImageException(
                        CORRUPT,
                        code == clear + 1
                                ? "GIF truncated: its data ends after " + pixels + " of " + expected + " pixels"
                                : "GIF damaged: no valid code after " + pixels + " of " + expected + " pixels");
            if (before >= 0 && next < MAX_CODE) {
                lengths[next++] = lengths[before] + 1;
                if (next == 1 << bits && bits < 12) bits++;
            }
            pixels += lengths[code];
            before = code;
        }
    }
}
