package io.linesight.app.cli.common;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;

/** Checks of paths given by users, before long work begins. */
public final class Inputs {
    private Inputs() {}

    public static Path existing(Path file, String what) {
        if (!Files.exists(file))
            throw new UserError("there is no " + what + " " + file.toAbsolutePath() + "; nothing was done");
        if (Files.isDirectory(file))
            throw new UserError(
                    "the " + what + " " + file.toAbsolutePath() + " is a folder, a file is needed; nothing was done");
        if (!Files.isReadable(file))
            throw new UserError(
                    "the " + what + " " + file.toAbsolutePath() + " cannot be read: no permission; nothing was done");
        return file;
    }

    public static Path folder(Path dir, String what) {
        if (!Files.isDirectory(dir))
            throw new UserError("there is no " + what + " " + dir.toAbsolutePath() + "; nothing was done");
        return dir;
    }

    /** A file that can be written; its folder is made when absent. */
    public static Path writable(Path file) {
        if (Files.isDirectory(file))
            throw new UserError(file.toAbsolutePath() + " is a folder, a file name is needed; nothing was done");
        made(file.toAbsolutePath().getParent());
        if (Files.exists(file)
                ? !Files.isWritable(file)
                : !Files.isWritable(file.toAbsolutePath().getParent())) {
            throw new UserError(file.toAbsolutePath() + " cannot be written: no permission; nothing was done");
        }
        return file;
    }

    /** A new folder for a run without one, {@code ./out/<command>-<time>}. */
    public static Path runFolder(String command) {
        String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"));
        return made(Path.of("out", command + "-" + time));
    }

    /** A folder that is made when absent, its parents too. */
    public static Path made(Path dir) {
        try {
            return Files.createDirectories(dir);
        } catch (IOException e) {
            throw new UserError(
                    "the folder " + dir + " cannot be made: "
                            + (e instanceof java.nio.file.FileAlreadyExistsException
                                    ? "a file of that name is in the way"
                                    : e.getMessage())
                            + "; nothing was done",
                    e);
        }
    }
}
