package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.topics.Topics;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;

/**
 * Checkpoints in the chunk topic: one partition, compacted, raw bytes under a {@link ChunkKey}.
 *
 * <p>The location in the manifest is {@code kafka:<offset of the first chunk>}. Reading starts there and ends when all
 * chunks have been seen, so of a topic full of checkpoints little more than this one is read. Compaction keeps offsets
 * and the newest copy of every key, so copies that a later upload wrote lie further on and are found as well. The
 * offset is a hint: where it leads nowhere (the topic was copied to another cluster), the rest of the topic is read
 * too. Chunks are written to their place in the file in whatever order they arrive; only a few are in memory. Any copy
 * of a chunk serves, for the whole file is verified: while Kafka has an intact copy of every chunk, a fetch succeeds.
 */
final class KafkaCheckpointStore implements CheckpointStore {
    private final ModelsConfig config;
    private final ChunkTopic topic;
    private final CheckpointDownload.Opener opener;

    KafkaCheckpointStore(ModelsConfig config, CheckpointDownload.Opener opener) {
        this.config = config;
        this.opener = opener;
        topic = new ChunkTopic(config);
    }

    @Override
    public StoredCheckpoint put(Path file) throws CheckpointStoreException {
        Hashing.Content content = Hashing.toPublish(file, config.maxBytes());
        int chunkBytes = Topics.MODEL_CHUNK_BYTES;
        int chunks = Math.toIntExact((content.bytes() + chunkBytes - 1) / chunkBytes);
        if (chunks >= ChunkKey.MAX_CHUNKS)
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    file + " would be " + chunks + " chunks, at most " + ChunkKey.MAX_CHUNKS
                            + " are possible; nothing was published");
        try {
            long first = send(file, content, chunks);
            return new StoredCheckpoint("kafka:" + first, content.sha256(), content.bytes(), chunks, chunkBytes);
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

    /** Sends all chunks; returns the offset of the first. */
    private long send(Path file, Hashing.Content content, int chunks)
            throws IOException, ExecutionException, InterruptedException {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        MessageDigest digest = Hashing.sha256();
        try (InputStream in = Files.newInputStream(file)) {
            for (int i = 0; i < chunks; i++) {
                // The producer keeps the array until it is acknowledged, so each chunk has its own.
                byte[] chunk = in.readNBytes(Topics.MODEL_CHUNK_BYTES);
                digest.update(chunk);
                sent.add(topic.send(new ChunkKey(content.sha256(), i), chunk));
                if (i > 0 && sent.get(i - 1).isDone()) sent.get(i - 1).get(); // an early failure ends the upload early
            }
            if (in.read() >= 0 || !Hashing.hex(digest).equals(content.sha256())) throw Hashing.changed(file);
        }
        return awaitAll(sent);
    }

    private long awaitAll(List<Future<RecordMetadata>> sent) throws ExecutionException, InterruptedException {
        topic.flush();
        long first = Long.MAX_VALUE;
        for (Future<RecordMetadata> f : sent) first = Math.min(first, f.get().offset());
        return first;
    }

    private CheckpointStoreException notWritten(Path file, Throwable e) {
        return new CheckpointStoreException(
                Reason.UNREACHABLE,
                file + " was not published: the broker at " + config.broker() + " did not accept it into "
                        + topic.name() + ": " + e.getMessage()
                        + ". What it accepted stays invisible; publish again when the broker works",
                e);
    }

    @Override
    public Path fetch(ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        Optional<Path> present = CheckpointDownload.present(manifest, targetDir);
        if (present.isPresent()) return present.get();
        try (CheckpointDownload download = new CheckpointDownload(manifest, targetDir, opener);
                ChunkTopic.Scan scan = topic.open()) {
            BitSet found = new BitSet(manifest.getChunks());
            ChunkTopic.Visitor chunks = (key, record) -> write(key, record, manifest, download, found);
            long hint = Math.max(scan.begin(), hint(manifest));
            if (hint < scan.end()) scan.read(hint, scan.end(), chunks);
            if (found.cardinality() < manifest.getChunks()) scan.read(scan.begin(), Math.min(hint, scan.end()), chunks);
            ensureComplete(manifest, found);
            return download.finish();
        } catch (KafkaException e) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the checkpoint of " + manifest.getVersion() + " cannot be fetched: the broker at "
                            + config.broker() + " did not deliver " + topic.name() + ": " + e.getMessage()
                            + ". Nothing was kept; it can be fetched again",
                    e);
        }
    }

    /** Writes a chunk of this checkpoint to its place; returns whether some are still missing. */
    private static boolean write(
            ChunkKey key,
            ConsumerRecord<byte[], byte[]> record,
            ModelVersion manifest,
            CheckpointDownload download,
            BitSet found)
            throws CheckpointStoreException {
        if (key == null || !key.sha256().equals(manifest.getSha256()) || key.index() >= manifest.getChunks())
            return true;
        if (record.value() == null) {
            found.clear(key.index());
            return true;
        }
        long position = (long) key.index() * manifest.getChunkBytes();
        long expected = Math.min(manifest.getChunkBytes(), manifest.getBytes() - position);
        if (record.value().length != expected) {
            throw new CheckpointStoreException(
                    Reason.WRONG_SIZE,
                    "the checkpoint of " + manifest.getVersion() + " is damaged: chunk " + (key.index() + 1) + " of "
                            + manifest.getChunks() + " has " + record.value().length + " bytes instead of " + expected
                            + ". Nothing was kept; publish it again");
        }
        download.write(position, ByteBuffer.wrap(record.value()));
        found.set(key.index());
        return found.cardinality() < manifest.getChunks();
    }

    private static void ensureComplete(ModelVersion manifest, BitSet found) throws CheckpointStoreException {
        int missing = found.nextClearBit(0);
        if (missing >= manifest.getChunks()) return;
        throw new CheckpointStoreException(
                Reason.MISSING,
                "the checkpoint of " + manifest.getVersion() + " is not complete: chunk " + (missing + 1) + " of "
                        + manifest.getChunks()
                        + " is gone: it was compacted or never written. Nothing was kept; publish it again");
    }

    private static long hint(ModelVersion manifest) {
        try {
            return Long.parseLong(manifest.getLocation().substring("kafka:".length()));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    @Override
    public void delete(ModelVersion manifest) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        delete(
                manifest.getSha256(),
                IntStream.range(0, manifest.getChunks()).boxed().toList());
    }

    void delete(AbandonedUpload upload) throws CheckpointStoreException {
        delete(upload.sha256(), upload.indices());
    }

    private void delete(String sha256, List<Integer> indices) throws CheckpointStoreException {
        try {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i : indices) sent.add(topic.send(new ChunkKey(sha256, i), null));
            awaitAll(sent);
        } catch (KafkaException | ExecutionException e) {
            Throwable why = e instanceof ExecutionException ? e.getCause() : e;
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the chunks of " + sha256 + " were not all removed from " + topic.name() + ": " + why.getMessage()
                            + ". It can be repeated",
                    why);
        } catch (InterruptedException e) {
            throw interrupted(e, "removing the chunks of " + sha256);
        }
    }

    /**
     * Reads the whole topic for checkpoints that no manifest names and whose newest chunk is older than {@code before}.
     */
    List<AbandonedUpload> abandoned(Set<String> namedSha256, Instant before) throws CheckpointStoreException {
        Map<String, Upload> uploads = new HashMap<>();
        try (ChunkTopic.Scan scan = topic.open()) {
            scan.read(scan.begin(), scan.end(), (key, record) -> {
                if (key != null && !namedSha256.contains(key.sha256()))
                    uploads.computeIfAbsent(key.sha256(), sha256 -> new Upload())
                            .add(key.index(), record);
                return true;
            });
        } catch (KafkaException e) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the broker at " + config.broker() + " did not deliver " + topic.name() + ": " + e.getMessage()
                            + "; nothing was removed",
                    e);
        }
        List<AbandonedUpload> abandoned = new ArrayList<>();
        uploads.forEach((sha256, upload) -> {
            if (!upload.indices.isEmpty() && upload.newest < before.toEpochMilli())
                abandoned.add(new AbandonedUpload(
                        sha256, List.copyOf(upload.indices), upload.bytes, Instant.ofEpochMilli(upload.newest)));
        });
        return abandoned;
    }

    /** Chunks of one checkpoint. */
    private static final class Upload {
        private final TreeSet<Integer> indices = new TreeSet<>();
        private long bytes;
        private long newest;

        private void add(int index, ConsumerRecord<byte[], byte[]> record) {
            newest = Math.max(newest, record.timestamp());
            if (record.value() == null) {
                indices.remove(index);
            } else {
                indices.add(index);
                bytes += record.value().length;
            }
        }
    }

    private static CheckpointStoreException interrupted(InterruptedException e, String what) {
        Thread.currentThread().interrupt();
        return new CheckpointStoreException(Reason.UNREACHABLE, what + " was interrupted; it can be repeated", e);
    }

    @Override
    public void close() {
        topic.close();
    }
}
