package io.linesight.trainer.folders;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The lines of a csv as people's programs write it: UTF-8 or UTF-16 with a byte order mark or without, else
 * Windows-1252, any line ends, commas, semicolons or tabs, Excel's line {@code sep=;} before the first.
 *
 * @param head first line that counts
 * @param headLine its number, from 1
 * @param rows those after it
 * @param delimiter between cells
 * @param charset that it was read with
 */
record TableText(String head, int headLine, List<String> rows, char delimiter, Charset charset) {
    /** What Windows and Excel write in Western Europe; Latin-1 is a part of it but for control characters. */
    static final Charset WINDOWS = Charset.forName("windows-1252");

    /** A table of images is text of some megabytes. */
    private static final long MAX_BYTES = 256L << 20;

    /** @throws java.nio.charset.CharacterCodingException when it is no text in UTF-8, UTF-16 or Windows-1252 */
    static TableText read(Path file) throws IOException {
        if (Files.size(file) > MAX_BYTES) throw new IOException("it has more than " + MAX_BYTES + " bytes");
        byte[] bytes = Files.readAllBytes(file);
        Charset charset = charset(bytes);
        List<String> lines = List.of(text(bytes, charset).split("\\r\\n|\\n|\\r", -1));
        int first = 0;
        char delimiter = 0;
        String top = lines.get(0).strip().toLowerCase(Locale.ROOT);
        if (top.matches("\"?sep=.\"?") || top.equals("sep=")) {
            delimiter = top.equals("sep=") ? '\t' : top.replace("\"", "").charAt(4);
            first = 1;
        }
        String head = first < lines.size() ? lines.get(first) : "";
        if (delimiter == 0) delimiter = mostFrequent(head);
        List<String> rows = first + 1 < lines.size() ? lines.subList(first + 1, lines.size()) : List.of();
        return new TableText(head, first + 1, rows, delimiter, charset);
    }

    private static Charset charset(byte[] bytes) {
        if (starts(bytes, 0xef, 0xbb, 0xbf)) return StandardCharsets.UTF_8;
        if (starts(bytes, 0xff, 0xfe) || bytes.length > 1 && bytes[0] != 0 && bytes[1] == 0)
            return StandardCharsets.UTF_16LE;
        if (starts(bytes, 0xfe, 0xff) || bytes.length > 1 && bytes[0] == 0 && bytes[1] != 0)
            return StandardCharsets.UTF_16BE;
        try {
            text(bytes, StandardCharsets.UTF_8);
            return StandardCharsets.UTF_8;
        } catch (CharacterCodingException e) {
            return WINDOWS;
        }
    }

    private static String text(byte[] bytes, Charset charset) throws CharacterCodingException {
        String text = charset.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)
                .decode(ByteBuffer.wrap(bytes))
                .toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    private static boolean starts(byte[] bytes, int... with) {
        if (bytes.length < with.length) return false;
        for (int i = 0; i < with.length; i++) if ((bytes[i] & 0xff) != with[i]) return false;
        return true;
    }

    private static char mostFrequent(String head) {
        char best = ',';
        for (char c : new char[] {';', '\t'}) if (count(head, c) > count(head, best)) best = c;
        return best;
    }

    private static long count(String text, char c) {
        return text.chars().filter(x -> x == c).count();
    }

    /** Number of each column, by its name in lower case. */
    Map<String, Integer> columns() {
        Map<String, Integer> columns = new HashMap<>();
        List<String> names = cells(head);
        for (int i = 0; i < names.size(); i++)
            columns.putIfAbsent(names.get(i).strip().toLowerCase(Locale.ROOT), i);
        return columns;
    }

    /**
     * Cells of one line; quoted cells may hold delimiters and doubled quotes. Not by commons-csv: lines are parsed one
     * by one, so that a quote that is not closed spoils its own line only, and a parser for each would allocate 16 KiB
     * a line.
     *
     * @throws IllegalArgumentException when a quote is not closed
     */
    List<String> cells(String text) {
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
            } else if (c == delimiter && !quoted) {
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
