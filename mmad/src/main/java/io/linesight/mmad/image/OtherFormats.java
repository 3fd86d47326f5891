package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.BadImageException.Code.UNSUPPORTED;
import static io.linesight.mmad.image.Bytes.ascii;
import static io.linesight.mmad.image.Bytes.u16;
import static io.linesight.mmad.image.Bytes.u32;
import static io.linesight.mmad.image.Bytes.u8;

import io.linesight.mmad.image.ImageHeader.Format;
import java.util.Arrays;

/**
 * Headers of the formats that files have and cameras' frames have not. That the data is whole, their decoders check.
 */
final class OtherFormats {
    private OtherFormats() {}

    static ImageHeader bmp(byte[] f, ImageLimits limits) throws BadImageException {
        if (f.length < 26) throw truncated(Format.BMP, f);
        boolean old = u32(f, 14, true) == 12;
        long width = old ? u16(f, 18, true) : u32(f, 18, true);
        // A negative height says that the rows begin at the top.
        long height = old ? u16(f, 20, true) : Math.abs((long) (int) u32(f, 22, true));
        return header(Format.BMP, width, height, limits);
    }

    static ImageHeader tiff(byte[] f, ImageLimits limits) throws BadImageException {
        TiffTags tags = TiffTags.of(f);
        if (!tags.sound()) throw new BadImageException(CORRUPT, "TIFF damaged or truncated: it has no directory");
        long bits = tags.get(TiffTags.BITS, 1);
        if (bits > 16 || tags.get(TiffTags.SAMPLE_FORMAT, 1) != 1)
            throw new BadImageException(
                    UNSUPPORTED,
                    "TIFF with " + bits + "-bit samples"
                            + (tags.get(TiffTags.SAMPLE_FORMAT, 1) == 3 ? " of floating point" : "")
                            + "; whole numbers of up to 16 bits are supported");
        ImageHeader header = header(Format.TIFF, tags.get(TiffTags.WIDTH, 0), tags.get(TiffTags.HEIGHT, 0), limits);
        // Cameras count pages by orientation as others do, and a map must lie as its mask does.
        return header.withBits((int) bits)
                .withOrientation((int) tags.get(TiffTags.ORIENTATION, 1))
                .withWhiteIsZero(bits == 16 && tags.get(TiffTags.PHOTOMETRIC, 1) == 0)
                .withPages(tags.more());
    }

    static ImageHeader webp(byte[] f, ImageLimits limits) throws BadImageException {
        if (f.length < 30 || u32(f, 4, true) + 8 > f.length) throw truncated(Format.WEBP, f);
        if (ascii(f, 12, "VP8X")) {
            ImageHeader header = header(Format.WEBP, 1 + u24(f, 24), 1 + u24(f, 27), limits);
            boolean animated = (u8(f, 20) & 2) != 0;
            return header.withPages(animated).withOrientation(webpOrientation(f));
        }
        if (ascii(f, 12, "VP8L")) {
            long bits = u32(f, 21, true);
            return header(Format.WEBP, 1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff), limits);
        }
        if (ascii(f, 12, "VP8 "))
            return header(Format.WEBP, u16(f, 26, true) & 0x3fff, u16(f, 28, true) & 0x3fff, limits);
        throw new BadImageException(CORRUPT, "WebP damaged: it does not begin with an image");
    }

    private static int webpOrientation(byte[] f) {
        for (long at = 12; at + 8 <= f.length; ) {
            long length = u32(f, (int) at + 4, true);
            if (ascii(f, (int) at, "EXIF") && at + 8 + length <= f.length) {
                byte[] exif = Arrays.copyOfRange(f, (int) at + 8, (int) (at + 8 + length));
                return TiffTags.orientation(
                        ascii(exif, 0, "Exif\0\0") ? Arrays.copyOfRange(exif, 6, exif.length) : exif);
            }
            at += 8 + length + (length & 1);
        }
        return 1;
    }

    private static long u24(byte[] f, int at) {
        return u16(f, at, true) | (long) u8(f, at + 2) << 16;
    }

    private static ImageHeader header(Format format, long width, long height, ImageLimits limits)
            throws BadImageException {
        if (width < 1 || height < 1 || width > Integer.MAX_VALUE || height > Integer.MAX_VALUE)
            throw new BadImageException(CORRUPT, format + " header says " + width + "x" + height + " pixels");
        limits.checkSize(width, height);
        return new ImageHeader(format, (int) width, (int) height);
    }

    private static BadImageException truncated(Format format, byte[] f) {
        return new BadImageException(CORRUPT, format + " truncated after " + f.length + " bytes");
    }
}
