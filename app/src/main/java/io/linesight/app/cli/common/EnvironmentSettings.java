package io.linesight.app.cli.common;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Settings in environment variables, so that a container needs no mounted file: {@code LINESIGHT_SET_<KEY>} holds a
 * value, {@code LINESIGHT_FILE_<KEY>} the name of a file that holds it (a mounted secret). In {@code <KEY>} {@code _}
 * stands for a dot, {@code __} for an underscore, {@code ___} for a hyphen; letters become small. An empty variable
 * says nothing.
 */
final class EnvironmentSettings {
    static final String VALUE = "LINESIGHT_SET_";
    static final String FILE = "LINESIGHT_FILE_";

    private EnvironmentSettings() {}

    /** @throws UserError naming every variable that cannot be used; values are not repeated, they may be secrets */
    static Map<String, String> of(Map<String, String> environment) {
        Map<String, String> out = new HashMap<>();
        Map<String, String> from = new HashMap<>();
        List<String> problems = new ArrayList<>();
        new TreeMap<>(environment).forEach((name, content) -> {
            boolean file = name.startsWith(FILE);
            if (content.isEmpty() || !file && !name.startsWith(VALUE)) return;
            String key = key(name.substring(file ? FILE.length() : VALUE.length()));
            if (key.isEmpty()) {
                problems.add(name + " names no setting");
                return;
            }
            String other = from.put(key, name);
            if (other != null) {
                problems.add(other + " and " + name + " both say " + key + "; keep one");
                return;
            }
            try {
                out.put(key, file ? Files.readString(Path.of(content)).stripTrailing() : content);
            } catch (NoSuchFileException e) {
                problems.add(name + " names " + content + ", where there is no file");
            } catch (IOException | IllegalArgumentException e) {
                problems.add(name + " names " + content + ", which cannot be read: " + e.getMessage());
            }
        });
        if (!problems.isEmpty())
            throw new UserError("the environment: " + String.join("; ", problems) + ". Nothing was started");
        return out;
    }

    /** {@code SSL_TRUSTSTORE_LOCATION} to {@code ssl.truststore.location}. */
    static String key(String name) {
        // One pass that tries the longest run of underscores first; a second pass would convert its output again.
        StringBuilder out = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) != '_') {
                out.append(name.charAt(i));
            } else if (name.startsWith("___", i)) {
                out.append('-');
                i += 2;
            } else if (name.startsWith("__", i)) {
                out.append('_');
                i++;
            } else {
                out.append('.');
            }
        }
        return out.toString().toLowerCase(Locale.ROOT);
    }
}
