package io.linesight.trainer.feedback;

import io.linesight.mmad.image.ImageLimits;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.serde.SerdeFactory;
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

    private final Topics topics;
    private final KafkaProducer<String, byte[]> producer;
    private final Serde<FrameLabel> serde;
    private final FrameFetcher fetcher;

    /**
     * One label to give.
     *
     * @param frame the frame
     * @param label NORMAL, ANOMALOUS or RETRACTED
     * @param product null takes the frame's own
     * @param mask PNG of the frame's size, or null
     * @param annotator who says so
     * @param note free text, may be empty
     */
    public record Request(
            FrameRef frame, LabelKind label, String product, byte[] mask, String annotator, String note) {}

    /**
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}
     * @throws KafkaException with a message for people when the broker does not answer or has no labels topic
     */
    public LabelPublisher(Map<String, ?> settings, Topics topics) {
        this.topics = topics;
        Map<String, Object> configs = ClientSettings.forWriter(settings);
        configs.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, 15_000);
        serde = SerdeFactory.create(FrameLabel.class, settings, false);
        fetcher = new FrameFetcher(settings, topics, ImageLimits.defaults(), Duration.ofSeconds(30));
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
     * Checks and writes labels; one that is refused does not hold back the others.
     *
     * @param check fetch every frame first: it must be there, and a mask must have its size. Retractions need no frame
     * @return per request null when it was written, otherwise why not
     * @throws KafkaException when broker or registry fail; labels written before stay, and writing them again changes
     *     nothing
     */
    public List<String> publish(List<Request> requests, boolean check) {
        List<String> problems = new ArrayList<>();
        for (int from = 0; from < requests.size(); from += BATCH)
            problems.addAll(batch(requests.subList(from, Math.min(requests.size(), from + BATCH)), check));
        return problems;
    }

    private List<String> batch(List<Request> requests, boolean check) {
        Set<FrameRef> wanted = new LinkedHashSet<>();
        if (check) for (Request r : requests) if (r.label != LabelKind.RETRACTED) wanted.add(r.frame);
        Map<FrameRef, FetchedFrame> frames = fetcher.fetch(wanted);
        List<String> problems = new ArrayList<>();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (Request r : requests) {
            FetchedFrame frame = frames.get(r.frame);
            FrameLabel label = FrameLabel.newBuilder()
                    .setFrameRef(r.frame)
                    .setFrameId(
                            frame == null || frame.frame() == null
                                    ? ""
                                    : frame.frame().getFrameId())
                    .setCameraId(
                            frame == null || frame.frame() == null
                                    ? ""
                                    : frame.frame().getCameraId())
                    .setProduct(r.product)
                    .setLabel(r.label)
                    .setMaskPng(r.mask == null ? null : ByteBuffer.wrap(r.mask))
                    .setAnnotator(r.annotator)
                    .setAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                    .setNote(r.note)
                    .build();
            String problem = problem(label, r, frame);
            byte[] value = problem == null
                    ? serde.serializer().serialize(topics.labels().name(), label)
                    : null;
            if (value != null && value.length > topics.labels().maxMessageBytes() - ENVELOPE) {
                problem = "the label has " + value.length
                        + " bytes, more than its topic takes; store the mask as a smaller PNG (two values, best compression)";
            }
            problems.add(problem);
            if (problem == null)
                sent.add(producer.send(new ProducerRecord<>(topics.labels().name(), FrameKeys.of(r.frame), value)));
        }
        producer.flush();
        for (Future<RecordMetadata> f : sent) await(f);
        return problems;
    }

    private String problem(FrameLabel label, Request r, FetchedFrame frame) {
        List<String> rules = LabelRules.problems(label, topics.frames().name());
        if (!rules.isEmpty()) return String.join("; ", rules);
        if (frame != null && frame.outcome() != FetchOutcome.FETCHED)
            return "frame " + frame.outcome() + ": " + frame.reason();
        if (frame != null && r.mask != null)
            return LabelRules.maskProblem(
                    r.mask, frame.image().width(), frame.image().height(), ImageLimits.defaults());
        return null;
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
