package io.linesight.trainer.folders;

import io.linesight.trainer.folders.ImageSource.Sample;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Good and bad images in folders of these names, for one category (called as its folder is) or in a folder for each.
 * Below {@code bad} and {@code good} there may be one more level of folders; below {@code bad} it names the kinds of
 * defects.
 */
final class GoodBadFolder {
    private static final String GOOD = "good";
    private static final String BAD = "bad";

    private final FileDataset set;
    private int passedOver;
    private Path firstPassedOver;

    private GoodBadFolder(FileDataset set) {
        this.set = set;
    }

    static boolean isCategory(Path dir) {
        return Files.isDirectory(dir.resolve(GOOD)) || Files.isDirectory(dir.resolve(BAD));
    }

    static ImageSource open(List<Path> roots, Collection<String> categories, List<String> notes) {
        GoodBadFolder reader = new GoodBadFolder(new FileDataset(ImageFiles.name(roots)));
        Map<String, Path> found = new HashMap<>();
        for (Path root : roots) {
            List<Path> dirs = isCategory(root)
                    ? List.of(root)
                    : ImageFiles.folders(root).stream()
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
                reader.scan(category, dir, GOOD);
                reader.scan(category, dir, BAD);
            }
        }
        if (reader.passedOver > 0)
            notes.add("passed over, neither PNG nor JPEG: " + reader.firstPassedOver
                    + (reader.passedOver == 1 ? "" : " and " + (reader.passedOver - 1) + " more"));
        return reader.set.only(categories);
    }

    private void scan(String category, Path dir, String side) {
        take(category, dir.resolve(side), side, side);
        for (Path kind : ImageFiles.folders(dir.resolve(side)))
            take(category, kind, side, kind.getFileName().toString());
    }

    private void take(String category, Path folder, String side, String kind) {
        for (Path file : ImageFiles.files(folder)) {
            if (!ImageFiles.isImage(file)) {
                passedOver++;
                if (firstPassedOver == null) firstPassedOver = file;
                continue;
            }
            String name = (kind.equals(side) ? side : side + "/" + kind) + "/" + file.getFileName();
            set.test(
                    category,
                    side.equals(GOOD)
                            ? Sample.normal(name, ImageFiles.image(file))
                            : new Sample(name, kind, ImageFiles.image(file), null));
        }
    }
}
