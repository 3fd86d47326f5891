package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.mmad.io.Sha256;
import io.linesight.trainer.folders.DatasetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistillTest {
    @TempDir
    static Path shared;

    private static Path teacher;

    @TempDir
    Path dir;

    @BeforeAll
    static void write() throws IOException {
        teacher = Runs.teacher(shared);
    }

    private DistillOptions options(String name) {
        return Runs.options(teacher, dir, name);
    }

    private static BooleanSupplier after(int steps) {
        AtomicInteger asked = new AtomicInteger();
        return () -> asked.getAndIncrement() >= steps;
    }

    private static Map<String, float[]> state(Path work) throws IOException {
        Map<String, float[]> values = new LinkedHashMap<>();
        try (Npz npz = Npz.open(work.resolve("state.npz"))) {
            for (String name : npz.names())
                if (!name.equals("step") && !name.equals("seconds")) values.put(name, npz.floats(name));
        }
        return values;
    }

    @Test
    void shouldComeToTheSameWhetherInterruptedOrNot() throws IOException {
        DistillResult whole = Distill.run(options("whole").training(t -> t.withSteps(6)));
        assertThat(whole.finished()).isTrue();
        assertThat(whole.steps()).isEqualTo(6);
        assertThat(whole.images()).isEqualTo(24);

        DistillResult half =
                Distill.run(options("halves").training(t -> t.withSteps(6)).session(s -> s.withStopWhen(after(3))));
        assertThat(half.finished()).isFalse();
        assertThat(half.steps()).isEqualTo(3);
        Map<String, float[]> between = state(dir.resolve("halves"));
        DistillResult rest = Distill.run(options("halves").training(t -> t.withSteps(6)));
        assertThat(rest.finished()).isTrue();
        assertThat(rest.steps()).isEqualTo(6);
        assertThat(rest.seconds()).as("time of both").isGreaterThan(half.seconds());
        assertThat(rest.lastLoss()).isCloseTo(whole.lastLoss(), within(1e-4));
        for (int s = 0; s < 3; s++)
            assertThat(rest.explained().get(s)).isCloseTo(whole.explained().get(s), within(1e-4));
        Map<String, float[]> expected = state(dir.resolve("whole"));
        Map<String, float[]> actual = state(dir.resolve("halves"));
        expected.forEach(
                (name, values) -> assertThat(actual.get(name)).as(name).containsExactly(values, within(1e-4f)));
        assertThat(actual.get("stem.weight")).as("the second half learned").isNotEqualTo(between.get("stem.weight"));

        DistillResult nothingLeft = Distill.run(options("halves").training(t -> t.withSteps(6)));
        assertThat(nothingLeft.finished()).isTrue();
        assertThat(nothingLeft.steps()).isEqualTo(6);
        assertThat(nothingLeft.lastLoss()).isNaN();
        assertThat(Encoder.load(dir.resolve("halves.onnx")).channels()).isEqualTo(Runs.SMALL.widths());
        assertThat(dir.resolve("halves.onnx.md"))
                .content()
                .contains("SHA-256 of the file: `" + Sha256.hex(dir.resolve("halves.onnx")) + "`")
                .contains(
                        "6 steps of 4 crops",
                        "No photographs, so no evaluation image",
                        "All crops are made up",
                        "On 4 held-out crops (scenes of",
                        "channels [36, 72, 144]",
                        "licence not stated");
    }

    @Test
    void shouldRejectResumingWithOtherOptionsAndNameThem() throws IOException {
        Path second = dir.resolve("run.onnx");
        Distill.run(options("run").training(t -> t.withSteps(1)));
        byte[] former = Files.readAllBytes(second);
        refuse(options("run").training(t -> t.withSeed(6)), "begun with seed 5, this is seed 6");
        refuse(options("run").training(t -> t.withBatch(2)), "batch 4", "batch 2");
        refuse(options("run").training(t -> t.withCrop(48)), "crop 32", "crop 48");
        refuse(options("run").training(t -> t.withExponent(0.25)), "exponent 0.500", "exponent 0.250");
        refuse(options("run").with(new DistillOptions.Measuring(17, 4)), "statistics 16", "statistics 17");
        refuse(
                options("run").machine(m -> m.withStudent(new Architecture(4, List.of(6, 8, 12), List.of(1, 1, 1)))),
                "widths [6, 8, 10]",
                "widths [6, 8, 12]");
        refuse(
                options("run").with(new DistillOptions.Teachers(List.of(teacher, second), List.of())),
                "begun with teachers ",
                "this is teachers ");
        Path photos = Files.createDirectories(dir.resolve("photos"));
        Files.write(photos.resolve("a.png"), ImageCodec.encodePng(PhotosTest.scene(1)));
        refuse(
                options("run").photographs(p -> p.withFolders(List.of(photos))),
                "0 photographs at share 0.000",
                "1 photographs at share 0.600");
        assertThatThrownBy(() -> Distill.run(
                        options("run").training(t -> t.withSeed(6).withBatch(2).withSteps(2))))
                .hasMessageContaining("seed 6")
                .hasMessageContaining("batch 2")
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("crop", "teachers", "exponent"));
        assertThat(second).hasBinaryContent(former);

        assertThat(Distill.run(options("run")
                                .with(new DistillOptions.Measuring(16, 2))
                                .training(t -> t.withSteps(2).withLearningRate(0.001))
                                .output(o -> o.withSaveSeconds(5)))
                        .steps())
                .as("these may change")
                .isEqualTo(2);
    }

    private static void refuse(DistillOptions changed, String... named) {
        assertThatThrownBy(() -> Distill.run(changed.training(t -> t.withSteps(2))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("other options")
                .hasMessageContainingAll(named);
    }

    @Test
    void shouldRejectADamagedState() throws IOException {
        Distill.run(options("run").training(t -> t.withSteps(1)));
        byte[] encoder = Files.readAllBytes(dir.resolve("run.onnx"));
        for (String name : List.of("state.npz", "targets.npz")) {
            Path file = dir.resolve("run").resolve(name);
            byte[] whole = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(whole, whole.length / 2));
            damaged(file, "is not a NumPy archive");
            Files.write(file, new byte[0]);
            damaged(file, "is not a NumPy archive");
            byte[] flipped = whole.clone();
            flipped[whole.length / 3] ^= 1;
            Files.write(file, flipped);
            damaged(file, "checksum");
            Files.write(file, whole);
        }
        Path state = dir.resolve("run/state.npz");
        byte[] whole = Files.readAllBytes(state);
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        try (Npz npz = Npz.open(state)) {
            for (String name : npz.names()) arrays.put(name, npz.get(name));
        }
        arrays.remove("second.f8.weight");
        Npz.write(state, arrays);
        damaged(state, "no array 'second.f8.weight'");
        Files.write(state, whole);
        assertThat(dir.resolve("run.onnx")).hasBinaryContent(encoder);
        assertThat(Distill.run(options("run").training(t -> t.withSteps(2))).steps())
                .isEqualTo(2);
    }

    private void damaged(Path file, String how) {
        assertThatThrownBy(() -> Distill.run(options("run").training(t -> t.withSteps(2))))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(
                        "the saved state " + file + " cannot be read or is damaged", how, "delete the work folder");
    }

    @Test
    void shouldLeaveTheFormerEncoderWholeWhenItCannotWrite() throws IOException {
        Distill.run(options("run").training(t -> t.withSteps(1)));
        Path out = dir.resolve("run.onnx");
        byte[] former = Files.readAllBytes(out);
        Path temporary = dir.resolve("run.onnx.tmp");
        Files.createDirectories(temporary.resolve("not empty"));
        unwritten(2, out, "Is a directory", "the former file is unchanged");
        assertThat(out).hasBinaryContent(former);
        Files.delete(temporary.resolve("not empty"));
        Files.delete(temporary);

        Path state = dir.resolve("run/state.npz");
        byte[] saved = Files.readAllBytes(state);
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "this system has no device that is always full");
        Files.createSymbolicLink(temporary, full);
        unwritten(3, out, "No space left", "the former file is unchanged");
        assertThat(out).hasBinaryContent(former);
        assertThat(temporary).as("tidied up").doesNotExist();
        assertThat(full).exists();

        byte[] ahead = Files.readAllBytes(state);
        assertThat(ahead).as("the state is written before the encoder").isNotEqualTo(saved);
        Files.createSymbolicLink(dir.resolve("run/state.npz.tmp"), full);
        unwritten(4, state, "No space left", "the former file is unchanged");
        assertThat(state).hasBinaryContent(ahead);
        assertThat(out).hasBinaryContent(former);

        assertThat(Distill.run(options("run").training(t -> t.withSteps(4))).steps())
                .isEqualTo(4);
        assertThat(Files.readAllBytes(out)).isNotEqualTo(former);
    }

    private void unwritten(int steps, Path file, String... why) {
        assertThatThrownBy(() -> Distill.run(options("run").training(t -> t.withSteps(steps))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot write " + file)
                .hasMessageContainingAll(why);
    }

    @Test
    void shouldRejectAWorkFolderInUse() throws IOException {
        AtomicReference<Throwable> second = new AtomicReference<>();
        Distill.run(options("run")
                .training(t -> t.withSteps(1))
                .session(s -> s.withStopWhen(() -> {
                    try {
                        Distill.run(options("run").training(t -> t.withSteps(1)));
                    } catch (IOException e) {
                        second.set(e);
                    }
                    return false;
                })));
        assertThat(second.get())
                .hasMessageContaining("in use by a distillation that is running")
                .hasMessageContaining(dir.resolve("run").toString());
    }

    @Test
    void shouldNotBeginWithAnEvaluationImageAmongThePhotographs() throws IOException {
        Path photos = Files.createDirectories(dir.resolve("photos"));
        Path evaluation = Files.createDirectories(dir.resolve("evaluation"));
        Files.write(photos.resolve("a.png"), ImageCodec.encodePng(PhotosTest.scene(1)));
        Files.write(photos.resolve("b.jpg"), ImageCodec.encodeJpeg(PhotosTest.scene(2), 60));
        Files.write(evaluation.resolve("c.png"), ImageCodec.encodePng(PhotosTest.scene(2)));
        DistillOptions options = options("run")
                .training(t -> t.withSteps(1))
                .photographs(p -> p.withFolders(List.of(photos)).withExclude(List.of(evaluation)));
        assertThatThrownBy(() -> Distill.run(options))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("b.jpg")
                .hasMessageContaining("c.png");
        assertThat(dir.resolve("run/targets.npz")).doesNotExist();
        assertThat(dir.resolve("run.onnx")).doesNotExist();
        Files.delete(photos.resolve("b.jpg"));
        Distill.run(options);
        assertThat(dir.resolve("run.onnx.md"))
                .content()
                .contains("1 photographs kept", "were compared with 1 folder(s)", "too few to hold any out");
    }

    @Test
    void shouldNameEveryOptionThatIsWrong() {
        assertThatThrownBy(() -> DistillOptions.of(List.of(), null, null)
                        .training(t -> t.withBatch(1).withCrop(40).withMinutes(Double.NaN))
                        .output(o -> o.withSaveSeconds(-1))
                        .photographs(p -> p.withMaxBytes(0))
                        .validate())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "no teacher",
                        "no work folder",
                        "no encoder file",
                        "batch must be 2..256, got 1",
                        "multiple of 16",
                        "minutes and steps must be numbers",
                        "seconds between",
                        "memory for photographs");
    }
}
