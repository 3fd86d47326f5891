package io.linesight.streams.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.RandomCheckpoint;
import io.linesight.mmad.score.Scorer;
import io.linesight.schemas.ModelVersion;
import io.linesight.streams.support.FakeScorer;
import io.linesight.streams.support.TestModels;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelLoaderTest {
    @TempDir
    private Path folder;

    private final TestModels models = new TestModels();

    @Test
    void shouldReadADownloadOnlyOnce() throws Exception {
        Path file = RandomCheckpoint.tiny(folder.resolve("v1.onnx"), 1, Map.of(Checkpoints.VERSION, "v1"));
        byte[] bytes = Files.readAllBytes(file);
        models.files.put("v1", bytes);
        ModelVersion manifest = TestModels.manifest("v1", bytes);
        ModelLoader loader = new ModelLoader(
                models, v -> {}, ModelLoaderTest::deleteAndOpen, folder.resolve("models"), 4, Runnable::run);

        LoadedModel model = loader.load(manifest, () -> false);

        assertThat(model.version()).isEqualTo("v1");
        assertThat(model.info().sha256()).isEqualTo(manifest.getSha256());
        model.release();
    }

    @Test
    void shouldRejectForGoodAFileThatIsLargerThanAnOnnxFileCanBe() throws Exception {
        ModelVersion manifest = TestModels.manifest("v1", new byte[0]);
        manifest.setBytes(Integer.MAX_VALUE);
        ModelLoader loader = loader(ModelLoaderTest::fetchLargeFile);

        assertThatThrownBy(() -> loader.load(manifest, () -> false))
                .isInstanceOfSatisfying(ModelRejectedException.class, e -> assertThat(e.retriable())
                        .isFalse())
                .hasMessageContaining("2147483647 bytes")
                .hasMessageContaining("less than 2 GB");
    }

    /** A sparse file: it takes no room. */
    private static Path fetchLargeFile(ModelVersion version, Path directory) throws IOException {
        Path path = directory.resolve("model.onnx");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(version.getBytes());
        }
        return path;
    }

    @Test
    void shouldNotSpeakOfASelfTestThatAConfiguredFileDoesNotHave() {
        FakeScorer scorer = new FakeScorer();
        scorer.before = frames -> {
            throw new IllegalStateException("no room");
        };

        assertThatThrownBy(() -> loader(models).loadFile(() -> scorer))
                .isInstanceOf(ModelRejectedException.class)
                .hasMessage("the checkpoint failed its warm-up: no room");
        assertThat(scorer.closed).isTrue();
    }

    private ModelLoader loader(ModelSource source) {
        return new ModelLoader(source, v -> {}, models::openFile, folder.resolve("models"), 4, Runnable::run);
    }

    private static Scorer deleteAndOpen(Checkpoint checkpoint) {
        try {
            Files.delete(checkpoint.path());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return OrtScorer.open(
                checkpoint, ScorerOptions.defaults().withDevice("cpu").withThreads(1));
    }
}
