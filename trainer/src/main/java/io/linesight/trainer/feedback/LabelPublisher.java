package io.linesight.trainer.feedback;

import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.Topics;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes labels to the labels topic: idempotent, acknowledged by all replicas, keyed by frame so that the latest label
 * of a frame wins.
 *
 * <p>Threads: one at a time. Ownership: whoever makes it closes it.
 */
public final class LabelPublisher implements AutoCloseable {
    /** Frames held in memory at a time while they are checked. */
    private static final int BATCH = 16;
    /** Room for key and framing around a value. */
    private static final int ENVELOPE = 4096;

    private final DecodeSettings decoding;
    private final Topics topics;
    private final KafkaProducer<String, byte[]> producer;
    private final Serde<FrameLabel> serde;
    private final FrameFetcher fetcher;

    /**
     * One label to publish.
     *
     * @param frame the frame
     * @param label NORMAL, ANOMALOUS or RETRACTED
     * @param product null takes the frame's own
     * @param mask PNG of the frame's size; null without one
     * @param annotator who labels
     * @param note free text, may be empty
     */
    public record Request(
            FrameRef frame,
            LabelKind label,
            @Nullable String product,
            byte @Nullable [] mask,
            String annotator,
            String note) {}

    /**
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}; those of
     *     {@link DecodeSettings} count for frames and masks
     * @throws IllegalArgumentException for a wrong setting of {@link DecodeSettings}
     * @throws KafkaException with a message for people when the broker does not answer or has no labels topic
     */
    public LabelPublisher(Map<String, ?> settings, Topics topics) {
        this.topics = topics;
        Map<String, Object> configs = ClientSettings.forWriter(settings);
        configs.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, 15_000);
        serde = SerdeFactory.create(FrameLabel.class, settings, false);
        decoding = DecodeSettings.of(settings, DecodeSettings.defaults());
        fetcher = new FrameFetcher(settings, topics, decoding, Duration.ofSeconds(30));
        producer = new KafkaProducer<>(configs, new StringSerializer(), new ByteArraySerializer());
        try {
            producer.partitionsFor(topics.labels().name());
        } catch (KafkaException e) {
            close();
            throw new KafkaException(
                    "no answer from the broker at " + settings.get("bootstrap.servers") + ", or it has no topic "
                            + topics.labels().name()
                            + "; start the broker, or create the topics with 'linesight topics', then run this again",
                    e);
        }
    }

    /**
     * Checks and writes labels; one that is rejected does not hold back the others.
     *
     * @param check fetch every frame first: it must be there, and a mask must have its size. Retractions need no frame
     * @return per request null when it was written, otherwise why not
     * @throws KafkaException when broker or registry fail; labels written before stay, and writing them again changes
     *     nothing
     */
    public List<@Nullable String> publish(List<Request> requests, boolean check) {
        List<@Nullable String> problems = new ArrayList<>();
        for (int from = 0; from < requests.size(); from += BATCH)
            problems.addAll(publishBatch(requests.subList(from, Math.min(requests.size(), from + BATCH)), check));
        return problems;
    }

    private List<@Nullable String> publishBatch(List<Request> requests, boolean check) {
        Set<FrameRef> wanted = new LinkedHashSet<>();
        if (check) for (Request request : requests) if (request.label != LabelKind.RETRACTED) wanted.add(request.frame);
        Map<FrameRef, FetchedFrame> frames = RecordDecoder.untilKnown(() -> fetcher.fetch(wanted));
        List<@Nullable String> problems = new ArrayList<>();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (Request request : requests) {
            FetchedFrame frame = frames.get(request.frame);
            FrameLabel label = label(request, frame == null ? null : frame.frame());
            String problem = problem(label, request, frame);
            byte[] value = problem == null ? serialize(label) : null;
            if (value != null && value.length > topics.labels().maxMessageBytes() - ENVELOPE)
                problem = "the label has " + value.length
                        + " bytes, more than its topic allows; store the mask as a smaller PNG (two values, best "
                        + "compression)";
            problems.add(problem);
            if (problem == null) sent.add(producer.send(record(request, value)));
        }
        producer.flush();
        for (Future<RecordMetadata> future : sent) await(future);
        return problems;
    }

    /** It names the topic of the frame: one that is made again has other frames at the same places. */
    private ProducerRecord<String, byte[]> record(Request request, byte[] value) {
        ProducerRecord<String, byte[]> record =
                new ProducerRecord<>(topics.labels().name(), FrameKeys.of(request.frame), value);
        AnswerHeaders.write(record.headers(), fetcher.topicId().orElse(null), null);
        return record;
    }

    private byte[] serialize(FrameLabel label) {
        return serde.serializer().serialize(topics.labels().name(), label);
    }

    private static FrameLabel label(Request request, @Nullable CameraFrame frame) {
        return FrameLabel.newBuilder()
                .setFrameRef(request.frame)
                .setFrameId(frame == null ? "" : frame.getFrameId())
                .setCameraId(frame == null ? "" : frame.getCameraId())
                .setProduct(request.product == null ? null : ProductName.normalized(request.product))
                .setLabel(request.label)
                .setMaskPng(request.mask == null ? null : ByteBuffer.wrap(request.mask))
                .setAnnotator(request.annotator)
                .setAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setNote(request.note)
                .build();
    }

    private @Nullable String problem(FrameLabel label, Request request, @Nullable FetchedFrame frame) {
        List<String> rules = LabelRules.problems(label, topics.frames().name());
        if (!rules.isEmpty()) return String.join("; ", rules);
        if (frame == null) return null;
        if (frame.outcome() != FetchOutcome.FETCHED) return "frame " + frame.outcome() + ": " + frame.reason();
        if (request.mask == null) return null;
        return LabelRules.maskProblem(
                request.mask, frame.image().width(), frame.image().height(), decoding.limits());
    }

    private static void await(Future<RecordMetadata> f) {
        try {
            f.get();
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (ExecutionException e) {
            throw new KafkaException(
                    "a label could not be written: " + e.getCause().getMessage()
                            + ". Give the labels again; those that were written do not change by it",
                    e.getCause());
        }
    }

    @Override
    public void close() {
        fetcher.close();
        producer.close(Duration.ofSeconds(30));
        serde.close();
    }
}
