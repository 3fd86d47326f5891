package io.linesight.trainer.folders;

import io.linesight.trainer.folders.FilesReport.LeftOut;
import io.linesight.trainer.folders.FilesReport.Truth;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A folder in MVTec-AD layout: {@code <root>/<category>/train/good/*}, {@code test/<defect>/*} (with {@code good} for
 * normals) and {@code ground_truth/<defect>/<stem>_mask.png}, in the spellings of the sets that share it (BTAD, MPDD,
 * VisA re-packed, and others). Images in {@code validation/good} place thresholds and are not learned from. The root
 * may also be the category itself. Opening reads names only; pixels are read on demand.
 */
public final class MvtecDataset implements ImageSource {
    private final String name;
    private final ReadingContext context;
    private final FolderWalk walk;
    private final Map<String, List<Sample>> train = new TreeMap<>();
    private final Map<String, List<Sample>> calibration = new TreeMap<>();
    private final Map<String, List<Sample>> test = new TreeMap<>();

    private MvtecDataset(String name, ReadingContext context) {
        this.name = name;
        this.context = context;
        walk = new FolderWalk(context.report());
    }

    /**
     * Scans a folder.
     *
     * @param categories names wanted; empty = every sub-folder that has a {@code train} or {@code test} folder
     * @throws DatasetException naming every missing or empty folder
     */
    public static MvtecDataset open(Path root, Collection<String> categories) {
        return open(List.of(root), categories, ReadingContext.defaults());
    }

    /** Several roots at once; a category must not be in two of them. */
    public static MvtecDataset open(List<Path> roots, Collection<String> categories, ReadingContext context) {
        List<String> problems = new ArrayList<>();
        MvtecDataset set = new MvtecDataset(ImageFiles.name(roots), context);
        Map<String, Path> found = new TreeMap<>();
        for (Path root : roots) {
            if (Files.isDirectory(root)) find(root, found, problems);
            else problems.add(root + " is not a folder");
        }
        if (problems.isEmpty() && found.isEmpty()) {
            problems.add(roots.get(0)
                    + " holds no category; expected <category>/train/good/*.png (and test/<defect>/*.png, "
                    + "ground_truth/<defect>/<name>_mask.png)");
        }
        List<String> wanted = categories.stream().map(Spelling::nfc).toList();
        for (String category : wanted) {
            if (problems.isEmpty() && !found.containsKey(category))
                problems.add("there is no category '" + category + "'; found: " + String.join(", ", found.keySet()));
        }
        if (!problems.isEmpty())
            throw new DatasetException("the data set cannot be used: " + String.join("; ", problems));
        found.forEach((category, dir) -> {
            if (wanted.isEmpty() || wanted.contains(category)) set.scan(category, dir);
        });
        if (wanted.isEmpty()) for (Path root : roots) if (!isCategory(root)) set.leaveOthers(root);
        return set;
    }

    private static void find(Path root, Map<String, Path> found, List<String> problems) {
        List<Path> categories = isCategory(root)
                ? List.of(root.toAbsolutePath().normalize())
                : FolderWalk.folders(root).stream()
                        .filter(MvtecDataset::isCategory)
                        .toList();
        for (Path dir : categories) {
            Path other = found.putIfAbsent(Spelling.name(dir), dir);
            if (other != null)
                problems.add("category '" + Spelling.name(dir) + "' is in both " + other.getParent() + " and " + root);
        }
    }

    /** Whether a folder has a part to learn from or to measure on. */
    public static boolean isCategory(Path dir) {
        return FolderWalk.folders(dir).stream().anyMatch(f -> Spelling.isTrain(f) || Spelling.isTest(f));
    }

    /** Images of a root that are in none of its categories. */
    private void leaveOthers(Path root) {
        for (Path file : walk.images(root, MvtecDataset::isCategory))
            context.report().leave(LeftOut.OTHER_PLACE, file, "");
    }

    private void scan(String category, Path dir) {
        List<Sample> normals = new ArrayList<>();
        List<Sample> labelled = new ArrayList<>();
        List<Sample> validation = new ArrayList<>();
        Masks masks = Masks.in(dir, context.report());
        for (Path part : FolderWalk.folders(dir)) {
            if (Spelling.isTrain(part)) normals.addAll(normals(part));
            else if (Spelling.isTest(part)) labelled.addAll(labelled(part, masks));
            else if (Spelling.isValidation(part)) validation.addAll(labelled(part, masks));
        }
        for (Path file : walk.images(dir, f -> isPart(dir, f))) context.report().leave(LeftOut.OTHER_PLACE, file, "");
        masks.reportLone(context.report());
        context.report().found(normals.size() + labelled.size() + validation.size());
        train.put(category, List.copyOf(normals));
        test.put(category, List.copyOf(labelled));
        calibration.put(category, List.copyOf(validation));
    }

    private static boolean isPart(Path category, Path folder) {
        return category.equals(folder.getParent())
                && (Spelling.isTrain(folder)
                        || Spelling.isTest(folder)
                        || Spelling.isValidation(folder)
                        || Spelling.isTruth(folder));
    }

    private List<Sample> normals(Path part) {
        List<Sample> normals = new ArrayList<>();
        for (Path file : walk.images(part)) {
            if (Spelling.isGood(first(part, file)))
                normals.add(Sample.normal(label(part, file), ImageFiles.image(file, context)));
            else context.report().leave(LeftOut.OTHER_PLACE, file, "only train/good is learned from");
        }
        return normals;
    }

    /** The folder of the part in which an image is, or the image itself. */
    private static Path first(Path part, Path file) {
        Path below = part.relativize(file);
        return below.getNameCount() > 1 ? below.getName(0) : part;
    }

    private static String label(Path part, Path file) {
        return Spelling.nfc(part.relativize(file).toString().replace('\\', '/'));
    }

    private List<Sample> labelled(Path part, Masks masks) {
        List<Sample> labelled = new ArrayList<>();
        List<Path> files = walk.images(part, Spelling::isTruth);
        Siblings siblings = new Siblings(files);
        Masks inside = Masks.in(part, context.report());
        List<Path> unmasked = new ArrayList<>();
        boolean anyMask = false;
        for (Path file : files) {
            Path folder = first(part, file);
            if (folder.equals(part)) {
                context.report()
                        .leave(
                                LeftOut.OTHER_PLACE,
                                file,
                                "neither in " + Spelling.name(part) + "/good nor in a folder of defects");
                continue;
            }
            if (siblings.isBesideItsImage(file)) continue;
            String label = label(part, file);
            if (Spelling.isGood(folder)) {
                labelled.add(Sample.normal(label, ImageFiles.image(file, context)));
                continue;
            }
            List<Path> truth = truth(List.of(masks, inside), file, Spelling.name(folder), siblings);
            anyMask |= !truth.isEmpty();
            if (truth.isEmpty()) unmasked.add(file);
            labelled.add(new Sample(
                    label, Spelling.name(folder), ImageFiles.image(file, context), ImageFiles.masks(truth, context)));
        }
        inside.reportLone(context.report());
        if (anyMask || !masks.isEmpty())
            for (Path file : unmasked) context.report().note(Truth.NO_MASK, file, "");
        return labelled;
    }

    private static List<Path> truth(List<Masks> folders, Path image, String defect, Siblings siblings) {
        for (Masks masks : folders) {
            List<Path> found = masks.of(image, defect);
            if (!found.isEmpty()) return found;
        }
        Path beside = siblings.maskBeside(image);
        return beside == null ? List.of() : List.of(beside);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> categories() {
        return List.copyOf(train.keySet());
    }

    @Override
    public List<Sample> train(String category) {
        return train.getOrDefault(category, List.of());
    }

    @Override
    public List<Sample> calibration(String category) {
        return calibration.getOrDefault(category, List.of());
    }

    @Override
    public List<Sample> test(String category) {
        return test.getOrDefault(category, List.of());
    }
}
