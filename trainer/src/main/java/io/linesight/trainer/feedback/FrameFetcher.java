package io.linesight.trainer.feedback;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.Topics;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serde;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads single frames out of the frames topic by their place. Every place asked for gets an outcome; all but FETCHED
 * are logged with the reason.
 *
 * <p>Threads: one at a time. Ownership: whoever makes it closes it. It belongs to no consumer group and commits
 * nothing.
 */
public final class FrameFetcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FrameFetcher.class);
    /**
     * Kafka sends at least one batch whatever its size, so this only keeps it from sending frames that nobody asked
     * for.
     */
    private static final int FETCH_BYTES = 1 << 20;

    private final String topic;
    private final ImageLimits limits;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Serde<CameraFrame> serde;
    private final Duration patience;
    private final Map<FetchOutcome, Long> counts = Collections.synchronizedMap(new EnumMap<>(FetchOutcome.class));

    /**
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}; further consumer and serde
     *     keys are passed on
     * @param patience longest wait for one frame that the broker has
     */
    public FrameFetcher(Map<String, ?> settings, Topics topics, ImageLimits limits, Duration patience) {
        this.topic = topics.frames().name();
        this.limits = limits;
        this.patience = patience;
        Map<String, Object> configs = new HashMap<>();
        settings.forEach((k, v) -> {
            if (ConsumerConfig.configNames().contains(k)) configs.put(k, v);
        });
        configs.putAll(topics.limits().consumerConfigs());
        configs.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES);
        configs.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
        configs.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        configs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        configs.putIfAbsent(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 15_000);
        configs.remove(ConsumerConfig.GROUP_ID_CONFIG);
        serde = SerdeFactory.create(CameraFrame.class, settings, false);
        consumer = new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /**
     * Reads frames, one partition after the other in the order of their offsets.
     *
     * @return an outcome for every place asked for
     * @throws KafkaException when the broker does not answer; nothing is known about the frames then
     * @throws io.linesight.schemas.registry.RegistryException when the registry does not answer; the same
     */
    public Map<FrameRef, FetchedFrame> fetch(Collection<FrameRef> wanted) {
        Map<FrameRef, FetchedFrame> found = new LinkedHashMap<>();
        Map<Integer, TreeSet<Long>> byPartition = new TreeMap<>();
        int partitions = wanted.isEmpty() ? 0 : partitions();
        for (FrameRef ref : wanted) {
            if (!ref.getTopic().equals(topic)) {
                found.put(
                        ref,
                        FetchedFrame.none(
                                FetchOutcome.NOT_A_FRAME,
                                "it points to topic '" + ref.getTopic() + "'; frames are in " + topic));
            } else if (ref.getPartition() < 0 || ref.getPartition() >= partitions || ref.getOffset() < 0) {
                found.put(
                        ref,
                        FetchedFrame.none(
                                FetchOutcome.NOT_A_FRAME,
                                topic + " has no partition " + ref.getPartition() + " with an offset " + ref.getOffset()
                                        + ": its partitions are 0.." + (partitions - 1)));
            } else {
                byPartition
                        .computeIfAbsent(ref.getPartition(), p -> new TreeSet<>())
                        .add(ref.getOffset());
            }
        }
        byPartition.forEach((partition, offsets) -> fetch(new TopicPartition(topic, partition), offsets, found));
        found.forEach((ref, f) -> {
            counts.merge(f.outcome(), 1L, Long::sum);
            // Whoever asked knows what it means; a frame that is not there yet is asked for again and again.
            if (f.outcome() == FetchOutcome.NOT_YET)
                LOG.debug("Frame {}: {}, {}", FrameKeys.of(ref), f.outcome(), f.reason());
            else if (f.outcome() != FetchOutcome.FETCHED)
                LOG.info("Frame {}: {}, {}", FrameKeys.of(ref), f.outcome(), f.reason());
        });
        return found;
    }

    /** How often each outcome came about since this was made. */
    public Map<FetchOutcome, Long> counts() {
        Map<FetchOutcome, Long> all = new EnumMap<>(FetchOutcome.class);
        for (FetchOutcome o : FetchOutcome.values()) all.put(o, counts.getOrDefault(o, 0L));
        return all;
    }

    private int partitions() {
        List<PartitionInfo> infos = consumer.partitionsFor(topic);
        return infos == null ? 0 : infos.size();
    }

    private void fetch(TopicPartition partition, TreeSet<Long> offsets, Map<FrameRef, FetchedFrame> found) {
        consumer.assign(List.of(partition));
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        long begin = consumer.beginningOffsets(List.of(partition)).get(partition);
        Deque<ConsumerRecord<byte[], byte[]>> read = new ArrayDeque<>();
        long next = -1;
        for (long offset : offsets) {
            FrameRef ref = new FrameRef(topic, partition.partition(), offset);
            if (offset < begin) {
                found.put(ref, expired(offset, begin));
            } else if (offset >= end) {
                found.put(ref, FetchedFrame.none(FetchOutcome.NOT_YET, "the partition ends before offset " + end));
            } else {
                while (!read.isEmpty() && read.peek().offset() < offset) read.poll();
                // Records at hand end where the next poll would begin; only a gap between needs a jump.
                if (read.isEmpty() && next != offset) {
                    consumer.seek(partition, offset);
                }
                try {
                    ConsumerRecord<byte[], byte[]> record = at(partition, offset, read);
                    next = consumer.position(partition);
                    found.put(
                            ref,
                            record == null
                                    ? FetchedFrame.none(
                                            FetchOutcome.NOT_A_FRAME,
                                            "no record lies there: a transaction marker, or a record of an aborted transaction")
                                    : decode(record));
                } catch (OffsetOutOfRangeException e) {
                    // Retention was faster than we.
                    begin = consumer.beginningOffsets(List.of(partition)).get(partition);
                    read.clear();
                    next = -1;
                    found.put(ref, expired(offset, begin));
                }
            }
        }
    }

    private static FetchedFrame expired(long offset, long begin) {
        return FetchedFrame.none(
                FetchOutcome.EXPIRED,
                "retention has deleted it: the partition begins at offset " + begin + " now, and it was at " + offset);
    }

    /**
     * The record at exactly this offset, or null where the log has none; what was read beyond it stays in the queue.
     */
    private ConsumerRecord<byte[], byte[]> at(
            TopicPartition partition, long offset, Deque<ConsumerRecord<byte[], byte[]>> read) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (read.isEmpty()) {
            for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200)))
                if (r.offset() >= offset) read.add(r);
            if (read.isEmpty() && consumer.position(partition) > offset) return null;
            if (read.isEmpty() && System.nanoTime() > deadline) {
                throw new org.apache.kafka.common.errors.TimeoutException(
                        "the broker has " + partition + " at offset " + offset + " but did not send it within "
                                + patience.toMillis() + " ms; it will be asked for again");
            }
        }
        return read.peek().offset() == offset ? read.poll() : null;
    }

    private FetchedFrame decode(ConsumerRecord<byte[], byte[]> record) {
        CameraFrame frame;
        try {
            frame = serde.deserializer().deserialize(topic, record.value());
        } catch (SerializationException e) {
            return FetchedFrame.none(FetchOutcome.NOT_A_FRAME, e.getMessage());
        }
        if (frame == null) return FetchedFrame.none(FetchOutcome.NOT_A_FRAME, "the record there has no value");
        byte[] bytes = new byte[frame.getImage().remaining()];
        ByteBuffer buffer = frame.getImage().duplicate();
        buffer.get(bytes);
        try {
            return switch (frame.getEncoding()) {
                case JPEG, PNG ->
                    new FetchedFrame(FetchOutcome.FETCHED, frame, bytes, ImageCodec.decode(bytes, limits), "");
                case GRAY8, RGB8, BGR8 -> {
                    RgbImage image = ImageCodec.raw(
                            frame.getEncoding().name(), frame.getWidth(), frame.getHeight(), bytes, limits);
                    yield new FetchedFrame(FetchOutcome.FETCHED, frame, ImageCodec.encodePng(image), image, "");
                }
                case UNKNOWN ->
                    FetchedFrame.none(
                            FetchOutcome.NOT_A_FRAME, "its encoding is UNKNOWN, or one that a newer camera wrote");
            };
        } catch (BadImageException e) {
            return FetchedFrame.none(FetchOutcome.NOT_A_FRAME, "its picture cannot be used: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        List<Exception> problems = new ArrayList<>();
        for (AutoCloseable c : List.<AutoCloseable>of(consumer, serde)) {
            try {
                c.close();
            } catch (Exception e) {
                problems.add(e);
            }
        }
        problems.forEach(e -> LOG.warn("The frame fetcher did not close cleanly: {}", e.toString()));
    }
}
