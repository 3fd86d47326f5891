package io.linesight.models.rollouts;

import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.TopicSpec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.Serde;

/**
 * Writes the topics of the model registry: manifests, rollouts (through {@link RolloutWriter}) and statuses.
 * {@link ModelRegistryView} reads them.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it, which waits for what is in progress. Nothing is
 * connected before the first write. Writes are idempotent and acknowledged by all replicas.
 */
public final class ModelRegistry implements AutoCloseable {
    private final ModelsConfig config;
    private final Serde<ModelVersion> versions;
    private final Serde<Rollout> rollouts;
    private final Serde<ModelStatus> statuses;
    private final KafkaProducer<byte[], byte[]> producer;

    private ModelRegistry(ModelsConfig config) {
        this.config = config;
        versions = SerdeFactory.create(ModelVersion.class, config.settings(), false);
        rollouts = SerdeFactory.create(Rollout.class, config.settings(), false);
        statuses = SerdeFactory.create(ModelStatus.class, config.settings(), false);
        Map<String, Object> c = ClientSettings.forWriter(config.settings());
        // INVARIANT: one request in flight. With several, a new topic's first leader may reject the first and accept
        // the
        // second, and then never accept the first.
        c.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        c.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        c.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 4L << 20);
        int timeout = (int) Math.min(Integer.MAX_VALUE / 2, config.timeout().toMillis());
        c.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeout);
        c.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
        c.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, timeout);
        producer = ClientSettings.openProducer(c);
    }

    /** @throws org.apache.kafka.common.config.ConfigException naming the setting that is wrong */
    public static ModelRegistry open(ModelsConfig config) {
        return new ModelRegistry(config);
    }

    /**
     * Makes a version visible; its bytes must be in their store already. {@link ModelPublisher} does both in the right
     * order.
     *
     * @throws KafkaException if it is not certain that the record was written; publishing it again is harmless
     * @throws RegistryException if the schema registry cannot be used; nothing was written
     */
    public void publish(ModelVersion manifest) {
        TopicSpec topic = config.topics().models();
        await(
                send(topic, manifest.getVersion(), versions.serializer().serialize(topic.name(), manifest)),
                "the manifest of " + manifest.getVersion(),
                topic);
    }

    /** Takes a version's manifest out of the registry. {@link ModelJanitor} knows when that may be done. */
    void remove(String version) {
        TopicSpec topic = config.topics().models();
        await(send(topic, version, null), "the removal of " + version, topic);
    }

    /**
     * Tells what an instance does with a version; the newest per instance and version counts.
     *
     * @return completes when all replicas have it, exceptionally with a {@link KafkaException}; nobody needs to wait
     *     for it
     * @throws RegistryException if the schema registry cannot be used
     */
    public CompletableFuture<Void> report(ModelStatus status) {
        TopicSpec topic = config.topics().modelStatus();
        return send(topic, statusKey(status), statuses.serializer().serialize(topic.name(), status))
                .thenApply(m -> null);
    }

    /** Takes a status out again, for instance of a version that is gone. */
    void forget(ModelStatus status) {
        TopicSpec topic = config.topics().modelStatus();
        await(send(topic, statusKey(status), null), "the removal of a status", topic);
    }

    static String statusKey(ModelStatus status) {
        return status.getInstance() + "/" + status.getVersion();
    }

    /** @return the record's offset */
    long write(Rollout rollout) {
        TopicSpec topic = config.topics().rollouts();
        return await(
                        send(topic, rollout.getChannel(), rollouts.serializer().serialize(topic.name(), rollout)),
                        "the decision for '" + rollout.getChannel() + "'",
                        topic)
                .offset();
    }

    private CompletableFuture<RecordMetadata> send(TopicSpec topic, String key, byte[] value) {
        CompletableFuture<RecordMetadata> done = new CompletableFuture<>();
        try {
            producer.send(
                    new ProducerRecord<>(topic.name(), 0, key.getBytes(StandardCharsets.UTF_8), value),
                    (metadata, error) -> {
                        if (error != null) done.completeExceptionally(error);
                        else done.complete(metadata);
                    });
        } catch (InterruptException e) {
            throw e;
        } catch (KafkaException e) {
            done.completeExceptionally(e);
        }
        return done;
    }

    private RecordMetadata await(CompletableFuture<RecordMetadata> sent, String what, TopicSpec topic) {
        try {
            return sent.join();
        } catch (CompletionException e) {
            String why = e.getCause().getMessage();
            throw new KafkaException(
                    "it is not certain that " + what + " was written to " + topic.name() + " at " + config.broker()
                            + ": " + why
                            + ". Check that the broker runs and has the topic ('linesight topics' creates it), then "
                            + "do it again",
                    e.getCause());
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofMillis(Math.min(10_000, config.timeout().toMillis())));
        versions.close();
        rollouts.close();
        statuses.close();
    }
}
