package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.BadImageException.Code.EMPTY;
import static io.linesight.mmad.image.BadImageException.Code.SIZE_MISMATCH;
import static io.linesight.mmad.image.BadImageException.Code.UNSUPPORTED;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * Images from and to bytes. Stateless; any number of threads. All native memory is released before a method returns.
 *
 * <p>Decoding gives what Pillow's {@code open(...).convert("RGB")} gives: the orientation tag of EXIF is ignored (a
 * camera's frame is meant as its sensor saw it), transparency is dropped, grey and palette images become RGB. Of 16-bit
 * samples the upper 8 bits count.
 */
public final class ImageCodec {
    private ImageCodec() {}

    /**
     * Decodes a JPEG (baseline or progressive, grey or colour) or PNG.
     *
     * @throws BadImageException EMPTY; UNSUPPORTED for any other format and for CMYK, 12-bit, lossless or arithmetic
     *     JPEG; TOO_LARGE, decided on the header before anything is allocated; CORRUPT when truncated or damaged
     */
    public static RgbImage decode(byte[] file, ImageLimits limits) throws BadImageException {
        ImageHeader header = header(file, limits);
        int flags = opencv_imgcodecs.IMREAD_COLOR_RGB | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;
        return new RgbImage(header.width(), header.height(), pixels(file, header, flags, 3));
    }

    /**
     * Decodes a JPEG or PNG as one channel, such as a ground-truth mask.
     *
     * @throws BadImageException as {@link #decode}
     */
    public static GrayImage decodeGray(byte[] file, ImageLimits limits) throws BadImageException {
        ImageHeader header = header(file, limits);
        int flags = opencv_imgcodecs.IMREAD_GRAYSCALE | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;
        return new GrayImage(header.width(), header.height(), pixels(file, header, flags, 1));
    }

    /**
     * Decodes a ground-truth mask: 255 where any sample of the pixel, transparency aside, is above 0, else 0. All 16
     * bits of a sample count, as tools that number regions write 1, 2, 3, .. into 16-bit files.
     *
     * @throws BadImageException as {@link #decode}; UNSUPPORTED for a JPEG, whose losses would mark pixels around every
     *     defect
     */
    public static GrayImage decodeMask(byte[] file, ImageLimits limits) throws BadImageException {
        ImageHeader header = header(file, limits);
        if (header.format() == ImageHeader.Format.JPEG)
            throw new BadImageException(
                    UNSUPPORTED, "a mask cannot be a JPEG, which blurs its edges into the background; save it as PNG");
        int flags = opencv_imgcodecs.IMREAD_COLOR_RGB
                | opencv_imgcodecs.IMREAD_ANYDEPTH
                | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;
        byte[] samples = pixels(file, header, flags, 3);
        byte[] marked = new byte[header.width() * header.height()];
        int each = samples.length / marked.length;
        for (int i = 0; i < samples.length; i++) {
            if (samples[i] != 0) marked[i / each] = (byte) 255;
        }
        return new GrayImage(header.width(), header.height(), marked);
    }

    /**
     * Makes an image of raw pixels.
     *
     * @param encoding GRAY8, RGB8 or BGR8: rows from the top, interleaved, no padding
     * @param pixels copied, so that the image does not change with the caller's buffer
     * @throws BadImageException EMPTY, UNSUPPORTED (another encoding), TOO_LARGE, SIZE_MISMATCH
     */
    public static RgbImage raw(String encoding, int width, int height, byte[] pixels, ImageLimits limits)
            throws BadImageException {
        if (encoding == null)
            throw new BadImageException(UNSUPPORTED, "no encoding given; raw pixels are GRAY8, RGB8 or BGR8");
        int channels =
                switch (encoding) {
                    case "GRAY8" -> 1;
                    case "RGB8", "BGR8" -> 3;
                    default ->
                        throw new BadImageException(
                                UNSUPPORTED, "unknown encoding " + encoding + "; raw pixels are GRAY8, RGB8 or BGR8");
                };
        if (pixels == null || pixels.length == 0) throw new BadImageException(EMPTY, "the frame has no bytes");
        limits.checkBytes(pixels.length);
        if (width < 1 || height < 1)
            throw new BadImageException(
                    SIZE_MISMATCH, "raw pixels need a width and height, got " + width + "x" + height);
        limits.checkSize(width, height);
        long expected = (long) width * height * channels;
        if (pixels.length != expected) {
            throw new BadImageException(
                    SIZE_MISMATCH,
                    "a " + width + "x" + height + " " + encoding + " frame has " + expected + " bytes, got "
                            + pixels.length);
        }
        return new RgbImage(
                width,
                height,
                switch (encoding) {
                    case "GRAY8" -> grayToRgb(pixels);
                    case "BGR8" -> swapRedAndBlue(pixels);
                    default -> pixels.clone();
                });
    }

    /** @param quality 1..100; 90 is good */
    public static byte[] encodeJpeg(RgbImage image, int quality) {
        if (quality < 1 || quality > 100)
            throw new IllegalArgumentException("JPEG quality must be 1..100, got " + quality);
        return encode(
                ".jpg",
                image.width(),
                image.height(),
                opencv_core.CV_8UC3,
                swapRedAndBlue(image.rgb()),
                opencv_imgcodecs.IMWRITE_JPEG_QUALITY,
                quality);
    }

    /** Lossless. */
    public static byte[] encodePng(RgbImage image) {
        return encode(".png", image.width(), image.height(), opencv_core.CV_8UC3, swapRedAndBlue(image.rgb()));
    }

    /** Lossless, one channel. @param gray {@code width*height} unsigned bytes */
    public static byte[] encodeGrayPng(byte[] gray, int width, int height) {
        GrayImage image = new GrayImage(width, height, gray);
        return encode(".png", width, height, opencv_core.CV_8UC1, image.gray());
    }

    private static ImageHeader header(byte[] file, ImageLimits limits) throws BadImageException {
        if (file == null || file.length == 0) throw new BadImageException(EMPTY, "the picture has no bytes");
        limits.checkBytes(file.length);
        return ImageHeader.check(file, limits);
    }

    private static byte[] pixels(byte[] file, ImageHeader header, int flags, int channels) throws BadImageException {
        OpenCv.load();
        try (BytePointer bytes = new BytePointer(file);
                Mat encoded = new Mat(1, file.length, opencv_core.CV_8UC1, bytes);
                Mat decoded = decodeNative(encoded, flags, header)) {
            if (decoded.empty())
                throw new BadImageException(CORRUPT, header.format() + " damaged: its picture data cannot be decoded");
            boolean wide = decoded.depth() == opencv_core.CV_16U && (flags & opencv_imgcodecs.IMREAD_ANYDEPTH) != 0;
            boolean depth = wide || decoded.depth() == opencv_core.CV_8U;
            if (decoded.cols() != header.width()
                    || decoded.rows() != header.height()
                    || decoded.channels() != channels
                    || !depth
                    || !decoded.isContinuous()) {
                throw new BadImageException(
                        CORRUPT,
                        header.format() + " damaged: the header says " + header.width() + "x" + header.height()
                                + " pixels, decoding gave " + decoded.cols() + "x" + decoded.rows());
            }
            byte[] out = new byte[Math.multiplyExact(header.width() * header.height() * channels, wide ? 2 : 1)];
            try (BytePointer data = decoded.data()) {
                data.get(out);
            }
            return out;
        }
    }

    private static Mat decodeNative(Mat encoded, int flags, ImageHeader header) throws BadImageException {
        try {
            return opencv_imgcodecs.imdecode(encoded, flags);
        } catch (RuntimeException e) {
            throw new BadImageException(CORRUPT, header.format() + " cannot be decoded: " + e.getMessage(), e);
        }
    }

    private static byte[] encode(String extension, int width, int height, int type, byte[] samples, int... parameters) {
        OpenCv.load();
        try (BytePointer bytes = new BytePointer(samples);
                Mat image = new Mat(height, width, type, bytes);
                BytePointer out = new BytePointer();
                IntPointer options = new IntPointer(parameters)) {
            if (!opencv_imgcodecs.imencode(extension, image, out, options)) {
                throw new IllegalStateException(
                        "OpenCV could not encode a " + width + "x" + height + " picture as " + extension);
            }
            byte[] file = new byte[(int) out.limit()];
            out.get(file);
            return file;
        }
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

    private static byte[] swapRedAndBlue(byte[] in) {
        byte[] out = new byte[in.length];
        for (int i = 0; i < in.length; i += 3) {
            out[i] = in[i + 2];
            out[i + 1] = in[i + 1];
            out[i + 2] = in[i];
        }
        return out;
    }
}
