package io.linesight.demo.line;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/** The small checkpoint that ships with the program, trained on good parts of the simulated line. */
public final class BundledModel {
    private static final String RESOURCE = "/io/linesight/demo/demo.onnx";

    private BundledModel() {}

    /** Whether this build has one. */
    public static boolean present() {
        return BundledModel.class.getResource(RESOURCE) != null;
    }

    /**
     * Writes it into a folder; empty when this build has none.
     *
     * @throws IOException when the file cannot be written
     */
    public static Optional<Path> unpack(Path folder) throws IOException {
        try (InputStream in = BundledModel.class.getResourceAsStream(RESOURCE)) {
            if (in == null) return Optional.empty();
            Files.createDirectories(folder);
            Path file = folder.resolve("demo.onnx");
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            return Optional.of(file);
        }
    }
}
