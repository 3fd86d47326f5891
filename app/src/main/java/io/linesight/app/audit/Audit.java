package io.linesight.app.audit;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/**
 * Reads the topics of a line, which may be running, and counts for every camera how many frames were sent, scored,
 * rejected, lost, doubled or answered out of order. It reads the topics alone, so the result does not depend on who
 * wrote them; it writes nothing and joins no group.
 *
 * <p>A frame is lost when the application has committed it and there is neither a result nor a dead letter. Commits are
 * read before the answers, so a frame that is being scored counts as waiting, never as lost. Needs five bytes of memory
 * a frame.
 *
 * <p>Threads: one call at a time.
 */
public final class Audit {
    /** Stands for the camera of records without a key. */
    public static final String KEYLESS = "(no key)";

    private static final int API_TIMEOUT_MS = 30_000;

    private final Map<String, String> settings;
    private final Topics topics;
    private final String application;

    /**
     * @param settings of the consumer, the admin client and the registry, at least {@code bootstrap.servers} and
     *     {@code schema.registry.url}
     * @param application application id of the inspection app
     */
    public Audit(Map<String, String> settings, Topics topics, String application) {
        this.settings = Map.copyOf(settings);
        this.topics = topics;
        this.application = application;
    }

    /**
     * Reads all that is kept, or all since a moment.
     *
     * @param since frames that the broker or the camera dates before it are left out; null for all that are kept
     * @param each given every committed result in passing, for checks of its own; null for none
     * @throws KafkaException when the broker cannot be used or a topic is missing
     * @throws IllegalStateException when a transaction stays open for longer than two minutes
     * @throws IllegalArgumentException when there are more frames in a partition than fit into memory
     */
    public AuditReport run(@Nullable Instant since, @Nullable Consumer<InspectionResult> each)
            throws InterruptedException {
        Map<Integer, Long> committed = committedOffsets();
        Books books = new Books(topics.frames().name());
        Map<TopicPartition, Range> results;
        long committedResults;
        try (TopicScan scan = TopicScan.ofCommitted(readerConfigs(), since)) {
            readFrames(scan, books);
            results = scan.ranges(topics.results());
            committedResults = readResults(scan, results, books, each);
            readDeadLetters(scan, books);
            readEvents(scan, books);
        }
        try (TopicScan scan = TopicScan.ofAll(readerConfigs(), since)) {
            long attempts = scan.read(results, r -> {});
            return books.report(committed, attempts - committedResults);
        }
    }

    private void readFrames(TopicScan scan, Books books) {
        Map<TopicPartition, Range> ranges = scan.ranges(topics.frames());
        ranges.forEach((p, range) -> books.partition(p.partition(), range.from(), range.until()));
        scan.read(ranges, r -> books.frame(r.partition(), r.offset(), camera(r)));
    }

    private static String camera(ConsumerRecord<byte[], byte[]> frame) {
        return frame.key() == null ? KEYLESS : new String(frame.key(), StandardCharsets.UTF_8);
    }

    private long readResults(
            TopicScan scan, Map<TopicPartition, Range> ranges, Books books, @Nullable Consumer<InspectionResult> each) {
        try (AvroSerde<InspectionResult> serde = AvroSerde.of(InspectionResult.class, settings, false)) {
            return scan.read(
                    ranges,
                    r -> readRecord(serde, r, books, result -> {
                        books.result(result.getFrameRef(), result.getModelVersion());
                        if (each != null) each.accept(result);
                    }));
        }
    }

    private void readDeadLetters(TopicScan scan, Books books) {
        scan.read(topics.deadLetter(), r -> DeadLetterHeaders.read(r.headers())
                .ifPresentOrElse(
                        reason -> books.deadLetter(
                                reason.getSource(), reason.getCode().name()),
                        books::unreadable));
    }

    private void readEvents(TopicScan scan, Books books) {
        try (AvroSerde<AnomalyEvent> serde = AvroSerde.of(AnomalyEvent.class, settings, false)) {
            scan.read(
                    topics.anomalies(),
                    r -> readRecord(
                            serde,
                            r,
                            books,
                            event -> books.event(event.getResult().getFrameRef())));
        }
    }

    private static <T extends SpecificRecord> void readRecord(
            AvroSerde<T> serde, ConsumerRecord<byte[], byte[]> record, Books books, Consumer<T> use) {
        T value;
        try {
            value = serde.deserializer().deserialize(record.topic(), record.value());
        } catch (SerializationException e) {
            value = null;
        }
        // A record without a value is null too; Linesight writes none.
        if (value == null) books.unreadable();
        else use.accept(value);
    }

    /** Next offset of every partition of frames that the application has committed. */
    private Map<Integer, Long> committedOffsets() throws InterruptedException {
        Map<String, Object> configs = ClientSettings.forAdmin(settings);
        configs.putIfAbsent(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, API_TIMEOUT_MS);
        try (Admin admin = Admin.create(configs)) {
            Map<Integer, Long> offsets = new HashMap<>();
            admin.listConsumerGroupOffsets(application)
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .forEach((partition, offset) -> {
                        if (partition.topic().equals(topics.frames().name()) && offset != null)
                            offsets.put(partition.partition(), offset.offset());
                    });
            return offsets;
        } catch (ExecutionException e) {
            throw new KafkaException(
                    "the offsets that '" + application + "' has committed cannot be read: "
                            + e.getCause().getMessage(),
                    e.getCause());
        }
    }

    private Map<String, Object> readerConfigs() {
        Map<String, Object> configs = ClientSettings.forReader(settings);
        if (!settings.containsKey(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG))
            configs.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, API_TIMEOUT_MS);
        configs.putAll(topics.limits().consumerConfigs());
        return configs;
    }
}
