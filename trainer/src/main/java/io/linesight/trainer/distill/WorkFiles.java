package io.linesight.trainer.distill;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** The files of a distillation: replaced in one step, or grown line by line. Errors say what is wrong with which. */
final class WorkFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private WorkFiles() {}

    private interface Content {
        void write(Path file) throws IOException;
    }

    static void replace(Path file, byte[] bytes) throws IOException {
        replace(file, temporary -> Files.write(temporary, bytes));
    }

    static void replace(Path file, Map<String, NpyArray> arrays) throws IOException {
        replace(file, temporary -> Npz.write(temporary, arrays));
    }

    /** Readers see the former file or the whole new one, and a failure leaves the former. */
    private static void replace(Path file, Content content) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".tmp");
        try {
            Files.createDirectories(absolute.getParent());
            content.write(temporary);
            // Else a power cut could leave the new name without the new content.
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException f) {
                e.addSuppressed(f);
            }
            throw new IOException(
                    "cannot write " + absolute + ": " + why(e)
                            + (Files.exists(absolute) ? "; the former file is unchanged" : "")
                            + ". With that fixed, the same command resumes from the last saved state",
                    e);
        }
    }

    static void append(Path file, Map<String, Object> line) throws IOException {
        Files.writeString(
                file, JSON.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** What to throw when a saved file cannot be used. */
    static IOException unusable(Path file, Path work, Exception e) {
        return new IOException(
                "the saved state " + file + " cannot be read or is damaged (" + why(e)
                        + "): put a copy of it back, or delete the work folder " + work + " to start over",
                e);
    }

    private static String why(Exception e) {
        if (e instanceof AccessDeniedException a) return "no permission for " + a.getFile();
        if (e instanceof FileSystemException f && f.getReason() == null)
            return f.getFile() + " is in the way (" + f.getClass().getSimpleName() + ")";
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
