package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.Npz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A distillation that is killed again and again loses no more than the steps since the last saved state, and comes to
 * the same.
 */
class DistillKillIT {
    private static final int KILLS = 3;

    @TempDir
    Path dir;

    private long savedStep() throws IOException {
        Path state = dir.resolve("killed/state.npz");
        if (!Files.exists(state)) return 0;
        try (Npz npz = Npz.open(state)) {
            return (long) npz.doubles("step")[0];
        }
    }

    @Test
    void shouldComeToTheSameHoweverOftenItIsKilled() throws Exception {
        Path teacher = Runs.teacher(dir);
        Path log = dir.resolve("log");
        Random random = new Random(3);
        for (int kill = 0; kill < KILLS; kill++) {
            long before = savedStep();
            Process process = DistillProcess.start(teacher, dir, "killed", log);
            try {
                Awaitility.await()
                        .atMost(Duration.ofSeconds(120))
                        .pollInterval(Duration.ofMillis(20))
                        .until(() -> savedStep() > before || !process.isAlive());
                // Wherever it is then: in a step, in a save, between the two files.
                process.waitFor(random.nextInt(400), TimeUnit.MILLISECONDS);
                assertThat(process.isAlive())
                        .as("died before it was killed:\n%s", Files.readString(log))
                        .isTrue();
            } finally {
                process.destroyForcibly().waitFor();
            }
            assertThat(savedStep())
                    .as("saved before kill %d:\n%s", kill, Files.readString(log))
                    .isGreaterThan(before);
            // The first file may not have been there yet; whatever is there is whole.
            if (Files.exists(dir.resolve("killed.onnx")))
                assertThat(Encoder.load(dir.resolve("killed.onnx")).channels()).isEqualTo(Runs.SMALL.widths());
        }
        long saved = savedStep();
        assertThat(saved).isLessThan(DistillProcess.STEPS - 2);
        assertThat(Files.readString(log)).contains("resuming from step");

        DistillResult killed =
                Distill.run(DistillProcess.options(teacher, dir, "killed").session(s -> s.withStopWhen(after(2))));
        DistillResult whole = Distill.run(DistillProcess.options(teacher, dir, "whole")
                .output(o -> o.withSaveSeconds(1000))
                .session(s -> s.withStopWhen(after(saved + 2))));
        assertThat(killed.steps()).isEqualTo(whole.steps()).isEqualTo(saved + 2);
        assertThat(killed.lastLoss()).isCloseTo(whole.lastLoss(), within(1e-4));
        for (int s = 0; s < 3; s++)
            assertThat(killed.explained().get(s)).isCloseTo(whole.explained().get(s), within(1e-4));
    }

    private static BooleanSupplier after(long steps) {
        AtomicLong asked = new AtomicLong();
        return () -> asked.getAndIncrement() >= steps;
    }
}
