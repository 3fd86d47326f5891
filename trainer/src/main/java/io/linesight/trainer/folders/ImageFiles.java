package io.linesight.trainer.folders;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.DecodedImage;
import io.linesight.mmad.image.GrayImage;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.ImageNote;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.ImageSource.Reader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Image files and their folders. */
public final class ImageFiles {
    private ImageFiles() {}

    /** Reads an image file on demand. */
    public static Reader image(Path file) {
        return image(file, ReadingContext.defaults());
    }

    /** The same, by settings; reports what is odd, and that it cannot be read. */
    public static Reader image(Path file, ReadingContext context) {
        return () -> {
            try {
                DecodedImage decoded =
                        ImageCodec.decodeFile(bytes(file, context.decoding().limits()), context.decoding());
                context.report().read(file);
                for (ImageNote note : decoded.notes()) context.report().note(note, file);
                return decoded.image();
            } catch (BadImageException | IOException e) {
                context.report().leave(FilesReport.LeftOut.UNREADABLE, file, String.valueOf(e.getMessage()));
                throw e;
            }
        };
    }

    /**
     * Reads a mask file on demand: white where it marks a defect. Errors name the file, because the caller knows the
     * image only.
     */
    public static Reader mask(Path file) {
        return mask(file, ReadingContext.defaults());
    }

    /** The same, by settings. It throws {@link ImplausibleMaskException} for a mask that cannot be the truth. */
    public static Reader mask(Path file, ReadingContext context) {
        return () -> {
            try {
                ImageLimits limits = context.decoding().limits();
                GrayImage mask = ImageCodec.decodeMask(bytes(file, limits), limits);
                Masks.check(file, mask, context.report());
                byte[] rgb = new byte[3 * mask.gray().length];
                for (int i = 0; i < rgb.length; i++) rgb[i] = mask.gray()[i / 3];
                return new RgbImage(mask.width(), mask.height(), rgb);
            } catch (ImplausibleMaskException e) {
                throw e;
            } catch (BadImageException e) {
                throw new BadImageException(e.code(), "its ground truth " + file + ": " + e.getMessage(), e);
            } catch (IOException e) {
                throw new IOException("its ground truth " + file + ": " + e.getMessage(), e);
            }
        };
    }

    /**
     * The ground truth by a mask's reader.
     *
     * @return null where there is no mask, or one that is empty or implausible, which its reader reports: the image
     *     stays defective, as its folder says, and nobody knows where
     */
    public static @Nullable RgbImage truth(@Nullable Reader mask) throws IOException, BadImageException {
        if (mask == null) return null;
        try {
            RgbImage read = mask.read();
            for (byte sample : read.rgb()) if (sample != 0) return read;
            return null;
        } catch (ImplausibleMaskException e) {
            return null;
        }
    }

    /**
     * The bytes of an image file.
     *
     * @throws BadImageException when it is larger than the limits allow
     */
    public static byte[] bytes(Path file, ImageLimits limits) throws IOException, BadImageException {
        // Checked before the file is in memory: a video among the images must not end the run.
        long size = Files.size(file);
        if (size > limits.maxBytes())
            throw new BadImageException(
                    BadImageException.Code.TOO_LARGE,
                    "the image has " + size + " bytes; the limit is " + limits.maxBytes());
        return Files.readAllBytes(file);
    }

    /** What folders are called together, without their paths. */
    static String name(Collection<Path> roots) {
        return String.join("+", roots.stream().map(ImageFiles::name).toList());
    }

    static String name(Path root) {
        return Spelling.name(root.toAbsolutePath().normalize());
    }
}
