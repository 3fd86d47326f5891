package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.Bytes.u32;
import static io.linesight.mmad.image.Bytes.u8;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Size and soundness of a PNG. That the image data fills all rows, the decoder sees for itself: libpng fails where
 * libjpeg pads. Use once.
 */
final class PngFile {
    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int IHDR = 0x49484452;
    private static final int IDAT = 0x49444154;
    private static final int IEND = 0x49454e44;
    private static final int EXIF = 0x65584966;
    private static final int ACTL = 0x6163544c;
    private static final int FCTL = 0x6663544c;
    private static final int FDAT = 0x66644154;
    /** Deflate makes at most 1032 bytes of one. */
    private static final long MAX_EXPANSION = 1032;

    private final byte[] f;
    private final ImageLimits limits;
    private final CRC32 crc = new CRC32();
    private @Nullable ImageHeader header;
    private long dataBytes = -1;
    private long minRaw;

    private PngFile(byte[] file, ImageLimits limits) {
        f = file;
        this.limits = limits;
    }

    /** @throws BadImageException TOO_LARGE (before anything else is looked at) or CORRUPT */
    static ImageHeader check(byte[] file, ImageLimits limits) throws BadImageException {
        return new PngFile(file, limits).read();
    }

    static BadImageException truncated(byte[] f) {
        return new BadImageException(CORRUPT, "PNG truncated: " + f.length + " bytes end before the closing chunk");
    }

    private ImageHeader read() throws BadImageException {
        int at = SIGNATURE.length;
        while (true) {
            if (at + 8 > f.length) throw truncated(f);
            long length = u32(f, at);
            int type = (int) u32(f, at + 4);
            if (header == null) header = header(at, type, length);
            if (length > f.length - at - 12L) throw truncated(f);
            int end = at + 8 + (int) length;
            crc.reset();
            crc.update(f, at + 4, (int) length + 4);
            if (crc.getValue() != u32(f, end))
                throw new BadImageException(CORRUPT, "PNG damaged: wrong checksum of the chunk at byte " + at);
            if (type == IDAT) dataBytes = Math.max(0, dataBytes) + length;
            if (type == ACTL) header = header.withPages(true);
            if (type == EXIF) header = header.withOrientation(TiffTags.orientation(Arrays.copyOfRange(f, at + 8, end)));
            if (type == IEND) return finished();
            at = end + 4;
        }
    }

    private ImageHeader header(int at, int type, long length) throws BadImageException {
        if (type != IHDR || length != 13)
            throw new BadImageException(CORRUPT, "PNG does not begin with its header chunk");
        if (at + 8 + 13 > f.length) throw truncated(f);
        long width = u32(f, at + 8);
        long height = u32(f, at + 12);
        if (width < 1 || height < 1 || width > Integer.MAX_VALUE || height > Integer.MAX_VALUE)
            throw new BadImageException(CORRUPT, "PNG header says " + width + "x" + height + " pixels");
        limits.checkSize(width, height);
        int depth = u8(f, at + 16);
        minRaw = width * height * bitsPerPixel(depth, u8(f, at + 17)) / 8;
        return new ImageHeader(ImageHeader.Format.PNG, (int) width, (int) height).withBits(depth);
    }

    private ImageHeader finished() throws BadImageException {
        if (dataBytes < 0) throw new BadImageException(CORRUPT, "PNG without image data");
        if (minRaw > MAX_EXPANSION * (dataBytes + 1)) {
            throw new BadImageException(
                    CORRUPT,
                    "PNG damaged: " + dataBytes + " bytes of image data cannot hold " + header.width() + "x"
                            + header.height() + " pixels");
        }
        return header;
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

    /**
     * A sound file without its animation, as decoders see it that know none: OpenCV would decode the animation's first
     * frame, which need not be the image.
     */
    static byte[] withoutAnimation(byte[] f) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(f.length);
        out.write(f, 0, SIGNATURE.length);
        for (int at = SIGNATURE.length; at + 12 <= f.length; ) {
            int type = (int) u32(f, at + 4);
            int size = 12 + (int) u32(f, at);
            if (type != ACTL && type != FCTL && type != FDAT) out.write(f, at, size);
            if (type == IEND) break;
            at += size;
        }
        return out.toByteArray();
    }
}
