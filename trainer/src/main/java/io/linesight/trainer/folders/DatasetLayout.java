package io.linesight.trainer.folders;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How labelled images lie in a folder. */
public enum DatasetLayout {
    /**
     * {@code <category>/test/good/*}, {@code <category>/test/<defect>/*},
     * {@code <category>/ground_truth/<defect>/<name>_mask.png}.
     */
    MVTEC("MVTec-AD: <category>/test/good, <category>/test/<defect>, <category>/ground_truth/<defect>/<name>_mask.png"),
    /** A table of files. */
    VISA("VisA: a csv with the columns object, split, label, image, mask, in the folder or its sub-folder split_csv"),
    /** Good and bad images without masks. */
    FOLDER("plain: good and bad (or OK and NG, normal and anomaly), or <category>/good and <category>/bad"),
    /** Images beside masks that alone say what is good. */
    KOLEKTOR("KolektorSDD: NAME.jpg beside NAME_label.bmp, or NAME.png beside NAME_GT.png, black where it is good; in "
            + "train and test, or in numbered folders");

    private final String description;

    DatasetLayout(String description) {
        this.description = description;
    }

    /** For people. */
    public String description() {
        return description;
    }

    /**
     * Opened images.
     *
     * @param layout how they lie
     * @param source the images
     * @param notes what the user should know before anything is read
     * @param files what became of the files; complete when the images have been read
     */
    public record Opened(DatasetLayout layout, ImageSource source, List<String> notes, FilesReport files) {}

    /**
     * Finds out the layout and scans the folders; only names are read.
     *
     * @param roots folders of one layout
     * @param categories names wanted; empty = all
     * @param forced the layout; null to detect it
     * @param table VisA's csv; null to look for it. Paths in it are relative to the only root
     * @throws DatasetException when the layout is none or not one, or files are missing; names them
     */
    public static Opened open(
            List<Path> roots, Collection<String> categories, @Nullable DatasetLayout forced, @Nullable Path table) {
        return open(roots, categories, forced, table, ReadingContext.defaults());
    }

    /** The same, by settings. */
    public static Opened open(
            List<Path> roots,
            Collection<String> categories,
            @Nullable DatasetLayout forced,
            @Nullable Path table,
            ReadingContext context) {
        if (table != null && forced != null && forced != VISA)
            throw new DatasetException("a csv goes with the layout visa only; leave --csv or --layout out");
        DatasetLayout layout = forced != null ? forced : table != null ? VISA : detect(roots);
        List<String> notes = new ArrayList<>();
        ImageSource source =
                switch (layout) {
                    case MVTEC -> MvtecDataset.open(roots, categories, context);
                    case VISA -> VisaTable.open(roots, table, categories, notes, context);
                    case FOLDER -> GoodBadFolder.open(roots, categories, context);
                    case KOLEKTOR -> PairedFolder.open(roots, categories, context);
                };
        return new Opened(layout, source, List.copyOf(notes), context.report());
    }

    /**
     * The same for learning. Where a layout does not say which good images are for learning, all of them are, and only
     * bad ones are left to measure on.
     */
    public static Opened openForTraining(
            List<Path> roots,
            Collection<String> categories,
            @Nullable DatasetLayout forced,
            @Nullable Path table,
            ReadingContext context) {
        Opened opened = open(roots, categories, forced, table, context);
        if (opened.layout() != FOLDER && opened.layout() != KOLEKTOR || hasTraining(opened.source())) return opened;
        FileDataset set = new FileDataset(opened.source().name());
        for (String category : opened.source().categories()) {
            set.category(category);
            for (ImageSource.Sample s : opened.source().calibration(category)) set.calibration(category, s);
            for (ImageSource.Sample s : opened.source().test(category)) {
                if (s.anomalous()) set.test(category, s);
                else set.train(category, s);
            }
        }
        List<String> notes = new ArrayList<>(opened.notes());
        notes.add("all good images are learned from: measure on others");
        return new Opened(opened.layout(), set, List.copyOf(notes), opened.files());
    }

    /** Whether a source says which of its images are to be learned from. */
    public static boolean hasTraining(ImageSource source) {
        return source.categories().stream().anyMatch(c -> !source.train(c).isEmpty());
    }

    /** The same by default settings. */
    public static Opened openForTraining(
            List<Path> roots, Collection<String> categories, @Nullable DatasetLayout forced, @Nullable Path table) {
        return openForTraining(roots, categories, forced, table, ReadingContext.defaults());
    }

    private static DatasetLayout detect(List<Path> roots) {
        DatasetLayout layout = null;
        Path first = null;
        for (Path root : roots) {
            if (!Files.isDirectory(root))
                throw new DatasetException("the data set cannot be used: " + root + " is not a folder");
            Set<DatasetLayout> fits = fitting(root);
            if (fits.isEmpty()) {
                throw new DatasetException("the data set cannot be used: " + root
                        + " holds no category in any known layout; expected one of\n  "
                        + String.join(
                                "\n  ",
                                List.of(values()).stream()
                                        .map(DatasetLayout::description)
                                        .toList()));
            }
            if (fits.size() > 1) {
                throw new DatasetException("the data set cannot be used: " + root
                        + " can be read in more than one layout:\n  "
                        + String.join(
                                "\n  ",
                                fits.stream().map(DatasetLayout::description).toList()) + "\nsay which with --layout");
            }
            DatasetLayout one = fits.iterator().next();
            if (layout != null && layout != one)
                throw new DatasetException("the data set cannot be used: " + first + " and " + root
                        + " have different layouts; take them one by one");
            layout = one;
            first = root;
        }
        return layout;
    }

    private static Set<DatasetLayout> fitting(Path root) {
        Set<DatasetLayout> fits = EnumSet.noneOf(DatasetLayout.class);
        // A category in place of the folder above it, whose train and test would else look like categories.
        if (!VisaTable.in(root).isEmpty()) fits.add(VISA);
        if (fits.isEmpty() && PairedFolder.isCategory(root)) return EnumSet.of(KOLEKTOR);
        if (fits.isEmpty() && MvtecDataset.isCategory(root)) return EnumSet.of(MVTEC);
        List<Path> folders = FolderWalk.folders(root);
        if (folders.stream().anyMatch(PairedFolder::isCategory)) fits.add(KOLEKTOR);
        if (fits.contains(KOLEKTOR))
            folders = folders.stream().filter(f -> !PairedFolder.isCategory(f)).toList();
        if (folders.stream().anyMatch(MvtecDataset::isCategory)) fits.add(MVTEC);
        // A table is made on purpose and says more than names of folders; folders of these names beside MVTec-AD's own
        // are no second layout.
        if (fits.contains(VISA)) return fits;
        if (GoodBadFolder.isCategory(root)
                || folders.stream().anyMatch(f -> GoodBadFolder.isCategory(f) && !MvtecDataset.isCategory(f)))
            fits.add(FOLDER);
        return fits;
    }
}
