package io.linesight.app.cli;

import io.linesight.app.cli.common.UserError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.jspecify.annotations.Nullable;

/** Reads a CSV file of labels with a header line, as spreadsheets write it. */
final class LabelCsv {
    /**
     * One row of the file.
     *
     * @param number number of its first line; the header is 1
     * @param values by column name in lower case; a missing cell is absent
     */
    record Row(int number, Map<String, String> values) {
        /** The trimmed cell; null where it is missing or blank. */
        @Nullable
        String get(String column) {
            String value = values.get(column);
            return value == null || value.isBlank() ? null : value.trim();
        }
    }

    private static final long MAX_BYTES = 64L << 20;
    /** Spreadsheets write text behind a closing quote, so it belongs to the cell. */
    private static final CSVFormat FORMAT =
            CSVFormat.RFC4180.builder().setTrailingData(true).get();

    private LabelCsv() {}

    /** @throws UserError naming the line that cannot be read, or the column that is missing */
    static List<Row> read(Path file) throws IOException {
        List<Row> rows = new ArrayList<>();
        List<String> header = null;
        try (CSVParser parser = CSVParser.parse(text(file), FORMAT)) {
            Iterator<CSVRecord> records = parser.iterator();
            int line = 1;
            while (hasNext(records, file, line)) {
                List<String> cells = records.next().toList();
                if (header == null && !isBlank(cells)) header = columns(cells);
                else if (!isBlank(cells)) rows.add(new Row(line, values(header, cells)));
                line = (int) parser.getCurrentLineNumber() + 1;
            }
        }
        check(file, header);
        return rows;
    }

    private static String text(Path file) throws IOException {
        if (Files.size(file) > MAX_BYTES)
            throw new UserError(file + " has " + Files.size(file) + " bytes; at most " + MAX_BYTES
                    + " are read at a time. Split it; nothing was labelled");
        try {
            String text = Files.readString(file, StandardCharsets.UTF_8);
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new UserError(file + " is not UTF-8; save it as UTF-8. Nothing was labelled", e);
        }
    }

    private static boolean hasNext(Iterator<CSVRecord> records, Path file, int line) {
        try {
            return records.hasNext();
        } catch (UncheckedIOException e) {
            throw new UserError(
                    "line " + line + " of " + file + " opens a quote that never closes; nothing was labelled", e);
        }
    }

    private static boolean isBlank(List<String> cells) {
        return cells.stream().allMatch(String::isBlank);
    }

    private static List<String> columns(List<String> cells) {
        return cells.stream().map(cell -> cell.trim().toLowerCase(Locale.ROOT)).toList();
    }

    private static Map<String, String> values(List<String> header, List<String> cells) {
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(header.size(), cells.size()); i++) values.put(header.get(i), cells.get(i));
        return values;
    }

    private static void check(Path file, @Nullable List<String> header) {
        if (header == null)
            throw new UserError(file
                    + " is empty; its first line names the columns, such as frame,label,annotator,mask,note. "
                    + "Nothing was labelled");
        boolean frame = header.contains("frame") || header.containsAll(List.of("topic", "partition", "offset"));
        if (!frame || !header.contains("label"))
            throw new UserError(
                    file + " needs the columns label and frame (or topic, partition and offset); its first line has "
                            + String.join(",", header) + ". Nothing was labelled");
    }
}
