package io.linesight.trainer.folders;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A folder in MVTec-AD layout: {@code <root>/<category>/train/good/*}, {@code test/<defect>/*} (with {@code good} for
 * normals) and {@code ground_truth/<defect>/<stem>_mask.png}. PNG and JPEG. Opening reads names only; pixels are read
 * on demand.
 */
public final class MvtecDataset implements ImageSource {
    private static final String GOOD = "good";

    private final String name;
    private final Map<String, List<Sample>> train = new TreeMap<>();
    private final Map<String, List<Sample>> test = new TreeMap<>();

    private MvtecDataset(String name) {
        this.name = name;
    }

    /**
     * Scans a folder.
     *
     * @param categories names wanted; empty = every sub-folder that has a {@code train} or {@code test} folder
     * @throws DatasetException naming every missing or empty folder
     */
    public static MvtecDataset open(Path root, Collection<String> categories) {
        return open(List.of(root), categories);
    }

    /** Several roots at once; a category must not be in two of them. */
    public static MvtecDataset open(List<Path> roots, Collection<String> categories) {
        List<String> problems = new ArrayList<>();
        MvtecDataset set = new MvtecDataset(ImageFiles.name(roots));
        Map<String, Path> found = new TreeMap<>();
        for (Path root : roots) {
            if (!Files.isDirectory(root)) {
                problems.add(root + " is not a folder");
                continue;
            }
            for (Path dir : ImageFiles.folders(root)) {
                if (!isCategory(dir)) continue;
                Path other = found.putIfAbsent(dir.getFileName().toString(), dir);
                if (other != null)
                    problems.add(
                            "category '" + dir.getFileName() + "' is in both " + other.getParent() + " and " + root);
            }
        }
        if (problems.isEmpty() && found.isEmpty()) {
            problems.add(roots.get(0)
                    + " holds no category; expected <category>/train/good/*.png (and test/<defect>/*.png, "
                    + "ground_truth/<defect>/<name>_mask.png)");
        }
        for (String wanted : categories) {
            if (problems.isEmpty() && !found.containsKey(wanted))
                problems.add("there is no category '" + wanted + "'; found: " + String.join(", ", found.keySet()));
        }
        if (problems.isEmpty()) {
            for (Map.Entry<String, Path> e : found.entrySet()) {
                if (categories.isEmpty() || categories.contains(e.getKey())) set.scan(e.getKey(), e.getValue());
            }
        }
        if (!problems.isEmpty())
            throw new DatasetException("the data set cannot be used: " + String.join("; ", problems));
        return set;
    }

    static boolean isCategory(Path dir) {
        return Files.isDirectory(dir.resolve("train")) || Files.isDirectory(dir.resolve("test"));
    }

    private void scan(String category, Path dir) {
        List<Sample> normals = new ArrayList<>();
        for (Path file : ImageFiles.in(dir.resolve("train").resolve(GOOD)))
            normals.add(Sample.normal(GOOD + "/" + file.getFileName(), ImageFiles.image(file)));
        train.put(category, List.copyOf(normals));
        List<Sample> labelled = new ArrayList<>();
        for (Path defect : ImageFiles.folders(dir.resolve("test"))) {
            String kind = defect.getFileName().toString();
            for (Path file : ImageFiles.in(defect)) {
                String label = kind + "/" + file.getFileName();
                if (kind.equals(GOOD)) {
                    labelled.add(Sample.normal(label, ImageFiles.image(file)));
                    continue;
                }
                Path mask = maskOf(dir, kind, file);
                labelled.add(new Sample(
                        label, kind, ImageFiles.image(file), Files.isRegularFile(mask) ? ImageFiles.mask(mask) : null));
            }
        }
        test.put(category, List.copyOf(labelled));
    }

    /**
     * Where the layout has the ground truth of a defective test image; the file need not exist.
     *
     * @param category folder of the category
     * @param defect name of the image's folder
     */
    public static Path maskOf(Path category, String defect, Path image) {
        String base = image.getFileName().toString();
        return category.resolve("ground_truth")
                .resolve(defect)
                .resolve(base.substring(0, base.lastIndexOf('.')) + "_mask.png");
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
    public List<Sample> test(String category) {
        return test.getOrDefault(category, List.of());
    }
}
