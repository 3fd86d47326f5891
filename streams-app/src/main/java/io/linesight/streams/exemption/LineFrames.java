package io.linesight.streams.exemption;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.FrameImages;
import io.linesight.mmad.image.Preprocess;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.schemas.clients.RecordFetcher;
import io.linesight.schemas.clients.RecordLookup;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.Topics;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Frames of the line by what is known about them: by reference, those that lately passed, those that people called
 * anomalous. It belongs to no consumer group and commits nothing.
 *
 * <p>Threads: one at a time. Ownership: whoever makes it closes it. Every call fails with a
 * {@link org.apache.kafka.common.KafkaException} when broker or registry do not answer; it can be repeated.
 */
public final class LineFrames implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    /** Results looked through for frames that passed, of a partition. */
    private static final long LATEST = 500;

    private final Topics topics;
    private final DecodeSettings decoding;
    private final RecordFetcher records;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final RecordDecoder<CameraFrame> frames;
    private final RecordDecoder<InspectionResult> results;
    private final RecordDecoder<FrameLabel> labels;

    /**
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     */
    public LineFrames(Map<String, ?> clients, Map<String, String> serdes, Topics topics, DecodeSettings decoding) {
        this.topics = topics;
        this.decoding = decoding;
        frames = RecordDecoder.of(CameraFrame.class, serdes);
        results = RecordDecoder.of(InspectionResult.class, serdes);
        labels = RecordDecoder.of(FrameLabel.class, serdes);
        Map<String, Object> configs = ClientSettings.forReader(clients);
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        consumer = ClientSettings.openConsumer(configs);
        records = new RecordFetcher(clients, TIMEOUT);
    }

    /**
     * A frame that was fetched.
     *
     * @param frame null where there is none
     * @param planar RGB, 8 bit, {@code 3*256*256} bytes, as a model takes it; empty where there is none
     * @param obstacle why there is none
     */
    public record Fetched(@Nullable CameraFrame frame, byte[] planar, String obstacle) {
        static Fetched none(String obstacle) {
            return new Fetched(null, new byte[0], obstacle);
        }
    }

    /** Every frame asked for, in no particular order, or why it cannot be had. */
    public Map<FrameRef, Fetched> fetch(Collection<FrameRef> wanted) {
        Map<FrameRef, Fetched> found = new LinkedHashMap<>();
        List<FrameRef> places = new ArrayList<>();
        for (FrameRef ref : wanted) {
            if (ref.getTopic().equals(topics.frames().name())) places.add(ref);
            else
                found.put(
                        ref,
                        Fetched.none("it lies in topic " + ref.getTopic() + ", and frames in "
                                + topics.frames().name()));
        }
        records.fetch(places, (ref, lookup) -> found.put(ref, fetched(lookup)));
        return found;
    }

    private Fetched fetched(RecordLookup lookup) {
        if (lookup instanceof RecordLookup.Found found) return decoded(found.record());
        if (lookup instanceof RecordLookup.Expired) return Fetched.none("retention has deleted it");
        if (lookup instanceof RecordLookup.NotYet) return Fetched.none("it is not there yet");
        return Fetched.none("there is no frame at that place");
    }

    private Fetched decoded(ConsumerRecord<byte[], byte[]> record) {
        CameraFrame frame;
        try {
            frame = frames.await(record);
        } catch (BadRecordException e) {
            return Fetched.none("the record there is no frame: " + e.getMessage());
        }
        if (frame == null) return Fetched.none("the record there has no value");
        ByteBuffer image = frame.getImage().duplicate();
        byte[] bytes = new byte[image.remaining()];
        image.get(bytes);
        try {
            return new Fetched(
                    frame,
                    Preprocess.toModelInput(FrameImages.decode(
                                    frame.getEncoding().name(),
                                    frame.getWidth(),
                                    frame.getHeight(),
                                    frame.getAttributes(),
                                    bytes,
                                    decoding)
                            .image()),
                    "");
        } catch (BadImageException e) {
            return Fetched.none("its image cannot be used: " + e.getMessage());
        }
    }

    /**
     * Frames of a product that passed lately, those of the same camera first, the newest of each first.
     *
     * @param product null for frames without one
     */
    public List<FrameRef> passed(@Nullable String product, String camera) {
        List<InspectionResult> found = new ArrayList<>();
        latest(topics.results().name(), record -> {
            InspectionResult r = results.await(record);
            if (r != null && r.getVerdict() == Verdict.PASS && Objects.equals(r.getProduct(), product)) found.add(r);
        });
        Comparator<InspectionResult> sameCamera =
                Comparator.comparing(r -> !r.getCameraId().equals(camera));
        found.sort(sameCamera.thenComparing(InspectionResult::getScoredAt, Comparator.reverseOrder()));
        return found.stream().map(InspectionResult::getFrameRef).toList();
    }

    /** Frames that people call anomalous now, those labelled last first. */
    public List<FrameRef> labelledAnomalous() {
        Map<String, FrameLabel> byFrame = new LinkedHashMap<>();
        RangeReader reader = new RangeReader(consumer, TIMEOUT);
        read(reader, reader.ranges(List.of(topics.labels().name())), record -> {
            if (record.key() == null) return;
            String key = new String(record.key(), StandardCharsets.UTF_8);
            FrameLabel label = labels.await(record);
            if (label == null) byFrame.remove(key);
            else byFrame.put(key, label);
        });
        return byFrame.values().stream()
                .filter(l -> l.getLabel() == LabelKind.ANOMALOUS)
                .sorted(Comparator.comparing(FrameLabel::getAt).reversed())
                .map(FrameLabel::getFrameRef)
                .toList();
    }

    private interface Visitor {
        void visit(ConsumerRecord<byte[], byte[]> record);
    }

    private void latest(String topic, Visitor visitor) {
        RangeReader reader = new RangeReader(consumer, TIMEOUT);
        Map<TopicPartition, Range> ranges = reader.ranges(List.of(topic));
        ranges.replaceAll((p, r) -> new Range(Math.max(r.from(), r.until() - LATEST), r.until()));
        read(reader, ranges, visitor);
    }

    /** Records that cannot be read are passed over: they concern whoever wrote them. */
    private static void read(RangeReader reader, Map<TopicPartition, Range> ranges, Visitor visitor) {
        reader.<RuntimeException>read(ranges, record -> {
            try {
                visitor.visit(record);
            } catch (BadRecordException e) {
                // Not one of ours.
            }
            return true;
        });
    }

    @Override
    public void close() {
        consumer.close();
        records.close();
        frames.close();
        results.close();
        labels.close();
    }
}
