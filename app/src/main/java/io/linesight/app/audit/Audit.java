package io.linesight.app.audit;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.CameraNames;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.FrameTimes;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
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
 * read before the answers, so a frame that is being scored counts as waiting, never as lost. One whose answer retention
 * may have deleted counts as expired, and an answer to a frame of a topic of the same name that was deleted counts for
 * no frame. Needs nine bytes of memory a frame.
 *
 * <p>Threads: one call at a time.
 */
public final class Audit {
    private static final int API_TIMEOUT_MS = 30_000;

    /** How far ahead of the broker's clock a record may be dated by default. */
    private static final Duration MAX_SKEW = Duration.ofHours(1);

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
        Map<String, Object> admins = ClientSettings.forAdmin(settings);
        admins.putIfAbsent(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, API_TIMEOUT_MS);
        try (Admin admin = Admin.create(admins)) {
            TopicFacts facts = new TopicFacts(admin);
            Map<Integer, Long> committed = committedOffsets(admin);
            Books books =
                    new Books(topics.frames().name(), facts.id(topics.frames()).orElse(null));
            Map<TopicPartition, Range> results;
            long committedResults;
            Kept keptResults = Kept.ALL;
            Kept keptLetters = Kept.ALL;
            try (TopicScan scan = TopicScan.ofCommitted(readerConfigs(), since)) {
                readFrames(scan, books);
                Instant answersSince = since == null ? null : answersSince(since, books);
                results = scan.ranges(topics.results(), answersSince);
                committedResults = readResults(scan, results, books, each);
                readDeadLetters(scan, answersSince, books);
                readEvents(scan, answersSince, books);
                if (books.hasUnanswered(committed)) {
                    keptResults = kept(scan, facts, topics.results());
                    keptLetters = kept(scan, facts, topics.deadLetter());
                }
            }
            try (TopicScan scan = TopicScan.ofAll(readerConfigs(), since)) {
                long attempts = scan.read(results, r -> {});
                return books.report(committed, attempts - committedResults, keptResults, keptLetters);
            }
        }
    }

    /**
     * From when on answers are read. An answer has the time of its frame, or that of its inspection where the frame's
     * cannot be true; clocks differ, and versions before took the frame's time whatever it was.
     */
    private static Instant answersSince(Instant since, Books books) {
        long oldest = Math.min(since.toEpochMilli(), books.oldestMillis());
        return Instant.ofEpochMilli(Math.max(0, oldest - MAX_SKEW.toMillis()));
    }

    private void readFrames(TopicScan scan, Books books) {
        Map<TopicPartition, Range> ranges = scan.ranges(topics.frames());
        ranges.forEach((p, range) -> books.partition(p.partition(), range.from(), range.until()));
        long now = System.currentTimeMillis();
        scan.read(ranges, r -> books.frame(r.partition(), r.offset(), camera(r), r.timestamp(), now));
        // A search by time passes over a camera whose clock was never set.
        Map<TopicPartition, Range> before = new HashMap<>();
        Map<TopicPartition, Long> begins = scan.begins(topics.frames());
        ranges.forEach((p, range) -> {
            if (range.from() > begins.get(p)) before.put(p, new Range(range.from() - 1, range.from()));
        });
        if (!before.isEmpty())
            scan.read(before, r -> {
                if (FrameTimes.isImpossible(r.timestamp(), now)) books.misdated(camera(r), r.timestamp(), now);
            });
    }

    private static String camera(ConsumerRecord<byte[], byte[]> frame) {
        return CameraNames.shown(frame.key());
    }

    private long readResults(
            TopicScan scan, Map<TopicPartition, Range> ranges, Books books, @Nullable Consumer<InspectionResult> each) {
        try (RecordDecoder<InspectionResult> decoder = RecordDecoder.of(InspectionResult.class, settings)) {
            return scan.read(
                    ranges,
                    r -> readRecord(decoder, r, books, result -> {
                        books.result(result.getFrameRef(), result.getModelVersion(), origin(r, result));
                        if (each != null) each.accept(result);
                    }));
        }
    }

    private static AnswerOrigin origin(ConsumerRecord<byte[], byte[]> answer, InspectionResult result) {
        return new AnswerOrigin(
                AnswerHeaders.topicId(answer.headers()).orElse(null),
                result.getScoredAt().toEpochMilli());
    }

    private void readDeadLetters(TopicScan scan, @Nullable Instant since, Books books) {
        scan.read(scan.ranges(topics.deadLetter(), since), r -> DeadLetterHeaders.read(r.headers())
                .ifPresentOrElse(
                        reason -> books.deadLetter(
                                reason.getSource(),
                                reason.getCode().name(),
                                new AnswerOrigin(
                                        AnswerHeaders.topicId(r.headers()).orElse(null), Long.MAX_VALUE)),
                        books::unreadable));
    }

    private void readEvents(TopicScan scan, @Nullable Instant since, Books books) {
        try (RecordDecoder<AnomalyEvent> decoder = RecordDecoder.of(AnomalyEvent.class, settings)) {
            scan.read(
                    scan.ranges(topics.anomalies(), since),
                    r -> readRecord(
                            decoder,
                            r,
                            books,
                            event -> books.event(event.getResult().getFrameRef(), origin(r, event.getResult()))));
        }
    }

    /** What retention has left of a topic of answers. */
    private static Kept kept(TopicScan scan, TopicFacts facts, TopicSpec topic) throws InterruptedException {
        boolean compacted = facts.isCompacted(topic);
        long since = Long.MIN_VALUE;
        boolean truncated = false;
        for (Map.Entry<TopicPartition, Long> begin : scan.begins(topic).entrySet()) {
            if (begin.getValue() == 0) continue;
            truncated = true;
            ConsumerRecord<byte[], byte[]> oldest = scan.oldest(begin.getKey());
            since = Math.max(
                    since,
                    oldest == null ? System.currentTimeMillis() - facts.retentionMillis(topic) : oldest.timestamp());
        }
        return new Kept(truncated, compacted, since);
    }

    private static <T extends SpecificRecord> void readRecord(
            RecordDecoder<T> decoder, ConsumerRecord<byte[], byte[]> record, Books books, Consumer<T> use) {
        T value;
        try {
            value = decoder.await(record);
        } catch (SerializationException e) {
            value = null;
        }
        // A record without a value is null too; Linesight writes none.
        if (value == null) books.unreadable();
        else use.accept(value);
    }

    /** Next offset of every partition of frames that the application has committed. */
    private Map<Integer, Long> committedOffsets(Admin admin) throws InterruptedException {
        try {
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
