package io.linesight.trainer.folders;

import io.linesight.trainer.folders.FilesReport.LeftOut;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Good and bad images in folders of these names, or as other sets call them (OK and NG), for one category (called as
 * its folder is) or in a folder for each. Folders in {@code bad} name the kinds of defects. A mask may lie beside its
 * image, called as it is with an ending, or as a PNG beside a photograph of the same name; or in a folder of masks.
 */
final class GoodBadFolder {
    private final FileDataset set;
    private final ReadingContext context;
    private final FolderWalk walk;

    private GoodBadFolder(FileDataset set, ReadingContext context) {
        this.set = set;
        this.context = context;
        walk = new FolderWalk(context.report());
    }

    static boolean isCategory(Path dir) {
        return FolderWalk.folders(dir).stream().anyMatch(GoodBadFolder::isSide);
    }

    private static boolean isSide(Path folder) {
        return Spelling.isGood(folder) || Spelling.isBad(folder);
    }

    static ImageSource open(List<Path> roots, Collection<String> categories, ReadingContext context) {
        GoodBadFolder reader = new GoodBadFolder(new FileDataset(ImageFiles.name(roots)), context);
        Map<String, Path> found = new HashMap<>();
        for (Path root : roots) {
            List<Path> dirs = isCategory(root)
                    ? List.of(root)
                    : FolderWalk.folders(root).stream()
                            .filter(GoodBadFolder::isCategory)
                            .toList();
            if (dirs.isEmpty())
                throw new DatasetException("the data set cannot be used: " + root
                        + " has neither good nor bad, nor folders that have; expected "
                        + DatasetLayout.FOLDER.description());
            for (Path dir : dirs) {
                String category = ImageFiles.name(dir);
                Path other = found.putIfAbsent(category, dir);
                if (other != null)
                    throw new DatasetException("the data set cannot be used: category '" + category + "' is in both "
                            + other + " and " + dir);
                reader.set.category(category);
                if (categories.isEmpty()
                        || categories.stream().map(Spelling::nfc).anyMatch(category::equals))
                    reader.scan(category, dir);
            }
            if (categories.isEmpty() && !isCategory(root))
                for (Path file : reader.walk.images(root, GoodBadFolder::isCategory))
                    context.report().leave(LeftOut.OTHER_PLACE, file, "");
        }
        return reader.set.only(categories);
    }

    private void scan(String category, Path dir) {
        Masks masks = Masks.in(dir, context.report());
        for (Path side : FolderWalk.folders(dir)) if (Spelling.isGood(side)) good(category, side);
        for (Path side : FolderWalk.folders(dir)) if (Spelling.isBad(side)) bad(category, side, masks);
        boolean parts = MvtecDataset.isCategory(dir);
        for (Path file : walk.images(dir, f -> dir.equals(f.getParent()) && (isSide(f) || Spelling.isTruth(f))))
            context.report()
                    .leave(LeftOut.OTHER_PLACE, file, parts ? "read with --layout mvtec" : "neither good nor bad");
        masks.reportLone(context.report());
    }

    private void good(String category, Path side) {
        List<Path> files = walk.images(side);
        for (Path file : files) set.test(category, Sample.normal(label(side, file), ImageFiles.image(file, context)));
        context.report().found(files.size());
    }

    private void bad(String category, Path side, Masks masks) {
        List<Path> files = walk.images(side, Spelling::isTruth);
        Siblings siblings = new Siblings(files);
        Masks inside = Masks.in(side, context.report());
        int found = 0;
        for (Path file : files) {
            if (siblings.isBesideItsImage(file) || siblings.isTwin(file)) continue;
            Path below = side.relativize(file);
            String kind = Spelling.name(below.getNameCount() > 1 ? below.getName(0) : side);
            List<Path> truth = masks(file, kind, siblings, List.of(masks, inside));
            set.test(
                    category,
                    new Sample(
                            label(side, file),
                            kind,
                            ImageFiles.image(file, context),
                            ImageFiles.masks(truth, context)));
            found++;
        }
        inside.reportLone(context.report());
        context.report().found(found);
    }

    private static List<Path> masks(Path image, String kind, Siblings siblings, List<Masks> folders) {
        Path mask = siblings.maskBeside(image);
        if (mask == null) mask = siblings.twinOf(image);
        if (mask != null) return List.of(mask);
        for (Masks folder : folders) {
            List<Path> found = folder.of(image, kind);
            if (!found.isEmpty()) return found;
        }
        return List.of();
    }

    private static String label(Path side, Path file) {
        return Spelling.nfc(side.getParent().relativize(file).toString().replace('\\', '/'));
    }
}
