package io.linesight.trainer.folders;

import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.BufferedReader;
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
    private final List<String> problems = new ArrayList<>();
    private final Map<String, Integer> lines = new HashMap<>();
    private int problemCount;
    private int line;

    private VisaTable(Path root, Path table, FileDataset set) {
        this.root = root;
        this.table = table;
        this.set = set;
    }

    /** Tables of this layout in a folder. */
    static List<Path> in(Path root) {
        List<Path> found = new ArrayList<>();
        for (Path dir : List.of(root, root.resolve("split_csv"))) {
            for (Path file : ImageFiles.files(dir)) {
                if (file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".csv") && hasColumns(file))
                    found.add(file);
            }
        }
        return found;
    }

    private static boolean hasColumns(Path file) {
        try (BufferedReader r = Files.newBufferedReader(file)) {
            String head = r.readLine();
            return head != null && columns(head).keySet().containsAll(COLUMNS);
        } catch (IOException | IllegalArgumentException e) {
            return false; // Some other csv; it is named when no table is found.
        }
    }

    static ImageSource open(List<Path> roots, @Nullable Path given, Collection<String> categories, List<String> notes) {
        if (roots.size() != 1)
            throw new DatasetException("the data set cannot be used: the layout visa takes one folder, not "
                    + roots.size() + "; measure them one by one");
        Path root = roots.get(0);
        Path table = given != null ? given : choose(root, notes);
        VisaTable reader =
                new VisaTable(root.toAbsolutePath().normalize(), table, new FileDataset(ImageFiles.name(root)));
        reader.read();
        if (reader.problemCount > 0) {
            String more = reader.problemCount > MAX_PROBLEMS
                    ? "\n  and " + (reader.problemCount - MAX_PROBLEMS) + " more"
                    : "";
            throw new DatasetException("the data set cannot be used; correct these lines, nothing was measured:\n  "
                    + String.join("\n  ", reader.problems) + more);
        }
        return reader.set.only(categories);
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
        try (BufferedReader r = Files.newBufferedReader(table)) {
            String head = r.readLine();
            Map<String, Integer> columns = head == null ? Map.of() : columns(head);
            List<String> missing =
                    COLUMNS.stream().filter(c -> !columns.containsKey(c)).toList();
            if (!missing.isEmpty())
                throw new DatasetException("the data set cannot be used: " + table + " has no column "
                        + String.join(", ", missing) + " in its first line; expected " + String.join(",", COLUMNS));
            line = 1;
            for (String text = r.readLine(); text != null; text = r.readLine()) {
                line++;
                if (!text.isBlank()) readRow(text, columns);
            }
        } catch (CharacterCodingException e) {
            throw new DatasetException(
                    "the data set cannot be used: " + table + " is not UTF-8 after line " + line + "; save it as UTF-8",
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

    private void readRow(String text, Map<String, Integer> columns) {
        try {
            List<String> cells = cells(text);
            addSample(
                    cell(cells, columns, "object"),
                    cell(cells, columns, "split"),
                    cell(cells, columns, "label"),
                    cell(cells, columns, "image"),
                    cell(cells, columns, "mask"));
        } catch (IllegalArgumentException e) {
            addProblem(e.getMessage());
        }
    }

    /** @throws IllegalArgumentException with a clause that says what is wrong with the line */
    private void addSample(String object, String split, String label, String image, String mask) {
        // It becomes the name of a folder into which images are written.
        if (object.isEmpty() || object.startsWith(".") || object.contains("/") || object.contains("\\"))
            throw new IllegalArgumentException("the object '" + object + "' is no name of a category");
        if (!split.equals("train") && !split.equals("test"))
            throw new IllegalArgumentException("the split '" + split + "' is neither train nor test");
        if (!label.equals(NORMAL) && !label.equals(ANOMALY))
            throw new IllegalArgumentException("the label '" + label + "' is neither normal nor anomaly");
        Path file = file("image", image);
        Path truth = mask.isEmpty() ? null : file("mask", mask);
        Integer before = lines.putIfAbsent(image, line);
        if (before != null)
            throw new IllegalArgumentException("the image " + image + " stands in line " + before + " already");
        String name = image.startsWith(object + "/") ? image.substring(object.length() + 1) : image;
        Sample sample = label.equals(ANOMALY)
                ? new Sample(name, ANOMALY, ImageFiles.image(file), truth == null ? null : ImageFiles.mask(truth))
                : Sample.normal(name, ImageFiles.image(file));
        set.category(object);
        if (split.equals("test")) set.test(object, sample);
        else if (!sample.anomalous()) set.train(object, sample);
    }

    private Path file(String column, String path) {
        if (path.isEmpty()) throw new IllegalArgumentException("the column " + column + " is empty");
        Path file;
        try {
            file = root.resolve(path).normalize();
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("the " + column + " '" + path + "' is no path", e);
        }
        if (!file.startsWith(root))
            throw new IllegalArgumentException("the " + column + " " + path + " lies outside the data set's folder");
        if (!Files.isRegularFile(file)) throw new IllegalArgumentException("there is no " + column + " " + file);
        return file;
    }

    private void addProblem(String what) {
        if (++problemCount <= MAX_PROBLEMS) problems.add(table + " line " + line + ": " + what);
    }

    private static String cell(List<String> cells, Map<String, Integer> columns, String name) {
        int i = columns.get(name);
        return i < cells.size() ? cells.get(i).strip() : "";
    }

    private static Map<String, Integer> columns(String head) {
        Map<String, Integer> columns = new HashMap<>();
        List<String> names = cells(head.startsWith("\uFEFF") ? head.substring(1) : head);
        for (int i = 0; i < names.size(); i++)
            columns.putIfAbsent(names.get(i).strip().toLowerCase(Locale.ROOT), i);
        return columns;
    }

    /**
     * Cells of one line; quoted cells may hold commas and doubled quotes. Not by commons-csv: lines are parsed one by
     * one, so that a quote that is not closed spoils its own line only, and a parser for each would allocate 16 KiB a
     * line.
     *
     * @throws IllegalArgumentException when a quote is not closed
     */
    private static List<String> cells(String text) {
        List<String> cells = new ArrayList<>();
        StringBuilder cell = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' && quoted && i + 1 < text.length() && text.charAt(i + 1) == '"') {
                cell.append('"');
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                cells.add(cell.toString());
                cell.setLength(0);
            } else {
                cell.append(c);
            }
        }
        if (quoted) throw new IllegalArgumentException("has a quote that is not closed");
        cells.add(cell.toString());
        return cells;
    }
}
