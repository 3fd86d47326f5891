package io.linesight.models.rollouts;

import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.models.storage.StoredCheckpoint;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.topics.TopicAdmin;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The topics about models of one test. */
final class Models implements AutoCloseable {
    final ModelsConfig config;
    private final String bootstrap;
    private final KafkaProducer<byte[], byte[]> producer;

    /** Creates the topics; takes no ownership of broker and registry. */
    Models(String bootstrap, String registryUrl, String prefix, String... more) {
        this.bootstrap = bootstrap;
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                bootstrap,
                "schema.registry.url",
                registryUrl,
                "linesight.topics.prefix",
                prefix,
                ModelsConfig.TIMEOUT_MS,
                "20000"));
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        config = ModelsConfig.of(settings);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            TopicAdmin.ensure(
                    admin,
                    List.of(
                            config.topics().models(),
                            config.topics().modelChunks(),
                            config.topics().rollouts(),
                            config.topics().modelStatus()));
        }
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new ByteArraySerializer(), new ByteArraySerializer());
    }

    ModelRegistry registry() {
        return ModelRegistry.open(config);
    }

    ModelRegistryView view() {
        return ModelRegistryView.open(config, TrustedKeys.unsignedAllowed());
    }

    static Path file(Path path, int bytes, int seed) throws Exception {
        byte[] content = new byte[bytes];
        new Random(seed).nextBytes(content);
        return Files.write(path, content);
    }

    static ModelVersion.Builder draft(String version) {
        return ModelVersion.newBuilder()
                .setVersion(version)
                .setChannel("line")
                .setSha256("ab".repeat(32))
                .setBytes(1)
                .setLocation("kafka:")
                .setChunks(1)
                .setChunkBytes(921_600)
                .setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setCreatedBy("test")
                .setDataset(DatasetSummary.newBuilder().build())
                .setProducts(List.of())
                .setGate(GateVerdict.newBuilder().setOutcome(GateOutcome.PASSED).build());
    }

    static ModelVersion manifest(String version, StoredCheckpoint stored) {
        return stored.into(draft(version)).build();
    }

    void raw(String topic, String key, byte[] value) throws ExecutionException, InterruptedException {
        producer.send(new ProducerRecord<>(topic, 0, key.getBytes(), value)).get();
    }

    static String chunkKey(String sha256, int index) {
        return String.format("%s/%05d", sha256, index);
    }

    List<ConsumerRecord<byte[], byte[]>> records(String topic) {
        List<ConsumerRecord<byte[], byte[]>> out = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                ClientSettings.openConsumer(Map.of("bootstrap.servers", bootstrap))) {
            RangeReader reader = new RangeReader(consumer, Duration.ofMinutes(1));
            reader.read(reader.ranges(List.of(topic)), out::add);
        }
        return out;
    }

    @Override
    public void close() {
        producer.close();
    }
}
