package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.BadImageException.Code.EMPTY;
import static io.linesight.mmad.image.BadImageException.Code.UNSUPPORTED;

import java.util.Arrays;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;
import org.jspecify.annotations.Nullable;

/**
 * Images from and to bytes. Stateless; any number of threads. All native memory is released before a method returns.
 *
 * <p>Decoding gives what Pillow's {@code open(...).convert("RGB")} gives: the orientation tag of EXIF is ignored (a
 * camera's frame is meant as its sensor saw it) and noted, transparency is dropped, grey and palette images become RGB,
 * of an animation or of pages the first image counts. Of 16-bit samples the upper 8 bits count, or those that
 * {@link DecodeSettings#sampleBits} says.
 */
public final class ImageCodec {
    private ImageCodec() {}

    /**
     * Decodes a JPEG (baseline or progressive; grey, colour or Adobe's inverted inks) or PNG.
     *
     * @throws BadImageException EMPTY; UNSUPPORTED for any other format and for 12-bit, lossless or arithmetic JPEG;
     *     TOO_LARGE, decided on the header before anything is allocated; CORRUPT when truncated or damaged, even where
     *     the file has a valid end
     */
    public static RgbImage decode(byte[] file, ImageLimits limits) throws BadImageException {
        return decode(file, DecodeSettings.of(limits), true).image();
    }

    /**
     * The same for an image file, which may also be a BMP, TIFF, WebP or GIF, with what people should know about it.
     *
     * @throws BadImageException as {@link #decode(byte[], ImageLimits)}
     */
    public static DecodedImage decodeFile(byte[] file, DecodeSettings settings) throws BadImageException {
        return decode(file, settings, false);
    }

    static DecodedImage decode(byte[] file, DecodeSettings settings, boolean frame) throws BadImageException {
        ImageHeader header = header(file, settings.limits(), frame);
        ImageNotes notes = new ImageNotes(header);
        byte[] pixels = decodeUnchecked(file, header);
        // Some kinds of 16-bit files come out with 8 bits all the same.
        if (pixels.length > 3 * header.width() * header.height())
            pixels = SampleRange.narrow(pixels, settings.sampleBits(), header.whiteIsZero(), notes);
        RgbImage image = new RgbImage(header.width(), header.height(), pixels);
        notes.look(image);
        return new DecodedImage(image, notes.list());
    }

    /** The samples of a file that was checked, RGB; of 16-bit files two bytes each. */
    static byte[] decodeUnchecked(byte[] file, ImageHeader header) throws BadImageException {
        int flags = opencv_imgcodecs.IMREAD_COLOR_RGB
                | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION
                | (header.bits() == 16 ? opencv_imgcodecs.IMREAD_ANYDEPTH : 0);
        return pixels(file, header, flags, 3);
    }

    /**
     * Decodes an image file as one channel, such as a heatmap.
     *
     * @throws BadImageException as {@link #decode}
     */
    public static GrayImage decodeGray(byte[] file, ImageLimits limits) throws BadImageException {
        ImageHeader header = header(file, limits, false);
        int flags = opencv_imgcodecs.IMREAD_GRAYSCALE | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;
        return new GrayImage(header.width(), header.height(), pixels(file, header, flags, 1));
    }

    /**
     * Decodes a ground-truth mask: 255 where any sample of the pixel, transparency aside, is above 0, else 0. All 16
     * bits of a sample count, as tools that number regions write 1, 2, 3, .. into 16-bit files.
     *
     * @throws BadImageException as {@link #decodeFile}; UNSUPPORTED for a JPEG or WebP, whose losses would mark pixels
     *     around every defect
     */
    public static GrayImage decodeMask(byte[] file, ImageLimits limits) throws BadImageException {
        ImageHeader header = header(file, limits, false);
        if (header.format() == ImageHeader.Format.JPEG || header.format() == ImageHeader.Format.WEBP)
            throw new BadImageException(
                    UNSUPPORTED,
                    "a mask cannot be a " + header.format()
                            + ", which blurs its edges into the background; save it as PNG");
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
     * Makes an image of raw pixels, packed and with all bits in use.
     *
     * @param encoding GRAY8, MONO16, RGB8 or BGR8: rows from the top, interleaved, no padding
     * @param pixels copied, so that the image does not change with the caller's buffer
     * @throws BadImageException EMPTY, UNSUPPORTED (another encoding), TOO_LARGE, SIZE_MISMATCH
     */
    public static RgbImage raw(@Nullable String encoding, int width, int height, byte[] pixels, ImageLimits limits)
            throws BadImageException {
        return FrameImages.raw(encoding, width, height, Map.of(), pixels, DecodeSettings.of(limits))
                .image();
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

    private static ImageHeader header(byte[] file, ImageLimits limits, boolean frame) throws BadImageException {
        if (file == null || file.length == 0) throw new BadImageException(EMPTY, "the image has no bytes");
        limits.checkBytes(file.length);
        return ImageHeader.check(file, limits, frame);
    }

    /** What OpenCV shall see: without what it would apply or choose though we do not. */
    private static byte[] plain(byte[] file, ImageHeader header) {
        if (header.start() > 0) return Arrays.copyOfRange(file, header.start(), file.length);
        if (header.format() == ImageHeader.Format.PNG && header.pages()) return PngFile.withoutAnimation(file);
        if (header.format() == ImageHeader.Format.TIFF && header.orientation() != 1)
            return TiffTags.withoutOrientation(file);
        return file;
    }

    private static byte[] pixels(byte[] file, ImageHeader header, int flags, int channels) throws BadImageException {
        OpenCv.load();
        byte[] plain = plain(file, header);
        try (BytePointer bytes = new BytePointer(plain);
                Mat encoded = new Mat(1, plain.length, opencv_core.CV_8UC1, bytes);
                Mat decoded = decodeNative(encoded, flags, header)) {
            if (decoded.empty())
                throw new BadImageException(CORRUPT, header.format() + " damaged: its image data cannot be decoded");
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
                        "OpenCV could not encode a " + width + "x" + height + " image as " + extension);
            }
            byte[] file = new byte[(int) out.limit()];
            out.get(file);
            return file;
        }
    }

    static byte[] swapRedAndBlue(byte[] in) {
        byte[] out = new byte[in.length];
        for (int i = 0; i < in.length; i += 3) {
            out[i] = in[i + 2];
            out[i + 1] = in[i + 1];
            out[i + 2] = in[i];
        }
        return out;
    }
}
