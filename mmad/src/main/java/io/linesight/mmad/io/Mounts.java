package io.linesight.mmad.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Mounted file systems, as Linux lists them in /proc/self/mountinfo. Immutable. */
final class Mounts {
    private static final Path LIST = Path.of("/proc/self/mountinfo");
    private static final int MOUNT_POINT = 4;
    private static final int OPTIONS = 5;

    private final Map<Path, Boolean> noexec = new HashMap<>();

    Mounts(List<String> lines) {
        for (String line : lines) {
            String[] fields = line.split(" ");
            if (fields.length <= OPTIONS) continue;
            // A later mount on the same point hides the earlier one.
            noexec.put(
                    Path.of(unescaped(fields[MOUNT_POINT])),
                    List.of(fields[OPTIONS].split(",")).contains("noexec"));
        }
    }

    /** Nothing is known, and so nothing forbidden, on other systems. */
    static Mounts ofThisMachine() {
        try {
            return new Mounts(Files.exists(LIST) ? Files.readAllLines(LIST) : List.of());
        } catch (IOException e) {
            return new Mounts(List.of());
        }
    }

    /** Whether libraries in that existing folder cannot be run. */
    boolean forbidExecution(Path folder) {
        Path real;
        try {
            real = folder.toRealPath();
        } catch (IOException e) {
            real = folder.toAbsolutePath().normalize();
        }
        for (Path p = real; p != null; p = p.getParent()) {
            Boolean forbidden = noexec.get(p);
            if (forbidden != null) return forbidden;
        }
        return false;
    }

    /** Blanks and a few others are written as a backslash and three octal digits. */
    private static String unescaped(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\'
                    && i + 3 < text.length()
                    && text.substring(i + 1, i + 4).matches("[0-7]{3}")) {
                plain.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
                i += 3;
            } else plain.append(text.charAt(i));
        }
        return plain.toString();
    }
}
