package io.linesight.trainer.learning;

import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.ModelPublisher;
import io.linesight.models.rollouts.ModelRegistry;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.rollouts.RolloutWriter;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Joins a trainer to a rollout channel: its champion is the channel's, and what it makes is signed and published. Every
 * challenger is published, also one that failed its gate, so that people can read why; the rules keep those from being
 * rolled out. One that passed scores beside the champion, if that is configured.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it, after the trainer.
 */
public final class TrainedChannel implements ChampionSource, ChallengerSink, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainedChannel.class);
    private final ModelsConfig config;
    private final Options options;
    private final ModelRegistry registry;
    private final ModelRegistryView view;
    private final CheckpointStores stores;
    private final ModelPublisher publisher;
    private final RolloutWriter writer;

    /**
     * How challengers get to the line.
     *
     * @param folder for the champion's file; belongs to one trainer
     * @param store where bytes go: {@code kafka:}, {@code file:DIR} or {@code http(s)://...}
     * @param signer empty publishes unsigned versions
     * @param shadowPercent share of the frames that a challenger which passed its gate scores beside the champion at
     *     once; 0 waits for a person
     * @param by in whose name this is decided
     */
    public record Options(
            Path folder, String store, Optional<CheckpointSigner> signer, double shadowPercent, String by) {
        public Options {
            if (!(shadowPercent >= 0 && shadowPercent <= 100))
                throw new IllegalArgumentException(
                        "a shadow scores 0 to 100 percent of the frames, not " + shadowPercent);
        }
    }

    private TrainedChannel(ModelsConfig config, TrustedKeys trusted, Options options) throws CheckpointStoreException {
        this.config = config;
        this.options = options;
        stores = CheckpointStores.open(config, options.store());
        ModelRegistry r = null;
        ModelRegistryView v = null;
        try {
            r = ModelRegistry.open(config);
            v = ModelRegistryView.open(config, trusted);
        } finally {
            if (v == null) {
                if (r != null) r.close();
                stores.close();
            }
        }
        registry = r;
        view = v;
        publisher = new ModelPublisher(stores, registry, view, options.signer(), config.timeout());
        writer = new RolloutWriter(registry, view, config.timeout());
    }

    /**
     * Connects.
     *
     * @param settings as {@link ModelsConfig#of} takes them
     * @throws IllegalArgumentException when a setting is wrong, or does not say whose checkpoints count
     * @throws IOException naming a key that cannot be read, or what is wrong with the store's address
     * @throws KafkaException with a message for people when the broker does not answer or a topic is missing; nothing
     *     stays open
     */
    public static TrainedChannel open(Map<String, ?> settings, Options options) throws IOException {
        ModelsConfig config = ModelsConfig.of(settings);
        return new TrainedChannel(config, TrustedKeys.of(config), options);
    }

    @Override
    public Optional<Champion> current(String channel) throws IOException {
        RegistryState known = known();
        String version =
                known.channel(channel).inForce().map(Rollout::getChampion).orElse(null);
        if (version == null) return Optional.empty();
        PublishedVersion champion = known.version(version)
                .orElseThrow(() -> new IOException("the champion " + version + " of channel '" + channel
                        + "' is not in the registry any more; publish it again, or roll back"));
        if (!champion.verification().accepted())
            throw new IOException("the champion " + version + " of channel '" + channel
                    + "' cannot be trained further: " + champion.verification().message());
        Path folder = options.folder();
        Files.createDirectories(folder);
        Path file = stores.fetch(champion.manifest(), folder);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path old : files.filter(
                            f -> !f.equals(file) && f.getFileName().toString().endsWith(".onnx"))
                    .toList()) Files.delete(old);
        }
        return Optional.of(new Champion(version, file));
    }

    private RegistryState known() throws IOException {
        try {
            if (view.awaitCaughtUp(config.timeout())) return view.state();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the registry was read", e);
        }
        throw new IOException("what is in force cannot be seen: " + view.obstacle());
    }

    @Override
    public void offer(Path checkpoint, ModelVersion draft) throws IOException {
        try {
            publisher.publish(checkpoint, draft);
            LOG.info("Published {}: {}", draft.getVersion(), draft.getGate().getOutcome());
            if (options.shadowPercent() > 0 && draft.getGate().getOutcome() == GateOutcome.PASSED) shadow(draft);
        } catch (KafkaException e) {
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(
                    "interrupted while " + draft.getVersion() + " was published; it is published again", e);
        }
    }

    private void shadow(ModelVersion draft) throws IOException, InterruptedException {
        String version = draft.getVersion();
        Author author = Author.program(options.by(), draft.getGate().getReason());
        try {
            writer.decide(draft.getChannel(), known -> {
                Rollout now = known.channel(draft.getChannel()).inForce().orElse(null);
                if (now == null || !version.equals(now.getChallenger())) {
                    return RolloutRules.shadow(
                            known, draft.getChannel(), version, options.shadowPercent(), author, false);
                }
                return new Decision.Rejected("it is the challenger already"); // handed over twice after a crash
            });
            LOG.info("{} scores {} % of the frames beside the champion", version, options.shadowPercent());
        } catch (RolloutException e) {
            switch (e.kind()) {
                // It is published all the same; people can decide from there.
                case REJECTED, OVERTAKEN ->
                    LOG.warn("{} does not score beside the champion: {}", version, e.getMessage());
                default -> throw new IOException(e.getMessage(), e);
            }
        }
    }

    @Override
    public void close() {
        view.close();
        stores.close();
        registry.close();
    }
}
