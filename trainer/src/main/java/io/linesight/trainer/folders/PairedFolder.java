package io.linesight.trainer.folders;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.trainer.folders.FilesReport.LeftOut;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Images beside their masks, where no folder but the mask says what is good: a black one marks nothing. So are
 * KolektorSDD ({@code kos01/Part0.jpg} and {@code Part0_label.bmp}) and KolektorSDD2 ({@code train/10000.png} and
 * {@code 10000_GT.png}). Opening decodes the masks.
 */
final class PairedFolder {
    private static final String DEFECT = "defect";

    private final FileDataset set;
    private final ReadingContext context;
    private final FolderWalk walk;

    private PairedFolder(FileDataset set, ReadingContext context) {
        this.set = set;
        this.context = context;
        walk = new FolderWalk(context.report());
    }

    /** Whether a folder holds pairs: in train and test, or in numbered folders, or itself. */
    static boolean isCategory(Path dir) {
        List<Path> folders = FolderWalk.folders(dir);
        List<Path> parts = folders.stream().filter(PairedFolder::isPart).toList();
        if (!parts.isEmpty())
            return parts.stream().anyMatch(PairedFolder::holdsPairs)
                    && parts.stream()
                            .noneMatch(p -> FolderWalk.folders(p).stream().anyMatch(Spelling::isGood));
        if (folders.stream().anyMatch(f -> Spelling.isGood(f) || Spelling.isBad(f))) return false;
        return holdsPairs(dir) || areItems(folders) && folders.stream().anyMatch(PairedFolder::holdsPairs);
    }

    private static boolean isPart(Path folder) {
        return Spelling.isTrain(folder) || Spelling.isTest(folder) || Spelling.isValidation(folder);
    }

    /** Folders of one product's items, kos01 to kos50, and not of products. */
    private static boolean areItems(List<Path> folders) {
        return !folders.isEmpty()
                && folders.stream()
                                .map(f -> Spelling.name(f).replaceFirst("\\d+$", "\0"))
                                .distinct()
                                .count()
                        == 1
                && Spelling.name(folders.get(0)).matches(".*\\d");
    }

    private static boolean holdsPairs(Path folder) {
        List<Path> files;
        try (Stream<Path> s = Files.list(folder)) {
            files = s.filter(FolderWalk::isImage).toList();
        } catch (IOException e) {
            return false; // Reported when it is read.
        }
        Siblings siblings = new Siblings(files);
        return files.stream().anyMatch(siblings::isBesideItsImage);
    }

    static ImageSource open(List<Path> roots, Collection<String> categories, ReadingContext context) {
        PairedFolder reader = new PairedFolder(new FileDataset(ImageFiles.name(roots)), context);
        Map<String, Path> found = new TreeMap<>();
        for (Path root : roots) {
            List<Path> dirs = isCategory(root)
                    ? List.of(root)
                    : FolderWalk.folders(root).stream()
                            .filter(PairedFolder::isCategory)
                            .toList();
            if (dirs.isEmpty())
                throw new DatasetException("the data set cannot be used: " + root
                        + " holds no images beside their masks; expected " + DatasetLayout.KOLEKTOR.description());
            for (Path dir : dirs) {
                Path other = found.putIfAbsent(ImageFiles.name(dir), dir);
                if (other != null)
                    throw new DatasetException("the data set cannot be used: category '" + ImageFiles.name(dir)
                            + "' is in both " + other + " and " + dir);
            }
        }
        found.forEach((category, dir) -> {
            reader.set.category(category);
            if (categories.isEmpty() || categories.stream().map(Spelling::nfc).anyMatch(category::equals))
                reader.scan(category, dir);
        });
        return reader.set.only(categories);
    }

    private void scan(String category, Path dir) {
        List<Path> files = walk.images(dir);
        Siblings siblings = new Siblings(files);
        List<Path> unmasked = new ArrayList<>();
        int found = 0;
        for (Path file : files) {
            if (siblings.isBesideItsImage(file)) continue;
            Path mask = siblings.maskBeside(file);
            if (mask == null) unmasked.add(file);
            else if (add(category, dir, file, mask)) found++;
        }
        for (Path file : unmasked)
            context.report().leave(LeftOut.OTHER_PLACE, file, "no mask beside it says whether it is good");
        context.report().found(found);
    }

    /** Returns whether it has a use. */
    private boolean add(String category, Path dir, Path file, Path mask) {
        Boolean marked = marked(mask);
        if (marked == null) return false;
        Path below = dir.relativize(file);
        Path part = below.getName(0);
        String label = Spelling.nfc(below.toString().replace('\\', '/'));
        Sample sample = marked
                ? new Sample(label, DEFECT, ImageFiles.image(file, context), ImageFiles.mask(mask, context))
                : Sample.normal(label, ImageFiles.image(file, context));
        if (Spelling.isValidation(part)) {
            set.calibration(category, sample);
        } else if (!Spelling.isTrain(part)) {
            set.test(category, sample);
        } else if (!marked) {
            set.train(category, sample);
        } else {
            context.report().leave(LeftOut.OTHER_PLACE, file, "a defective image of the part that is learned from");
            return false;
        }
        return true;
    }

    /** Whether a mask marks anything; null when it cannot be read, which is reported. */
    private @Nullable Boolean marked(Path mask) {
        ImageLimits limits = context.decoding().limits();
        try {
            for (byte b : ImageCodec.decodeMask(ImageFiles.bytes(mask, limits), limits)
                    .gray()) if (b != 0) return true;
            return false;
        } catch (BadImageException | IOException e) {
            context.report().leave(LeftOut.UNREADABLE, mask, String.valueOf(e.getMessage()));
            return null;
        }
    }
}
