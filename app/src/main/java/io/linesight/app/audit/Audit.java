package io.linesight.app.audit;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;

/**
 * Goes through the topics of a line, which may be running, and counts for every camera how many frames were sent,
 * scored, refused, lost, doubled or answered out of order. It asks the topics alone, so it tells the same whoever
 * produced what lies there, and it writes nothing and joins no group.
 *
 * <p>A frame is lost when the application has committed it and there is neither a result nor a dead letter. What the
 * application has committed is asked first and the answers are read afterwards, so a frame that is being scored is
 * waiting, never lost. Needs five bytes of memory a frame.
 *
 * <p>Threads: one call at a time.
 */
public final class Audit {
    /** Stands for the camera of records without a key. */
    public static final String KEYLESS = "(no key)";

    /** How long a transaction that is open may keep the end of a topic from us. */
    private static final Duration STALL_TIMEOUT = Duration.ofMinutes(2);

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
    public AuditReport run(Instant since, Consumer<InspectionResult> each) throws InterruptedException {
        Map<Integer, Long> committed = committed();
        Books books = new Books(topics.frames().name());
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("read_committed");
                AvroSerde<InspectionResult> results = AvroSerde.of(InspectionResult.class, settings, false);
                AvroSerde<AnomalyEvent> events = AvroSerde.of(AnomalyEvent.class, settings, false)) {
            read(
                    consumer,
                    topics.frames(),
                    since,
                    (partition, range) -> books.partition(partition, range[0], range[1]),
                    r -> books.frame(
                            r.partition(),
                            r.offset(),
                            r.key() == null ? KEYLESS : new String(r.key(), StandardCharsets.UTF_8)));
            Map<TopicPartition, Long> end = new HashMap<>();
            long seen = read(
                    consumer,
                    topics.results(),
                    since,
                    null,
                    end,
                    r -> readable(books, () -> results.deserializer().deserialize(r.topic(), r.value()), result -> {
                        books.result(result.getFrameRef(), result.getModelVersion());
                        if (each != null) each.accept(result);
                    }));
            read(consumer, topics.deadLetter(), since, null, r -> DeadLetterHeaders.read(r.headers())
                    .ifPresentOrElse(
                            reason -> books.deadLetter(
                                    reason.getSource(), reason.getCode().name()),
                            books::unreadable));
            read(
                    consumer,
                    topics.anomalies(),
                    since,
                    null,
                    r -> readable(
                            books,
                            () -> events.deserializer().deserialize(r.topic(), r.value()),
                            event -> books.event(event.getResult().getFrameRef())));
            return books.report(committed, attempts(since, end) - seen);
        }
    }

    private static <T> void readable(Books books, Supplier<T> reading, Consumer<T> use) {
        T record;
        try {
            record = reading.get();
        } catch (SerializationException e) {
            record = null;
        }
        // A record without a value is null too; nothing of ours writes one.
        if (record == null) books.unreadable();
        else use.accept(record);
    }

    /** Results written up to there, whether or not their transaction was committed. */
    private long attempts(Instant since, Map<TopicPartition, Long> end) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("read_uncommitted")) {
            return read(consumer, topics.results(), since, null, end, r -> {});
        }
    }

    private interface Ranges {
        void range(int partition, long[] fromUntil);
    }

    private void read(
            KafkaConsumer<byte[], byte[]> consumer,
            TopicSpec topic,
            Instant since,
            Ranges ranges,
            Consumer<ConsumerRecord<byte[], byte[]>> record) {
        read(consumer, topic, since, ranges, new HashMap<>(), record);
    }

    /**
     * @param end where to stop; filled in where it is empty
     * @return records read
     */
    private long read(
            KafkaConsumer<byte[], byte[]> consumer,
            TopicSpec topic,
            Instant since,
            Ranges ranges,
            Map<TopicPartition, Long> end,
            Consumer<ConsumerRecord<byte[], byte[]>> record) {
        RangeReader reader = new RangeReader(consumer, STALL_TIMEOUT);
        List<TopicPartition> partitions = reader.partitions(topic.name());
        if (end.isEmpty()) end.putAll(highWatermarks(partitions));
        Map<TopicPartition, Long> begin = begin(consumer, partitions, since, end);
        Map<TopicPartition, Range> wanted = new HashMap<>();
        for (TopicPartition p : partitions) {
            wanted.put(p, new Range(begin.get(p), end.get(p)));
            if (ranges != null) ranges.range(p.partition(), new long[] {begin.get(p), end.get(p)});
        }
        try {
            return reader.read(wanted, r -> {
                record.accept(r);
                return true;
            });
        } catch (RangeReader.StalledException e) {
            throw new IllegalStateException(
                    "a transaction on " + topic.name() + " has been open for more than " + STALL_TIMEOUT.toSeconds()
                            + " s and hides what came after it; see 'kafka-transactions.sh find-hanging', and try again",
                    e);
        }
    }

    private static Map<TopicPartition, Long> begin(
            KafkaConsumer<byte[], byte[]> consumer,
            List<TopicPartition> partitions,
            Instant since,
            Map<TopicPartition, Long> end) {
        Map<TopicPartition, Long> begin = new HashMap<>(consumer.beginningOffsets(partitions));
        if (since == null) return begin;
        Map<TopicPartition, Long> times = new HashMap<>();
        partitions.forEach(p -> times.put(p, since.toEpochMilli()));
        Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(times);
        for (TopicPartition p : partitions) {
            OffsetAndTimestamp first = found.get(p);
            begin.put(p, first == null ? end.get(p) : Math.min(first.offset(), end.get(p)));
        }
        return begin;
    }

    /**
     * Where the partitions end, with transactions that are still open: a consumer of committed records would call the
     * first of those the end.
     */
    private Map<TopicPartition, Long> highWatermarks(List<TopicPartition> partitions) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("read_uncommitted")) {
            return consumer.endOffsets(partitions);
        }
    }

    private Map<Integer, Long> committed() throws InterruptedException {
        try (Admin admin = Admin.create(ClientSettings.forAdmin(withTimeout()))) {
            Map<Integer, Long> out = new HashMap<>();
            for (Map.Entry<TopicPartition, OffsetAndMetadata> e : admin.listConsumerGroupOffsets(application)
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .entrySet()) {
                if (e.getKey().topic().equals(topics.frames().name()) && e.getValue() != null)
                    out.put(e.getKey().partition(), e.getValue().offset());
            }
            return out;
        } catch (ExecutionException e) {
            throw new KafkaException(
                    "what '" + application + "' has committed cannot be read: "
                            + e.getCause().getMessage(),
                    e.getCause());
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer(String isolation) {
        Map<String, Object> configs = ClientSettings.forReader(withTimeout());
        configs.putAll(topics.limits().consumerConfigs());
        configs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, isolation);
        return ClientSettings.openConsumer(configs);
    }

    private Map<String, Object> withTimeout() {
        Map<String, Object> out = new HashMap<>(settings);
        out.putIfAbsent(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 30_000);
        return out;
    }
}
