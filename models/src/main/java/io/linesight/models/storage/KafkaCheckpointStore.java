package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.topics.Topics;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * The chunk topic: one partition, compacted, raw bytes under the key {@code <sha256>/<5-digit index>}.
 *
 * <p>How chunks are found: the location in the manifest is {@code kafka:<offset of the first chunk>}. Reading starts
 * there and ends when all chunks have been seen, so of a topic full of checkpoints little more than this one is read.
 * Compaction keeps offsets and the newest copy of every key, so what a later upload of the same content replaced lies
 * further on and is met as well. The offset decides nothing: where it leads nowhere (the topic was copied to another
 * cluster), the rest of the topic is read too. Chunks go to their place in the file as they come, in whatever order; no
 * more than a few are in memory. Which copy of a chunk was met does not matter, for the whole is checked: one that was
 * damaged or removed later is not missed as long as Kafka still has the earlier one.
 */
final class KafkaCheckpointStore implements CheckpointStore {
    private static final int MAX_CHUNKS = 100_000;

    private final ModelsConfig config;
    private final String topic;
    private final TopicPartition partition;
    private final CheckpointDownload.Opener opener;
    private KafkaProducer<byte[], byte[]> producer;

    KafkaCheckpointStore(ModelsConfig config, CheckpointDownload.Opener opener) {
        this.config = config;
        this.opener = opener;
        topic = config.topics().modelChunks().name();
        partition = new TopicPartition(topic, 0);
    }

    @Override
    public StoredCheckpoint put(Path file) throws CheckpointStoreException {
        Hashing.Content content = Hashing.toPublish(file, config.maxBytes());
        int chunkBytes = Topics.MODEL_CHUNK_BYTES;
        int chunks = Math.toIntExact((content.bytes() + chunkBytes - 1) / chunkBytes);
        if (chunks >= MAX_CHUNKS)
            throw new CheckpointStoreException(
                    Reason.REFUSED,
                    file + " would be " + chunks + " chunks, at most " + MAX_CHUNKS
                            + " are possible; nothing was published");
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        MessageDigest digest = Hashing.sha256();
        try (InputStream in = Files.newInputStream(file)) {
            for (int i = 0; i < chunks; i++) {
                // The producer keeps the array until it is acknowledged, so each chunk has its own.
                byte[] chunk = in.readNBytes(chunkBytes);
                digest.update(chunk);
                sent.add(producer().send(new ProducerRecord<>(topic, 0, key(content.sha256(), i), chunk)));
                if (i > 0 && sent.get(i - 1).isDone()) sent.get(i - 1).get(); // an early failure ends the upload early
            }
            if (in.read() >= 0 || !Hashing.hex(digest).equals(content.sha256())) throw Hashing.changed(file);
            return new StoredCheckpoint(
                    "kafka:" + acknowledged(sent), content.sha256(), content.bytes(), chunks, chunkBytes);
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (IOException e) {
            throw new CheckpointStoreException(
                    Reason.IO, file + " cannot be read: " + e.getMessage() + "; nothing was published", e);
        } catch (KafkaException e) {
            throw notWritten(file, e);
        } catch (ExecutionException e) {
            throw notWritten(file, e.getCause());
        } catch (InterruptedException e) {
            throw interrupted(e, "publishing " + file);
        }
    }

    private long acknowledged(List<Future<RecordMetadata>> sent) throws ExecutionException, InterruptedException {
        producer().flush();
        long first = Long.MAX_VALUE;
        for (Future<RecordMetadata> f : sent) {
            RecordMetadata m = f.get();
            first = Math.min(first, m.offset());
        }
        return first;
    }

    private CheckpointStoreException notWritten(Path file, Throwable e) {
        return new CheckpointStoreException(
                Reason.UNREACHABLE,
                file + " was not published: the broker at " + config.broker() + " did not take it into " + topic + ": "
                        + e.getMessage() + ". What it took stays invisible; publish again when the broker is well",
                e);
    }

    @Override
    public Path fetch(ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        var present = CheckpointDownload.present(manifest, targetDir);
        if (present.isPresent()) return present.get();
        try (CheckpointDownload incoming = new CheckpointDownload(manifest, targetDir, opener);
                KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            BitSet found = new BitSet(manifest.getChunks());
            long begin = consumer.beginningOffsets(List.of(partition), config.patience())
                    .get(partition);
            long end =
                    consumer.endOffsets(List.of(partition), config.patience()).get(partition);
            long hint = Math.max(begin, hint(manifest));
            RangeReader.Visitor<CheckpointStoreException> chunks = record -> take(record, manifest, incoming, found);
            if (hint < end) scan(consumer, hint, end, chunks);
            if (found.cardinality() < manifest.getChunks()) scan(consumer, begin, Math.min(hint, end), chunks);
            int missing = found.nextClearBit(0);
            if (missing < manifest.getChunks()) {
                throw new CheckpointStoreException(
                        Reason.MISSING,
                        "the checkpoint of " + manifest.getVersion() + " is not complete: chunk " + (missing + 1)
                                + " of " + manifest.getChunks()
                                + " is gone: it was compacted or never written. Nothing was kept; publish it again");
            }
            return incoming.finish();
        } catch (KafkaException e) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the checkpoint of " + manifest.getVersion() + " cannot be fetched: the broker at "
                            + config.broker() + " did not give " + topic + ": " + e.getMessage()
                            + ". Nothing was kept; it can be fetched again",
                    e);
        }
    }

    /** @return whether chunks are missing still */
    private boolean take(
            ConsumerRecord<byte[], byte[]> record, ModelVersion manifest, CheckpointDownload incoming, BitSet found)
            throws CheckpointStoreException {
        int index = index(record.key(), manifest.getSha256());
        if (index < 0 || index >= manifest.getChunks()) return true;
        if (record.value() == null) {
            found.clear(index);
            return true;
        }
        long at = (long) index * manifest.getChunkBytes();
        long expected = Math.min(manifest.getChunkBytes(), manifest.getBytes() - at);
        if (record.value().length != expected) {
            throw new CheckpointStoreException(
                    Reason.WRONG_SIZE,
                    "the checkpoint of " + manifest.getVersion() + " is damaged: chunk " + (index + 1) + " of "
                            + manifest.getChunks() + " has " + record.value().length + " bytes instead of " + expected
                            + ". Nothing was kept; publish it again");
        }
        incoming.write(at, ByteBuffer.wrap(record.value()));
        found.set(index);
        return found.cardinality() < manifest.getChunks();
    }

    private void scan(
            KafkaConsumer<byte[], byte[]> consumer,
            long from,
            long until,
            RangeReader.Visitor<CheckpointStoreException> visitor)
            throws CheckpointStoreException {
        try {
            new RangeReader(consumer, config.patience())
                    .read(Map.of(partition, new RangeReader.Range(from, until)), visitor);
        } catch (RangeReader.StalledException e) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the broker at " + config.broker() + " does not answer: nothing of " + topic + " for "
                            + config.patience().toSeconds() + " s. Nothing was kept; it can be tried again",
                    e);
        }
    }

    @Override
    public void delete(ModelVersion manifest) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        delete(
                manifest.getSha256(),
                java.util.stream.IntStream.range(0, manifest.getChunks())
                        .boxed()
                        .toList());
    }

    private void delete(String sha256, Iterable<Integer> indices) throws CheckpointStoreException {
        try {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i : indices) sent.add(producer().send(new ProducerRecord<>(topic, 0, key(sha256, i), null)));
            acknowledged(sent);
        } catch (KafkaException | ExecutionException e) {
            Throwable why = e instanceof ExecutionException ? e.getCause() : e;
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the chunks of " + sha256 + " were not all removed from " + topic + ": " + why.getMessage()
                            + ". It can be repeated",
                    why);
        } catch (InterruptedException e) {
            throw interrupted(e, "removing the chunks of " + sha256);
        }
    }

    /** Reads the whole topic: contents that nobody names and whose last chunk is older than that instant. */
    List<AbandonedUpload> abandoned(Set<String> namedSha256, Instant before) throws CheckpointStoreException {
        Map<String, TreeSet<Integer>> indices = new HashMap<>();
        Map<String, Long> bytes = new HashMap<>();
        Map<String, Long> newest = new HashMap<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            long begin = consumer.beginningOffsets(List.of(partition), config.patience())
                    .get(partition);
            long end =
                    consumer.endOffsets(List.of(partition), config.patience()).get(partition);
            scan(consumer, begin, end, record -> {
                String sha = sha256(record.key());
                if (sha == null || namedSha256.contains(sha)) return true;
                newest.merge(sha, record.timestamp(), Math::max);
                TreeSet<Integer> present = indices.computeIfAbsent(sha, s -> new TreeSet<>());
                if (record.value() == null) {
                    present.remove(index(record.key(), sha));
                } else {
                    present.add(index(record.key(), sha));
                    bytes.merge(sha, (long) record.value().length, Long::sum);
                }
                return true;
            });
        } catch (KafkaException e) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the broker at " + config.broker() + " did not give " + topic + ": " + e.getMessage()
                            + "; nothing was removed",
                    e);
        }
        List<AbandonedUpload> out = new ArrayList<>();
        indices.forEach((sha, present) -> {
            if (!present.isEmpty() && newest.get(sha) < before.toEpochMilli())
                out.add(new AbandonedUpload(
                        sha, List.copyOf(present), bytes.get(sha), Instant.ofEpochMilli(newest.get(sha))));
        });
        return out;
    }

    void delete(AbandonedUpload upload) throws CheckpointStoreException {
        delete(upload.sha256(), upload.indices());
    }

    private static long hint(ModelVersion manifest) {
        try {
            return Long.parseLong(manifest.getLocation().substring("kafka:".length()));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    static byte[] key(String sha256, int index) {
        return String.format("%s/%05d", sha256, index).getBytes(StandardCharsets.US_ASCII);
    }

    /** Null when it is no key of a chunk. */
    private static String sha256(byte[] keyOrNull) {
        if (keyOrNull == null || keyOrNull.length != 70) return null;
        String key = new String(keyOrNull, StandardCharsets.ISO_8859_1);
        return key.matches("[0-9a-f]{64}/[0-9]{5}") ? key.substring(0, 64) : null;
    }

    /** -1 when it is no key of a chunk of this content. */
    private static int index(byte[] keyOrNull, String sha256) {
        String own = sha256(keyOrNull);
        return own == null || !own.equals(sha256)
                ? -1
                : Integer.parseInt(new String(keyOrNull, 65, 5, StandardCharsets.US_ASCII));
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        Map<String, Object> c = ClientSettings.forReader(config.settings());
        c.put(
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest"); // what was compacted away at the start is simply passed over
        c.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 4 << 20);
        c.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 4 << 20);
        c.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 8);
        c.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int)
                Math.min(Integer.MAX_VALUE, config.patience().toMillis()));
        return ClientSettings.openConsumer(c);
    }

    private synchronized KafkaProducer<byte[], byte[]> producer() {
        if (producer == null) {
            Map<String, Object> c = ClientSettings.forWriter(config.settings());
            // With several under way, a new topic's first leader may refuse the first and take the second, and then
            // never take the first.
            c.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
            c.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none"); // weights do not compress
            c.put(ProducerConfig.LINGER_MS_CONFIG, 0);
            c.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 8L << 20);
            c.put(ProducerConfig.BATCH_SIZE_CONFIG, 1 << 14);
            int patience = (int) Math.min(Integer.MAX_VALUE, config.patience().toMillis());
            c.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, patience);
            c.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, patience);
            c.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) Math.min(Integer.MAX_VALUE, 2L * patience));
            producer = ClientSettings.openProducer(c);
        }
        return producer;
    }

    private static CheckpointStoreException interrupted(InterruptedException e, String what) {
        Thread.currentThread().interrupt();
        return new CheckpointStoreException(Reason.UNREACHABLE, what + " was interrupted; it can be repeated", e);
    }

    @Override
    public synchronized void close() {
        if (producer != null)
            producer.close(Duration.ofMillis(
                    Math.min(TimeUnit.SECONDS.toMillis(10), config.patience().toMillis())));
    }
}
