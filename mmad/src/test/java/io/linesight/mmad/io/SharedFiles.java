package io.linesight.mmad.io;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * The shared folder of golden numbers and pictures beside the checkout; tests that need it are skipped where it is not.
 */
public final class SharedFiles {
    private SharedFiles() {}

    public static Path require(String relative) {
        String set = System.getProperty("linesight.shared");
        for (String base : set != null ? new String[] {set} : new String[] {"../shared", "../../shared"}) {
            Path p = Path.of(base).resolve(relative);
            if (Files.exists(p)) return p;
        }
        Assumptions.abort("the shared folder with " + relative + " is not here (set -Dlinesight.shared)");
        throw new AssertionError();
    }
}
