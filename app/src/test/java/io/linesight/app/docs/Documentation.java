package io.linesight.app.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The commands in the {@code sh} blocks of README.md, SECURITY.md and docs. */
final class Documentation {
    /** Where the sources lie: tests run in the module's folder. */
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private Documentation() {}

    /**
     * Every command once, lines joined, comments and needless spaces left out, with the places that have it. In the
     * order of the documents.
     */
    static Map<String, List<String>> commands() throws IOException {
        Map<String, List<String>> found = new LinkedHashMap<>();
        for (Path file : files()) read(ROOT.relativize(file).toString(), Files.readAllLines(file), found);
        return found;
    }

    /** README.md, SECURITY.md, then docs by name. */
    static List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("SECURITY.md")));
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            docs.filter(f -> f.toString().endsWith(".md")).sorted().forEach(files::add);
        }
        return files;
    }

    static void read(String name, List<String> lines, Map<String, List<String>> found) {
        boolean inside = false;
        StringBuilder joined = new StringBuilder();
        int first = 0;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.startsWith("```")) {
                inside = !inside && line.equals("```sh");
                continue;
            }
            if (!inside) continue;
            if (joined.isEmpty()) first = i + 1;
            if (line.endsWith("\\")) {
                joined.append(line, 0, line.length() - 1).append(' ');
                continue;
            }
            String command = tidied(joined.append(line).toString());
            joined.setLength(0);
            if (!command.isEmpty())
                found.computeIfAbsent(command, c -> new ArrayList<>()).add(name + ":" + first);
        }
        if (!joined.isEmpty())
            throw new IllegalArgumentException(name + ":" + first + " ends in the middle of a command");
    }

    /** Without its comment, and with single spaces, except in quotes. */
    private static String tidied(String text) {
        StringBuilder out = new StringBuilder();
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote != 0) {
                if (c == quote) quote = 0;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == '#' && (i == 0 || text.charAt(i - 1) == ' ')) {
                break;
            } else if (c == ' ' && !out.isEmpty() && out.charAt(out.length() - 1) == ' ') {
                continue;
            }
            out.append(c);
        }
        return out.toString().strip();
    }

    /** Words as a shell makes them of a command without expansions. */
    static List<String> words(String command) {
        List<String> words = new ArrayList<>();
        StringBuilder word = null;
        char quote = 0;
        for (char c : command.toCharArray()) {
            if (quote != 0 && c == quote) {
                quote = 0;
            } else if (quote == 0 && (c == '\'' || c == '"')) {
                quote = c;
                if (word == null) word = new StringBuilder();
            } else if (quote == 0 && c == ' ') {
                if (word != null) words.add(word.toString());
                word = null;
            } else {
                if (word == null) word = new StringBuilder();
                word.append(c);
            }
        }
        if (quote != 0) throw new IllegalArgumentException("a quote is never closed: " + command);
        if (word != null) words.add(word.toString());
        return words;
    }
}
