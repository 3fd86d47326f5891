package io.linesight.app.line;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A disk in memory that only the programs started on it see, and that can be filled. It outlives them, and needs no
 * root.
 */
final class SmallDisk implements AutoCloseable {
    private final Path folder;
    private final Process holder;

    private SmallDisk(Path folder, Process holder) {
        this.folder = folder;
        this.holder = holder;
    }

    /**
     * @param folder where it is mounted; created
     * @throws IOException when this machine does not let a process mount a disk for itself
     */
    static SmallDisk mount(Path folder, int megabytes) throws IOException {
        Files.createDirectories(folder);
        // Ends when we do: its standard input ends then.
        Process holder = new ProcessBuilder(
                        "unshare",
                        "-rm",
                        "sh",
                        "-c",
                        "mount -t tmpfs -o size=" + megabytes + "m tmpfs \"$0\" && echo mounted && exec cat",
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String said = new BufferedReader(new InputStreamReader(holder.getInputStream())).readLine();
        if (!"mounted".equals(said)) throw new IOException("no disk can be mounted at " + folder + " here");
        return new SmallDisk(folder, holder);
    }

    /** What a command is prefixed with to see the disk. */
    List<String> wrapper() {
        return List.of("nsenter", "--preserve-credentials", "-t", "" + holder.pid(), "-U", "-m", "--");
    }

    /** How we reach a file on the disk. */
    Path seenFromOutside(Path file) {
        return Path.of("/proc/" + holder.pid() + "/root" + file);
    }

    private Path filler() {
        return seenFromOutside(folder.resolve("filler"));
    }

    /** Takes all room that is left. */
    void fill() throws IOException {
        try (OutputStream out = Files.newOutputStream(filler())) {
            for (byte[] block = new byte[1 << 16]; ; ) out.write(block);
        } catch (IOException full) {
            if (!String.valueOf(full.getMessage()).contains("No space left")) throw full;
        }
        // The last room that a block no longer fits into.
        try (OutputStream out = Files.newOutputStream(filler(), java.nio.file.StandardOpenOption.APPEND)) {
            while (true) out.write(0);
        } catch (IOException full) {
            if (!String.valueOf(full.getMessage()).contains("No space left")) throw full;
        }
    }

    /** Gives back what {@link #fill} took. */
    void free() throws IOException {
        Files.deleteIfExists(filler());
    }

    @Override
    public void close() {
        holder.destroyForcibly();
    }
}
