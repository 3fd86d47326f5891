package io.linesight.mmad.io;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** The shared folder of reference values and images beside the checkout, which not everybody has. */
public final class SharedFiles {
    private SharedFiles() {}

    /** A file of the folder named by {@code linesight.shared}, or of {@code ../shared}. */
    public static Optional<Path> find(String relative) {
        String set = System.getProperty("linesight.shared");
        for (String base : set != null ? new String[] {set} : new String[] {"../shared", "../../shared"}) {
            Path path = Path.of(base).resolve(relative);
            if (Files.exists(path)) return Optional.of(path);
        }
        return Optional.empty();
    }

    /** The same; skips the test where the file is absent. */
    public static Path require(String relative) {
        Optional<Path> path = find(relative);
        Assumptions.assumeTrue(path.isPresent(), "shared/" + relative + " is absent (set -Dlinesight.shared)");
        return path.orElseThrow();
    }
}
