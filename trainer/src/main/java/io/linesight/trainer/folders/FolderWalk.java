package io.linesight.trainer.folders;

import io.linesight.trainer.folders.FilesReport.LeftOut;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Finds images in folders, for every command alike: by their extensions, in sub-folders too, through links but not in
 * circles, and without what systems leave behind. What it does not take, it reports. One thread.
 */
public final class FolderWalk {
    private static final Set<String> IMAGES =
            Set.of("png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "tif", "tiff", "webp", "gif");
    private static final Set<String> OTHER_IMAGES = Set.of(
            "heic", "heif", "avif", "jp2", "j2k", "jxl", "exr", "hdr", "pgm", "ppm", "pbm", "pnm", "dng", "raw", "cr2",
            "nef", "arw", "psd", "ico", "tga", "npy", "dcm", "svg", "mp4", "avi", "mov", "mkv");

    private final FilesReport report;

    /** @param report told of what is left out */
    public FolderWalk(FilesReport report) {
        this.report = report;
    }

    /** Whether a file is an image by its name. */
    public static boolean isImage(Path file) {
        return IMAGES.contains(Spelling.extension(file));
    }

    /**
     * All images below a folder, those of a folder before those of its sub-folders, by name.
     *
     * @param skipped folders not to enter; they are not reported
     * @throws DatasetException when the folder cannot be read
     */
    List<Path> images(Path folder, Predicate<Path> skipped) {
        List<Path> found = new ArrayList<>();
        walk(folder, skipped, new ArrayList<>(), found);
        return found;
    }

    List<Path> images(Path folder) {
        return images(folder, f -> false);
    }

    /**
     * The images of a command that has no use for ground truth: folders of masks are not entered, and masks beside
     * their images are left out.
     *
     * @throws DatasetException when the folder cannot be read
     */
    public List<Path> withoutTruth(Path folder) {
        List<Path> found = new ArrayList<>();
        List<Path> truth = new ArrayList<>();
        List<Path> all = images(folder, f -> Spelling.isTruth(f) && truth.add(f));
        for (Path dir : truth) for (Path mask : images(dir)) report.leave(LeftOut.TRUTH, mask, "");
        Siblings siblings = new Siblings(all);
        for (Path file : all) {
            if (siblings.isBesideItsImage(file)) report.leave(LeftOut.TRUTH, file, "");
            else found.add(file);
        }
        report.found(found.size());
        return found;
    }

    private void walk(Path folder, Predicate<Path> skipped, List<Path> around, List<Path> found) {
        List<Path> children;
        Path real;
        try (Stream<Path> s = Files.list(folder)) {
            children = s.sorted().toList();
            real = folder.toRealPath();
        } catch (IOException e) {
            if (around.isEmpty())
                throw new DatasetException("folder " + folder + " cannot be read: " + e.getMessage(), e);
            report.leave(LeftOut.CLOSED_FOLDER, folder, e.getMessage());
            return;
        }
        // Also of a folder above the one where the walk began: it would bring in what is no part of this one.
        if (around.stream().anyMatch(a -> a.startsWith(real))) {
            report.leave(LeftOut.LOOP, folder, "");
            return;
        }
        around.add(real);
        for (Path child : children) if (!Files.isDirectory(child)) file(child, found);
        for (Path child : children) {
            if (!Files.isDirectory(child)) continue;
            if (Spelling.isLeftover(child)) report.leave(LeftOut.LEFTOVER, child, "");
            else if (!skipped.test(child)) walk(child, skipped, around, found);
        }
        around.remove(around.size() - 1);
    }

    private void file(Path file, List<Path> found) {
        ensureReadable(file);
        if (Spelling.isLeftover(file)) report.leave(LeftOut.LEFTOVER, file, "");
        else if (Files.isSymbolicLink(file) && !Files.exists(file))
            report.leave(LeftOut.DANGLING_LINK, file, target(file));
        else if (isImage(file)) found.add(file);
        else if (OTHER_IMAGES.contains(Spelling.extension(file))) report.leave(LeftOut.OTHER_FORMAT, file, "");
        else report.leave(LeftOut.NO_IMAGE, file, "");
    }

    /** Names with other than ASCII letters, of a JVM that knows only these, cannot be compared or opened. */
    private static void ensureReadable(Path file) {
        if (file.toString().indexOf('\uFFFD') < 0) return;
        String encoding = System.getProperty("sun.jnu.encoding", "");
        if (encoding.equalsIgnoreCase("UTF-8")) return;
        throw new DatasetException("the name of " + file + " cannot be read with the locale's encoding (" + encoding
                + "): set LC_ALL=C.UTF-8 and start again; nothing was done");
    }

    private static String target(Path link) {
        try {
            return "to " + Files.readSymbolicLink(link);
        } catch (IOException e) {
            return "";
        }
    }

    /** Folders in a folder, by name, without what systems leave behind. */
    static List<Path> folders(Path folder) {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> s = Files.list(folder)) {
            return s.filter(p -> Files.isDirectory(p) && !Spelling.isLeftover(p))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new DatasetException("folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }
}
