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
import java.util.List;
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
        return mask(List.of(file), context);
    }

    /**
     * The same for an image with a mask for each of its defects.
     *
     * @param files masks of one size; null when there is none
     */
    public static @Nullable Reader masks(List<Path> files, ReadingContext context) {
        return files.isEmpty() ? null : mask(files, context);
    }

    private static Reader mask(List<Path> files, ReadingContext context) {
        return () -> {
            GrayImage all = decodedMask(files.get(0), context);
            for (Path file : files.subList(1, files.size())) {
                GrayImage mask = decodedMask(file, context);
                if (mask.width() != all.width() || mask.height() != all.height())
                    throw new BadImageException(
                            BadImageException.Code.SIZE_MISMATCH,
                            "its ground truth " + file + " is " + mask.width() + "x" + mask.height() + " pixels, and "
                                    + files.get(0) + " " + all.width() + "x" + all.height());
                for (int i = 0; i < mask.gray().length; i++) all.gray()[i] |= mask.gray()[i];
            }
            Masks.check(files.get(0), all, context.report());
            byte[] rgb = new byte[3 * all.gray().length];
            for (int i = 0; i < rgb.length; i++) rgb[i] = all.gray()[i / 3];
            return new RgbImage(all.width(), all.height(), rgb);
        };
    }

    private static GrayImage decodedMask(Path file, ReadingContext context) throws IOException, BadImageException {
        try {
            ImageLimits limits = context.decoding().limits();
            return ImageCodec.decodeMask(bytes(file, limits), limits);
        } catch (BadImageException e) {
            throw new BadImageException(e.code(), "its ground truth " + file + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new IOException("its ground truth " + file + ": " + e.getMessage(), e);
        }
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
