package io.linesight.streams.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.RandomCheckpoint;
import io.linesight.mmad.score.SelfTest;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelVersion;
import io.linesight.streams.support.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checkpoints that a real session or the self-test refuses. Swaps of real sessions under load are in {@code SwapLineIT}
 * of the app module.
 */
@Timeout(600)
class SessionRejectionIT {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private final TestModels models = new TestModels();

    private void publish(String version, Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        models.files.put(version, bytes);
        ModelVersion manifest = TestModels.manifest(version, bytes);
        models.versions.put(version, manifest);
    }

    private Path checkpoint(String version, long seed, Map<String, String> more) throws IOException {
        Map<String, String> properties = new HashMap<>(more);
        properties.put(Checkpoints.VERSION, version);
        return RandomCheckpoint.tiny(folder.resolve(version + ".onnx"), seed, properties);
    }

    private ModelLifecycle lifecycle() {
        ScorerOptions options = ScorerOptions.defaults().withDevice("cpu").withThreads(1);
        ModelLoader loader = new ModelLoader(
                models, v -> {}, path -> OrtScorer.open(path, options), folder.resolve("models"), 4, task -> new Thread(
                                task)
                        .start());
        return new ModelLifecycle(
                new ModelLifecycle.Identity("a", "default", Duration.ZERO, Duration.ZERO),
                models,
                loader,
                null,
                new ModelLifecycle.Callbacks(
                        models.statuses::add, (action, basedOn, version, reason) -> {}, ModelEvents.NONE));
    }

    @Test
    void shouldRejectCheckpointsThatSessionOrSelfTestRejects() throws Exception {
        Path good = checkpoint("good", 1, Map.of());
        publish("good", good);
        models.promote("good");
        ModelLifecycle lifecycle = lifecycle();
        lifecycle.start(Duration.ofSeconds(60));
        String expected;
        try (OrtScorer scorer =
                OrtScorer.open(good, ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            expected = SelfTest.expected(scorer);
        }
        byte[] bytes = Files.readAllBytes(good);
        Path broken = folder.resolve("broken");
        publish("half", Files.write(broken, Arrays.copyOf(bytes, bytes.length / 2)));
        publish("text", Files.writeString(broken, "not a model"));
        publish("renamed", good);
        publish("drifted", checkpoint("drifted", 1, Map.of(SelfTest.PROPERTY, "{\"frames\":1,\"raw\":[9,9,9,9]}")));
        publish("sound", checkpoint("sound", 1, Map.of(SelfTest.PROPERTY, expected)));
        Map<String, String> reasons = Map.of(
                "half",
                "",
                "text",
                "not a complete ONNX file",
                "renamed",
                "calls itself good",
                "drifted",
                "the score its maker saw");
        for (String version : List.of("half", "text", "renamed", "drifted")) {
            models.promote(version);
            Awaitility.await(version).atMost(TIMEOUT).until(() -> rejection(version) != null);
            System.out.println("SessionRejectionIT: " + version + " rejected: " + rejection(version));
            assertThat(rejection(version)).isNotNull().contains(reasons.get(version));
            assertThat(lifecycle.championSlot().version()).contains("good");
        }
        models.promote("sound");
        Awaitility.await("sound").atMost(TIMEOUT).until(() -> "sound"
                .equals(lifecycle.plan().champion()));
        assertThat(lifecycle.close(Duration.ofSeconds(30))).isTrue();
        try (var left = Files.walk(folder.resolve("models"))) {
            assertThat(left.filter(Files::isRegularFile)).isEmpty();
        }
    }

    private String rejection(String version) {
        return models.statuses.stream()
                .filter(s -> s.getVersion().equals(version) && s.getState() == ModelState.REJECTED)
                .map(s -> s.getReason())
                .findFirst()
                .orElse(null);
    }
}
