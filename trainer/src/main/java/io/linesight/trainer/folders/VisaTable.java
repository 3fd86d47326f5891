package io.linesight.trainer.folders;

import io.linesight.trainer.folders.FilesReport.LeftOut;
import io.linesight.trainer.folders.FilesReport.Truth;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** VisA's layout: a csv with one line per image, its paths relative to the data set's folder. */
final class VisaTable {
    private static final List<String> COLUMNS = List.of("object", "split", "label", "image", "mask");
    private static final String DEFAULT = "1cls.csv";
    private static final int MAX_PROBLEMS = 20;

    private static final String NORMAL = "normal";
    private static final String ANOMALY = "anomaly";

    private final Path root;
    private final Path table;
    private final FileDataset set;
    private final List<String> notes;
    private final List<String> problems = new ArrayList<>();
    private final Map<String, Integer> lines = new HashMap<>();
    private int problemCount;
    private final ReadingContext context;
    private int line;
    private int rows;
    private int missing;

    private VisaTable(Path root, Path table, FileDataset set, List<String> notes, ReadingContext context) {
        this.notes = notes;
        this.context = context;
        this.root = root;
        this.table = table;
        this.set = set;
    }

    /** Tables of this layout in a folder. */
    static List<Path> in(Path root) {
        List<Path> found = new ArrayList<>();
        for (Path dir : List.of(root, root.resolve("split_csv"))) {
            for (Path file : tables(dir)) if (hasColumns(file)) found.add(file);
        }
        return found;
    }

    private static List<Path> tables(Path dir) {
        if (!Files.isDirectory(dir)) return List.of();
        try (Stream<Path> s = Files.list(dir)) {
            return s.filter(f -> List.of("csv", "tsv").contains(Spelling.extension(f))
                            && !Spelling.isLeftover(f)
                            && Files.isRegularFile(f))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new DatasetException("folder " + dir + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static boolean hasColumns(Path file) {
        try {
            return TableText.read(file).columns().keySet().containsAll(COLUMNS);
        } catch (IOException | IllegalArgumentException e) {
            return false; // Some other csv; it is named when no table is found.
        }
    }

    static ImageSource open(
            List<Path> roots,
            @Nullable Path given,
            Collection<String> categories,
            List<String> notes,
            ReadingContext context) {
        if (roots.size() != 1)
            throw new DatasetException("the data set cannot be used: the layout visa takes one folder, not "
                    + roots.size() + "; measure them one by one");
        Path root = roots.get(0);
        Path table = given != null ? given : choose(root, notes);
        VisaTable reader = new VisaTable(
                root.toAbsolutePath().normalize(), table, new FileDataset(ImageFiles.name(root)), notes, context);
        reader.read();
        if (reader.problemCount > 0) {
            String more = reader.problemCount > MAX_PROBLEMS
                    ? "\n  and " + (reader.problemCount - MAX_PROBLEMS) + " more"
                    : "";
            throw new DatasetException("the data set cannot be used; correct these lines, nothing was measured:\n  "
                    + String.join("\n  ", reader.problems) + more + reader.cause());
        }
        reader.set.only(categories);
        for (String category : reader.set.categories())
            context.report()
                    .found(reader.set.train(category).size()
                            + reader.set.calibration(category).size()
                            + reader.set.test(category).size());
        return reader.set;
    }

    /** What is the matter when not one image is there. */
    private String cause() {
        return missing < 2 || missing < rows
                ? ""
                : "\nnone of its " + rows + " images is there: paths are relative to " + root
                        + "; give the folder in which they begin with --data";
    }

    private static Path choose(Path root, List<String> notes) {
        List<Path> found = in(root);
        if (found.isEmpty())
            throw new DatasetException("the data set cannot be used: " + root + " holds no csv with the columns "
                    + String.join(", ", COLUMNS) + " (nor does split_csv in it); name one with --csv");
        if (found.size() == 1) return found.get(0);
        Path usual = found.stream()
                .filter(f -> f.getFileName().toString().equals(DEFAULT))
                .findFirst()
                .orElseThrow(() -> new DatasetException("the data set cannot be used: there are several tables ("
                        + String.join(
                                ", ",
                                found.stream()
                                        .map(f -> root.relativize(f).toString())
                                        .toList()) + "); name one with --csv"));
        notes.add("of " + found.size() + " tables " + root.relativize(usual) + " was taken; choose another with --csv");
        return usual;
    }

    private void read() {
        try {
            TableText text = TableText.read(table);
            Map<String, Integer> columns = text.columns();
            List<String> absent =
                    COLUMNS.stream().filter(c -> !columns.containsKey(c)).toList();
            if (!absent.isEmpty())
                throw new DatasetException("the data set cannot be used: " + table + " has no column "
                        + String.join(", ", absent) + " in its first line; expected " + String.join(",", COLUMNS));
            if (text.charset().equals(TableText.WINDOWS))
                notes.add(table + " is not UTF-8: read as Windows-1252, as Excel saves it in Western Europe");
            line = text.headLine();
            for (String row : text.rows()) {
                line++;
                if (!row.replace(text.delimiter(), ' ').isBlank()) readRow(text, row, columns);
            }
        } catch (CharacterCodingException e) {
            throw new DatasetException(
                    "the data set cannot be used: " + table + " is neither UTF-8 nor Windows-1252; save it as UTF-8",
                    e);
        } catch (IOException e) {
            throw new DatasetException(
                    "the data set cannot be used: " + table + " cannot be read: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new DatasetException(
                    "the data set cannot be used: the first line of " + table + " " + e.getMessage(), e);
        }
        if (set.categories().isEmpty() && problemCount == 0)
            throw new DatasetException("the data set cannot be used: " + table + " names no image");
    }

    private void readRow(TableText table, String text, Map<String, Integer> columns) {
        rows++;
        try {
            List<String> cells = table.cells(text);
            addSample(
                    cell(cells, columns, "object"),
                    cell(cells, columns, "split").toLowerCase(Locale.ROOT),
                    cell(cells, columns, "label").toLowerCase(Locale.ROOT),
                    cell(cells, columns, "image").replace('\\', '/'),
                    cell(cells, columns, "mask").replace('\\', '/'));
        } catch (IllegalArgumentException e) {
            addProblem(e.getMessage());
        }
    }

    /** @throws IllegalArgumentException with a clause that says what is wrong with the line */
    private void addSample(String object, String split, String label, String image, String mask) {
        // It becomes the name of a folder into which images are written.
        if (object.isEmpty() || object.startsWith(".") || object.contains("/") || object.contains("\\"))
            throw new IllegalArgumentException("the object '" + object + "' is no name of a category");
        boolean validation = Spelling.isValidation(split);
        if (!split.equals("train") && !split.equals("test") && !validation)
            throw new IllegalArgumentException("the split '" + split + "' is none of train, test and validation");
        if (!label.equals(NORMAL) && !label.equals(ANOMALY))
            throw new IllegalArgumentException("the label '" + label + "' is neither normal nor anomaly");
        Path file = file("image", image);
        Path truth = mask.isEmpty() ? null : file("mask", mask);
        Integer before = lines.putIfAbsent(image, line);
        if (before != null)
            throw new IllegalArgumentException("the image " + image + " stands in line " + before + " already");
        String category = Spelling.nfc(object);
        Path below = root.relativize(file);
        boolean inCategory =
                below.getNameCount() > 1 && Spelling.name(below.getName(0)).equals(category);
        String name = Spelling.nfc((inCategory ? below.subpath(1, below.getNameCount()) : below).toString());
        Sample sample = label.equals(ANOMALY)
                ? new Sample(
                        name,
                        ANOMALY,
                        ImageFiles.image(file, context),
                        truth == null ? null : ImageFiles.mask(truth, context))
                : Sample.normal(name, ImageFiles.image(file, context));
        set.category(category);
        if (label.equals(ANOMALY) && truth == null) context.report().note(Truth.NO_MASK, file, "");
        if (split.equals("test")) set.test(category, sample);
        else if (validation) set.calibration(category, sample);
        else if (!sample.anomalous()) set.train(category, sample);
        else context.report().leave(LeftOut.OTHER_PLACE, file, "an anomaly of the split train");
    }

    private Path file(String column, String path) {
        if (path.isEmpty()) throw new IllegalArgumentException("the column " + column + " is empty");
        Path file;
        try {
            file = root.resolve(path).normalize();
            // As another machine has it: with the drive or the folders above, or with other capitals.
            String below = path.replaceFirst("^([A-Za-z]:)?/+", "");
            if (!below.equals(path) || below.startsWith(Spelling.name(root) + "/")) file = belowRoot(below, file);
            else if (!Files.isRegularFile(file) && file.startsWith(root)) file = spelled(root.relativize(file), file);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("the " + column + " '" + path + "' is no path", e);
        }
        if (!file.startsWith(root))
            throw new IllegalArgumentException("the " + column + " " + path + " lies outside the data set's folder");
        if (!Files.isRegularFile(file)) {
            if (column.equals("image")) missing++;
            throw new IllegalArgumentException("there is no " + column + " " + file);
        }
        return file;
    }

    /** The first file below the root that a path names when folders at its beginning are left out. */
    private Path belowRoot(String path, Path otherwise) {
        Path rest = Path.of(path).normalize();
        while (true) {
            Path found = spelled(rest, otherwise);
            if (found.startsWith(root) && Files.isRegularFile(found)) return found;
            if (rest.getNameCount() < 2) return otherwise;
            rest = rest.subpath(1, rest.getNameCount());
        }
    }

    /** A file below the root whose name differs in capitals or in the form of its characters only. */
    private Path spelled(Path below, Path otherwise) {
        Path at = root;
        for (Path part : below) {
            Path exact = at.resolve(part);
            if (!Files.exists(exact)) {
                String wanted = Spelling.name(part);
                try (Stream<Path> s = Files.list(at)) {
                    exact = s.filter(p -> Spelling.name(p).equalsIgnoreCase(wanted))
                            .sorted()
                            .findFirst()
                            .orElse(null);
                } catch (IOException e) {
                    return otherwise;
                }
            }
            if (exact == null) return otherwise;
            at = exact;
        }
        return at;
    }

    private void addProblem(String what) {
        if (++problemCount <= MAX_PROBLEMS) problems.add(table + " line " + line + ": " + what);
    }

    private static String cell(List<String> cells, Map<String, Integer> columns, String name) {
        int i = columns.get(name);
        return i < cells.size() ? cells.get(i).strip() : "";
    }
}
