package io.linesight.trainer.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.linesight.trainer.dataset.TextureSource;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training on a small disk, mounted for one process alone, that gets full at the worst moments. */
class FullDiskIT {
    @TempDir
    Path dir;

    private static List<String> mounted(Path folder, int megabytes) {
        return List.of(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=" + megabytes + "m tmpfs \"$0\" && exec \"$@\"",
                folder.toString());
    }

    private static boolean possible(Path empty) throws Exception {
        try {
            List<String> command = new java.util.ArrayList<>(mounted(empty, 1));
            command.add("true");
            Process p = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return p.waitFor(20, TimeUnit.SECONDS) && p.exitValue() == 0;
        } catch (IOException noSuchProgram) {
            return false;
        }
    }

    /** In the child: says what happens on the full disk, and looks at what is left of it. */
    public static final class Child {
        private final Path folder;

        private Child(Path folder) {
            this.folder = folder;
        }

        private void fill() {
            try (OutputStream out = Files.newOutputStream(folder.resolve("filler"))) {
                byte[] page = new byte[4096];
                while (true) out.write(page);
            } catch (IOException full) {
                System.err.println("filled: " + full.getMessage());
            }
        }

        private FitOptions options() {
            return FitProcess.options(folder.resolve("m.onnx"))
                    .data(d -> d.withSource(new TextureSource(8, 0)))
                    .training(t -> t.withEarlyStop(0, 0).withEpochs(3))
                    .output(o -> o.withSaveEvery(Duration.ZERO));
        }

        private void work() throws Exception {
            Files.writeString(folder.resolve("m.onnx"), "the checkpoint before");
            int[] asked = {0};
            // Two steps are saved, then there is no room: neither for the run nor for the checkpoint.
            try {
                Fit.run(options()
                        .session(s -> s.withStopWhen(() -> {
                            if (Files.exists(folder.resolve("m.metrics.jsonl")) && ++asked[0] == 3) fill();
                            return false;
                        })));
                System.err.println("the checkpoint was written");
            } catch (IOException e) {
                System.err.println("refused: " + e.getMessage());
            }
            System.err.println("left: "
                    + (Files.size(folder.resolve("m.onnx")) == 21
                            ? Files.readString(folder.resolve("m.onnx"))
                            : "another"));
            try (var files = Files.list(folder)) {
                System.err.println("files: "
                        + files.map(f -> f.getFileName().toString()).sorted().toList());
            }
            Files.delete(folder.resolve("filler"));
            FitResult result = Fit.run(options());
            System.err.println("finished with loss " + result.lastLoss() + " after " + result.steps()
                    + " steps, left over: " + Files.exists(folder.resolve("m.onnx.fit")));
        }

        public static void main(String[] args) throws Exception {
            new Child(Path.of(args[0])).work();
        }
    }

    @Test
    void shouldKeepCheckpointAndSavedRunWholeAndResumeWhenDiskHasRoom() throws Exception {
        Path disk = Files.createDirectory(dir.resolve("disk"));
        assumeThat(possible(disk))
                .as("a process may mount a disk for itself here")
                .isTrue();
        FitResult whole = Fit.run(FitProcess.options(dir.resolve("whole.onnx"))
                .session(s -> s.withProgress(new java.io.PrintStream(OutputStream.nullOutputStream())))
                .data(d -> d.withSource(new TextureSource(8, 0)))
                .training(t -> t.withEarlyStop(0, 0).withEpochs(3)));

        Path log = dir.resolve("log");
        Process p = FitProcess.start(Child.class, disk, log, mounted(disk, 64));
        try {
            assertThat(p.waitFor(180, TimeUnit.SECONDS)).isTrue();
        } finally {
            p.destroyForcibly();
        }
        String said = Files.readString(log);
        assertThat(said)
                .contains("filled: No space left")
                .contains("the run cannot be saved at step 3")
                .contains("it would resume from step 2")
                .contains("refused: ")
                .contains("left: the checkpoint before")
                .contains("files: [filler, m.metrics.jsonl, m.onnx, m.onnx.fit]")
                .contains("resuming at step 2")
                .contains("finished with loss " + whole.lastLoss() + " after " + whole.steps()
                        + " steps, left over: false");
    }
}
