package io.linesight.trainer.folders;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.GrayImage;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.ImageSource.Reader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Image files and their folders. */
public final class ImageFiles {
    private static final ImageLimits LIMITS = ImageLimits.defaults();

    private ImageFiles() {}

    /** Reads an image file on demand. */
    public static Reader image(Path file) {
        return () -> ImageCodec.decode(bytes(file), LIMITS);
    }

    /**
     * Reads a mask file on demand: white where it marks a defect. Errors name the file, because the caller knows the
     * image only.
     */
    public static Reader mask(Path file) {
        return () -> {
            try {
                GrayImage mask = ImageCodec.decodeMask(bytes(file), LIMITS);
                byte[] rgb = new byte[3 * mask.gray().length];
                for (int i = 0; i < rgb.length; i++) rgb[i] = mask.gray()[i / 3];
                return new RgbImage(mask.width(), mask.height(), rgb);
            } catch (BadImageException e) {
                throw new BadImageException(e.code(), "its ground truth " + file + ": " + e.getMessage(), e);
            } catch (IOException e) {
                throw new IOException("its ground truth " + file + ": " + e.getMessage(), e);
            }
        };
    }

    private static byte[] bytes(Path file) throws IOException, BadImageException {
        // Checked before the file is in memory: a video among the images must not end the run.
        long size = Files.size(file);
        if (size > LIMITS.maxBytes())
            throw new BadImageException(
                    BadImageException.Code.TOO_LARGE,
                    "the image has " + size + " bytes; the limit is " + LIMITS.maxBytes());
        return Files.readAllBytes(file);
    }

    static boolean isImage(Path file) {
        String n = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return n.endsWith(".png") || n.endsWith(".jpg") || n.endsWith(".jpeg");
    }

    /** Images directly in a folder, sorted by name; none when there is no such folder. */
    static List<Path> in(Path dir) {
        return files(dir).stream().filter(ImageFiles::isImage).toList();
    }

    static List<Path> files(Path dir) {
        return children(dir, false);
    }

    static List<Path> folders(Path dir) {
        return children(dir, true);
    }

    private static List<Path> children(Path dir, boolean folders) {
        if (!Files.isDirectory(dir)) return List.of();
        try (Stream<Path> s = Files.list(dir)) {
            return s.filter(p -> folders == Files.isDirectory(p)
                            && !p.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new DatasetException("folder " + dir + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** What folders are called together, without their paths. */
    static String name(Collection<Path> roots) {
        return String.join("+", roots.stream().map(ImageFiles::name).toList());
    }

    static String name(Path root) {
        return String.valueOf(root.toAbsolutePath().normalize().getFileName());
    }
}
