package io.linesight.models.rollouts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.SharedPlatform;
import io.linesight.models.storage.AbandonedUpload;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.models.storage.StoredCheckpoint;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.topics.Topics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints in the chunk topic of a real broker. */
class KafkaStoreIT {
    private static final int CHUNK = Topics.MODEL_CHUNK_BYTES;

    private static EmbeddedKafka kafka;

    @TempDir
    Path dir;

    private Models models;
    private CheckpointStores store;
    private String topic;
    private Path target;

    @BeforeAll
    static void startBroker() {
        kafka = SharedPlatform.kafka();
    }

    @BeforeEach
    void open(TestInfo test) {
        models = new Models(
                kafka.bootstrapServers(),
                "http://localhost:1",
                "store." + test.getTestMethod().orElseThrow().getName());
        store = CheckpointStores.open(models.config);
        topic = models.config.topics().modelChunks().name();
        target = dir.resolve("fetched");
    }

    @AfterEach
    void close() {
        store.close();
        models.close();
    }

    private CheckpointStoreException fails(ModelVersion m) throws Exception {
        CheckpointStoreException e = catchThrowableOfType(CheckpointStoreException.class, () -> store.fetch(m, target));
        if (Files.exists(target)) {
            try (Stream<Path> left = Files.list(target)) {
                assertThat(left).as("nothing is left behind").isEmpty();
            }
        }
        return e;
    }

    @Test
    void shouldGiveBackFilesOfEverySize() throws Exception {
        int[] sizes = {1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17};
        for (int i = 0; i < sizes.length; i++) {
            Path file = Models.file(dir.resolve("m" + i), sizes[i], i);
            StoredCheckpoint stored = store.put(file);
            assertThat(stored.chunks()).isEqualTo((sizes[i] + CHUNK - 1) / CHUNK);
            assertThat(stored.location()).startsWith("kafka:");
            ModelVersion m = Models.manifest("v" + i, stored);
            assertThat(store.fetch(m, target)).hasSameBinaryContentAs(file);
        }
        // Where each lies is only a hint: without one, or with a wrong one, it is found too.
        for (String location : List.of("kafka:", "kafka:7", "kafka:999999999", "kafka:nonsense", "kafka:-3")) {
            StoredCheckpoint stored = store.put(dir.resolve("m4"));
            ModelVersion m = ModelVersion.newBuilder(Models.manifest("v4", stored))
                    .setLocation(location)
                    .build();
            Files.delete(target.resolve(stored.sha256() + ".onnx"));
            assertThat(store.fetch(m, target)).as(location).hasSameBinaryContentAs(dir.resolve("m4"));
        }
    }

    @Test
    void shouldKeepOneCopyOfTheSameContentAndFindItAfterCompaction() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            ConfigResource r = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            Map<String, String> eager =
                    Map.of("segment.bytes", "2000000", "min.cleanable.dirty.ratio", "0.01", "segment.ms", "500");
            admin.incrementalAlterConfigs(Map.of(
                            r,
                            eager.entrySet().stream()
                                    .map(e -> new AlterConfigOp(
                                            new ConfigEntry(e.getKey(), e.getValue()), AlterConfigOp.OpType.SET))
                                    .toList()))
                    .all()
                    .get();
        }
        Path file = Models.file(dir.resolve("m"), 4 * CHUNK + 5, 1);
        Path other = Models.file(dir.resolve("o"), 3 * CHUNK, 2);
        StoredCheckpoint first = store.put(file);
        store.put(other);
        StoredCheckpoint second = store.put(file);
        assertThat(second.sha256()).isEqualTo(first.sha256());
        assertThat(second.location()).isNotEqualTo(first.location());
        // A cut-off upload of the same content leaves its first chunks behind the others.
        byte[] start = java.util.Arrays.copyOf(Files.readAllBytes(file), CHUNK);
        models.raw(topic, Models.chunkKey(first.sha256(), 0), start);
        Awaitility.await("compaction")
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> {
                    // Closes a segment that is old enough.
                    models.raw(topic, "tick", new byte[] {1});
                    return copies(Models.chunkKey(first.sha256(), 2)) == 1;
                });
        assertThat(store.fetch(Models.manifest("v1", first), target)).hasSameBinaryContentAs(file);
        Files.delete(target.resolve(first.sha256() + ".onnx"));
        assertThat(store.fetch(Models.manifest("v2", second), target)).hasSameBinaryContentAs(file);
    }

    private long copies(String key) {
        return models.records(topic).stream()
                .filter(r -> new String(r.key()).equals(key))
                .count();
    }

    /** The file's chunks as somebody else may have left them: null for one that is not there. */
    private ModelVersion left(Path file, UnaryOperator<byte[]> third) throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        String sha256 = java.util.HexFormat.of()
                .formatHex(java.security.MessageDigest.getInstance("SHA-256").digest(bytes));
        int chunks = (bytes.length + CHUNK - 1) / CHUNK;
        for (int i = 0; i < chunks; i++) {
            byte[] chunk = java.util.Arrays.copyOfRange(bytes, i * CHUNK, Math.min(bytes.length, (i + 1) * CHUNK));
            byte[] value = i == 2 ? third.apply(chunk) : chunk;
            if (value != null) models.raw(topic, Models.chunkKey(sha256, i), value);
        }
        return Models.manifest("v1", new StoredCheckpoint("kafka:0", sha256, bytes.length, chunks, CHUNK));
    }

    @Test
    void shouldSayWhichChunkIsGone() throws Exception {
        Path file = Models.file(dir.resolve("m"), 6 * CHUNK + 1, 3);
        ModelVersion m = left(file, chunk -> null);
        CheckpointStoreException e = fails(m);
        assertThat(e).hasMessageContaining("chunk 3 of 7 is gone: it was compacted or never written");
        assertThat(e.reason()).isEqualTo(Reason.MISSING);
        assertThat(e.worthRetrying()).isFalse();
        store.put(file);
        assertThat(store.fetch(m, target)).as("publishing again repairs it").hasSameBinaryContentAs(file);
    }

    @Test
    void shouldRejectTamperedChunk() throws Exception {
        ModelVersion m = left(Models.file(dir.resolve("m"), 4 * CHUNK, 4), chunk -> {
            chunk[5] ^= 1;
            return chunk;
        });
        assertThat(fails(m).reason()).isEqualTo(Reason.TAMPERED);
    }

    @Test
    void shouldRejectTruncatedChunk() throws Exception {
        CheckpointStoreException e =
                fails(left(Models.file(dir.resolve("m"), 4 * CHUNK, 4), chunk -> java.util.Arrays.copyOf(chunk, 1000)));
        assertThat(e.reason()).isEqualTo(Reason.WRONG_SIZE);
        assertThat(e).hasMessageContaining("chunk 3 of 4 has 1000 bytes instead of " + CHUNK);
    }

    @Test
    void shouldRemoveChunks() throws Exception {
        Path file = Models.file(dir.resolve("m"), 2 * CHUNK, 5);
        StoredCheckpoint stored = store.put(file);
        store.delete(Models.manifest("v1", stored));
        assertThat(models.records(topic).stream().filter(r -> r.value() == null))
                .hasSize(2);
        models.raw(topic, Models.chunkKey(stored.sha256(), 0), null);
        store.put(file);
        assertThat(store.fetch(Models.manifest("v1", stored), target))
                .as("published again")
                .hasSameBinaryContentAs(file);
    }

    @Test
    void shouldFindUploadsThatWereCutOff() throws Exception {
        StoredCheckpoint named = store.put(Models.file(dir.resolve("m"), 2 * CHUNK, 6));
        StoredCheckpoint cut = store.put(Models.file(dir.resolve("c"), CHUNK + 1, 7));
        models.raw(topic, "not a chunk", new byte[3]);
        assertThat(store.abandonedUploads(Set.of(named.sha256()), Instant.now().minusSeconds(3600)))
                .as("too young")
                .isEmpty();
        List<AbandonedUpload> found =
                store.abandonedUploads(Set.of(named.sha256()), Instant.now().plusSeconds(60));
        assertThat(found).hasSize(1);
        assertThat(found.get(0))
                .extracting(AbandonedUpload::sha256, AbandonedUpload::indices, AbandonedUpload::bytes)
                .containsExactly(cut.sha256(), List.of(0, 1), (long) CHUNK + 1);
        store.delete(found.get(0));
        assertThat(store.abandonedUploads(Set.of(named.sha256()), Instant.now().plusSeconds(60)))
                .isEmpty();
    }

    @Test
    void shouldSayThatTheBrokerIsAway() throws Exception {
        Map<String, Object> settings = new HashMap<>(models.config.settings());
        settings.put("bootstrap.servers", "localhost:1");
        settings.put(ModelsConfig.TIMEOUT_MS, "1500");
        try (CheckpointStores away = CheckpointStores.open(ModelsConfig.of(settings))) {
            Path file = Models.file(dir.resolve("m"), 100, 8);
            CheckpointStoreException put = catchThrowableOfType(CheckpointStoreException.class, () -> away.put(file));
            assertThat(put.reason()).isEqualTo(Reason.UNREACHABLE);
            assertThat(put).hasMessageContaining("localhost:1").hasMessageContaining("invisible");
            StoredCheckpoint stored = store.put(file);
            CheckpointStoreException fetch = catchThrowableOfType(
                    CheckpointStoreException.class, () -> away.fetch(Models.manifest("v", stored), target));
            assertThat(fetch.reason()).isEqualTo(Reason.UNREACHABLE);
            assertThat(fetch.worthRetrying()).isTrue();
        }
    }
}
