package io.linesight.streams;

import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.ChannelState;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.ModelPublisher;
import io.linesight.models.rollouts.ModelRegistry;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.rollouts.RolloutWriter;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * People at the real registry of a line: they sign, publish, decide and watch. It checks no signatures, so that bad
 * versions can be rolled out.
 */
public final class Desk implements AutoCloseable {
    static final String CHANNEL = "default";
    /** Enough for a busy machine. */
    public static final Duration TIMEOUT = Duration.ofSeconds(120);

    public final Path publicKey;
    final CheckpointSigner signer;
    final ModelsConfig config;
    final ModelRegistry registry;
    final ModelRegistryView view;
    private final Path folder;
    private final CheckpointStores stores;
    private final RolloutWriter writer;

    /** @param folder for keys and checkpoints; created */
    public Desk(Line line, Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        publicKey = folder.resolve("line.pub");
        KeyFiles.generate(folder.resolve("line.key"), publicKey);
        signer = CheckpointSigner.load(folder.resolve("line.key"));
        config = ModelsConfig.of(line.settings());
        registry = ModelRegistry.open(config);
        view = ModelRegistryView.open(config, TrustedKeys.unsignedAllowed());
        stores = CheckpointStores.open(config);
        writer = new RolloutWriter(registry, view, TIMEOUT);
    }

    static ModelVersion draft(String version) {
        return ModelVersion.newBuilder()
                .setVersion(version)
                .setChannel(CHANNEL)
                .setSha256("")
                .setBytes(0)
                .setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setCreatedBy("test")
                .setDataset(DatasetSummary.newBuilder().build())
                .setGate(GateVerdict.newBuilder().setOutcome(GateOutcome.PASSED).build())
                .build();
    }

    public void publish(String version, byte[] checkpoint) throws Exception {
        publish(version, checkpoint, Optional.of(signer));
    }

    /** @param key empty for an unsigned version */
    public ModelVersion publish(String version, byte[] checkpoint, Optional<CheckpointSigner> key) throws Exception {
        Path file = Files.write(folder.resolve(version + ".onnx"), checkpoint);
        return new ModelPublisher(stores, registry, view, key, TIMEOUT).publish(file, draft(version));
    }

    Rollout decide(Function<RegistryState, Decision> rule) throws Exception {
        return writer.decide(CHANNEL, rule);
    }

    /** As a second person who looks at a view of their own. */
    Rollout decide(ModelRegistryView own, Function<RegistryState, Decision> rule)
            throws RolloutException, InterruptedException {
        return new RolloutWriter(registry, own, TIMEOUT).decide(CHANNEL, rule);
    }

    public Rollout promote(String version) throws Exception {
        return decide(known -> RolloutRules.promote(known, CHANNEL, version, Author.person("anna", "test"), true));
    }

    Rollout rollback() throws Exception {
        return decide(known -> RolloutRules.rollback(known, CHANNEL, Author.person("anna", "test")));
    }

    public ChannelState channel() {
        return view.state().channel(CHANNEL);
    }

    public Optional<ModelStatus> status(String instance, String version) {
        return view.state().statuses().stream()
                .filter(s -> s.getInstance().equals(instance) && s.getVersion().equals(version))
                .findFirst();
    }

    /** Waits until an instance has said that of the version a decision named. */
    public ModelStatus awaitStatus(
            String instance, String version, ModelState state, long revision, Supplier<String> otherwise)
            throws Exception {
        await(
                () -> status(instance, version)
                        .filter(s -> s.getState() == state && s.getRolloutRevision() == revision)
                        .isPresent(),
                () -> instance + " says that " + version + " is " + state + " in revision " + revision + "; it says "
                        + status(instance, version) + "\n" + otherwise.get());
        return status(instance, version).orElseThrow();
    }

    public static void await(BooleanSupplier condition, Supplier<String> what) {
        try {
            Awaitility.await()
                    .atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(10))
                    .until(condition::getAsBoolean);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("did not come about within " + TIMEOUT.toSeconds() + " s: " + what.get(), e);
        }
    }

    /** Settings of an instance that follows what is decided here. */
    public Map<String, String> settings(Line line, String application, String instance) {
        return line.settings(
                "application.id",
                application,
                "linesight.models.instance",
                instance,
                "linesight.models.trusted.keys",
                publicKey.toString(),
                "linesight.models.dir",
                folder.resolve("models-" + instance).toString(),
                "state.dir",
                folder.resolve("state-" + instance).toString(),
                "linesight.device",
                "cpu",
                "linesight.scorer.threads",
                "1",
                "linesight.thumbnail",
                "false",
                // A busy machine is no reason to take a model back.
                "linesight.guard.latency.ratio",
                "0");
    }

    @Override
    public void close() {
        stores.close();
        view.close();
        registry.close();
    }
}
