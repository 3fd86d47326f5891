package io.linesight.app.cli;

import io.linesight.app.cli.common.UserError;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A CSV file with a header line, as spreadsheets write it: commas, double quotes around what needs them, quotes doubled
 * inside.
 */
final class LabelCsv {
    /**
     * One line of the file.
     *
     * @param number line number, the header is 1
     * @param values by column name in lower case; a missing cell is absent
     */
    record Row(int number, Map<String, String> values) {
        /** The cell, or null where it is missing or blank. */
        String get(String column) {
            String v = values.get(column);
            return v == null || v.isBlank() ? null : v.trim();
        }
    }

    private static final long LARGEST = 64L << 20;

    private LabelCsv() {}

    static List<Row> read(Path file) throws IOException {
        if (Files.size(file) > LARGEST)
            throw new UserError(file + " has " + Files.size(file) + " bytes; at most " + LARGEST
                    + " are read at a time. Split it; nothing was labelled");
        String text;
        try {
            text = Files.readString(file, StandardCharsets.UTF_8);
        } catch (CharacterCodingException e) {
            throw new UserError(file + " is not UTF-8; save it as UTF-8. Nothing was labelled", e);
        }
        if (text.startsWith("\uFEFF")) text = text.substring(1);
        List<Row> rows = new ArrayList<>();
        List<String> header = null;
        int line = 1;
        int at = 0;
        while (at < text.length()) {
            List<String> cells = new ArrayList<>();
            int first = line;
            StringBuilder cell = new StringBuilder();
            boolean quoted = false;
            while (at < text.length()) {
                char c = text.charAt(at++);
                if (c == '\n') line++;
                if (quoted) {
                    if (c != '"') cell.append(c);
                    else if (at < text.length() && text.charAt(at) == '"') cell.append(text.charAt(at++));
                    else quoted = false;
                } else if (c == '"' && cell.isEmpty()) {
                    quoted = true;
                } else if (c == ',') {
                    cells.add(cell.toString());
                    cell.setLength(0);
                } else if (c == '\n') {
                    break;
                } else if (c != '\r') {
                    cell.append(c);
                }
            }
            if (quoted)
                throw new UserError(
                        "line " + first + " of " + file + " opens a quote that never closes; nothing was labelled");
            cells.add(cell.toString());
            if (cells.stream().allMatch(String::isBlank)) continue;
            if (header == null) {
                header = cells.stream()
                        .map(c -> c.trim().toLowerCase(Locale.ROOT))
                        .toList();
                continue;
            }
            Map<String, String> values = new LinkedHashMap<>();
            for (int i = 0; i < Math.min(header.size(), cells.size()); i++) values.put(header.get(i), cells.get(i));
            rows.add(new Row(first, values));
        }
        if (header == null)
            throw new UserError(
                    file
                            + " is empty; its first line names the columns, such as frame,label,annotator,mask,note. Nothing was labelled");
        boolean frame = header.contains("frame") || header.containsAll(List.of("topic", "partition", "offset"));
        if (!frame || !header.contains("label")) {
            throw new UserError(
                    file + " needs the columns label and frame (or topic, partition and offset); its first line has "
                            + String.join(",", header) + ". Nothing was labelled");
        }
        return rows;
    }
}
