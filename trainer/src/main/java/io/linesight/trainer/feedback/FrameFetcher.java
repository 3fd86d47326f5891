package io.linesight.trainer.feedback;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.FrameImages;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.clients.RecordFetcher;
import io.linesight.schemas.clients.RecordLookup;
import io.linesight.schemas.clients.TopicIds;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.Topics;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads single frames of the frames topic by reference. Every reference gets an outcome; all but FETCHED are logged
 * with the reason.
 *
 * <p>Threads: one at a time. Ownership: whoever makes it closes it. It belongs to no consumer group and commits
 * nothing.
 */
public final class FrameFetcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FrameFetcher.class);
    private static final Duration TOPIC_ID_AGE = Duration.ofSeconds(5);

    private final Map<String, ?> settings;
    private final String topic;
    private final DecodeSettings decoding;
    private final RecordFetcher records;
    private final RecordDecoder<CameraFrame> decoder;
    private final Map<FetchOutcome, Long> counts = Collections.synchronizedMap(new EnumMap<>(FetchOutcome.class));
    private Optional<Uuid> topicId = Optional.empty();
    private long topicIdAt;

    /**
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}; further consumer and serde
     *     keys are passed on
     * @param decoding how frames are decoded
     * @param timeout longest wait for one frame that the broker has
     */
    public FrameFetcher(Map<String, ?> settings, Topics topics, DecodeSettings decoding, Duration timeout) {
        this.settings = Map.copyOf(settings);
        this.topic = topics.frames().name();
        this.decoding = decoding;
        decoder = RecordDecoder.of(CameraFrame.class, settings);
        records = new RecordFetcher(settings, timeout);
    }

    /**
     * Reads frames, one partition after the other in the order of their offsets.
     *
     * @return an outcome for every reference
     * @throws KafkaException when the broker does not answer; nothing is known about the frames then
     * @throws io.linesight.schemas.registry.RegistryException when the registry does not answer, or does not know a
     *     schema yet; the same
     */
    public Map<FrameRef, FetchedFrame> fetch(Collection<FrameRef> wanted) {
        Map<FrameRef, FetchedFrame> found = new LinkedHashMap<>();
        List<FrameRef> places = new ArrayList<>();
        for (FrameRef ref : wanted) {
            if (ref.getTopic().equals(topic)) places.add(ref);
            else
                found.put(
                        ref,
                        FetchedFrame.none(
                                FetchOutcome.NOT_A_FRAME,
                                "it points to topic '" + ref.getTopic() + "'; frames are in " + topic));
        }
        records.fetch(places, (ref, lookup) -> found.put(ref, toFetched(ref, lookup)));
        found.forEach((ref, f) -> {
            counts.merge(f.outcome(), 1L, Long::sum);
            // The caller knows what it means, and requests such a frame again and again.
            if (f.outcome() == FetchOutcome.NOT_YET)
                LOG.debug("Frame {}: {}, {}", FrameKeys.of(ref), f.outcome(), f.reason());
            else if (f.outcome() != FetchOutcome.FETCHED)
                LOG.info("Frame {}: {}, {}", FrameKeys.of(ref), f.outcome(), f.reason());
        });
        return found;
    }

    /**
     * Id of the topic of frames, asked for at most every few seconds; empty where the broker does not tell.
     *
     * @see io.linesight.schemas.topics.AnswerHeaders#TOPIC_ID
     */
    public Optional<Uuid> topicId() {
        long now = System.nanoTime();
        if (topicId.isEmpty() || now - topicIdAt > TOPIC_ID_AGE.toNanos()) {
            topicId = TopicIds.current(settings, topic);
            topicIdAt = now;
        }
        return topicId;
    }

    /** How often each outcome came about since this was made. */
    public Map<FetchOutcome, Long> counts() {
        Map<FetchOutcome, Long> all = new EnumMap<>(FetchOutcome.class);
        for (FetchOutcome o : FetchOutcome.values()) all.put(o, counts.getOrDefault(o, 0L));
        return all;
    }

    private FetchedFrame toFetched(FrameRef ref, RecordLookup lookup) {
        if (lookup instanceof RecordLookup.Found found) return decode(found.record());
        if (lookup instanceof RecordLookup.Expired expired)
            return FetchedFrame.none(
                    FetchOutcome.EXPIRED,
                    "retention has deleted it: the partition begins at offset " + expired.begin()
                            + " now, and it was at " + ref.getOffset());
        if (lookup instanceof RecordLookup.NotYet notYet)
            return FetchedFrame.none(FetchOutcome.NOT_YET, "the partition ends before offset " + notYet.end());
        if (lookup instanceof RecordLookup.NoSuchPlace nowhere)
            return FetchedFrame.none(
                    FetchOutcome.NOT_A_FRAME,
                    topic + " has no partition " + ref.getPartition() + " with an offset " + ref.getOffset()
                            + ": its partitions are 0.." + (nowhere.partitions() - 1));
        return FetchedFrame.none(
                FetchOutcome.NOT_A_FRAME,
                "no record lies there: a transaction marker, or a record of an aborted transaction");
    }

    private FetchedFrame decode(ConsumerRecord<byte[], byte[]> record) {
        CameraFrame frame;
        try {
            frame = decoder.decode(record);
        } catch (SerializationException e) {
            return FetchedFrame.none(FetchOutcome.NOT_A_FRAME, e.getMessage());
        }
        if (frame == null) return FetchedFrame.none(FetchOutcome.NOT_A_FRAME, "the record there has no value");
        byte[] bytes = new byte[frame.getImage().remaining()];
        ByteBuffer buffer = frame.getImage().duplicate();
        buffer.get(bytes);
        try {
            RgbImage image = FrameImages.decode(
                            frame.getEncoding().name(),
                            frame.getWidth(),
                            frame.getHeight(),
                            frame.getAttributes(),
                            bytes,
                            decoding)
                    .image();
            // What is kept is read without the frame's attributes and settings later.
            boolean asItIs = FrameImages.isFile(frame.getEncoding().name())
                    && !frame.getAttributes().containsKey(FrameImages.BITS)
                    && decoding.sampleBits() == DecodeSettings.ALL_BITS;
            byte[] kept = asItIs ? bytes : ImageCodec.encodePng(image);
            return new FetchedFrame(FetchOutcome.FETCHED, frame, kept, image, "");
        } catch (BadImageException e) {
            return FetchedFrame.none(FetchOutcome.NOT_A_FRAME, "its image cannot be used: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        List<Exception> problems = new ArrayList<>();
        for (AutoCloseable c : List.<AutoCloseable>of(records, decoder)) {
            try {
                c.close();
            } catch (Exception e) {
                problems.add(e);
            }
        }
        problems.forEach(e -> LOG.warn("The frame fetcher did not close cleanly: {}", e.toString()));
    }
}
