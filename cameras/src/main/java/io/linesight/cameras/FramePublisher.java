package io.linesight.cameras;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.serde.LinesightAvroSerializer;
import io.linesight.schemas.topics.Topics;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes frames to Kafka: idempotent, acknowledged by all replicas, key = camera id, so a camera's frames stay in
 * order.
 *
 * <p>Threads: safe to share. Ownership: whoever makes it closes it; closing waits for frames in flight.
 */
public final class FramePublisher implements AutoCloseable {
    private final KafkaProducer<String, byte[]> producer;
    private final LinesightAvroSerializer<CameraFrame> serializer = new LinesightAvroSerializer<>();
    private final Topics topics;
    private final String lineId;
    private final Map<String, AtomicLong> sequences = new ConcurrentHashMap<>();

    /**
     * Connects.
     *
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}; further producer and
     *     serializer keys are passed on
     * @throws KafkaException with a message for people when the broker does not answer within 15 s or has no frames
     *     topic
     */
    public FramePublisher(Map<String, ?> settings, Topics topics, String lineId) {
        this.topics = topics;
        this.lineId = lineId;
        Map<String, Object> configs = ClientSettings.forWriter(settings);
        configs.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, 15_000);
        configs.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, 0);
        topics.limits().producerConfigs().forEach(configs::putIfAbsent);
        serializer.configure(settings, false);
        producer = new KafkaProducer<>(configs, new StringSerializer(), new ByteArraySerializer());
        try {
            producer.partitionsFor(topics.frames().name());
        } catch (org.apache.kafka.common.errors.TimeoutException e) {
            producer.close(Duration.ZERO);
            throw new KafkaException(
                    "no answer from the broker at " + settings.get("bootstrap.servers") + ", or it has no topic "
                            + topics.frames().name()
                            + "; start the broker, or create the topics with 'linesight topics', then run this again",
                    e);
        }
    }

    /**
     * Sends one image under the camera's next sequence number.
     *
     * @return completes with the frame's place in Kafka once all replicas have it, or exceptionally
     * @throws KafkaException when the frame cannot even be handed to the producer (registry unreachable, record too
     *     large, buffer full)
     */
    public CompletableFuture<FrameRef> send(String cameraId, CameraShot shot) {
        // One camera is one thread, so taking the number and sending need no lock.
        AtomicLong counter = counter(cameraId);
        long sequence = counter.get();
        CameraFrame frame = CameraFrame.newBuilder()
                .setFrameId(cameraId + "-" + sequence)
                .setCameraId(cameraId)
                .setLineId(lineId)
                .setProduct(shot.product())
                .setCapturedAt(shot.capturedAt().truncatedTo(ChronoUnit.MICROS))
                .setSequence(sequence)
                .setEncoding(shot.encoding())
                .setWidth(shot.width())
                .setHeight(shot.height())
                .setImage(ByteBuffer.wrap(shot.image()))
                .setAttributes(shot.attributes())
                .build();
        byte[] value = serializer.serialize(topics.frames().name(), frame);
        counter.incrementAndGet(); // a frame that could not be serialized is sent again under its number
        return sendRaw(cameraId, value);
    }

    /** Sequence number of the camera's next frame; call it from the camera's own thread. */
    long nextSequence(String cameraId) {
        return counter(cameraId).get();
    }

    private AtomicLong counter(String cameraId) {
        return sequences.computeIfAbsent(cameraId, c -> new AtomicLong());
    }

    /** Sends bytes as they are; a record that is no frame at all shows what happens to one. */
    public CompletableFuture<FrameRef> sendRaw(String key, byte[] value) {
        CompletableFuture<FrameRef> done = new CompletableFuture<>();
        producer.send(new ProducerRecord<>(topics.frames().name(), key, value), (metadata, error) -> {
            if (error != null) done.completeExceptionally(error);
            else done.complete(new FrameRef(metadata.topic(), metadata.partition(), metadata.offset()));
        });
        return done;
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(30));
        serializer.close();
    }
}
