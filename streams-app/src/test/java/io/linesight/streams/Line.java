package io.linesight.streams;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.hamcrest.Matchers;

/** The topics of one test, and what a camera and a consumer do with them. */
public final class Line implements AutoCloseable {

    public static final SizeLimits LIMITS = new SizeLimits(1 << 20);

    private final String bootstrapServers;
    private final String registryUrl;
    private final String prefix;
    public final Topics topics;
    private final AvroSerde<CameraFrame> frames;
    private final AvroSerde<InspectionResult> results;
    private final KafkaProducer<byte[], byte[]> producer;
    private final AtomicLong acknowledged = new AtomicLong();
    /** Why the first frame that could not be written was not; null while all are. */
    private final AtomicReference<Exception> lost = new AtomicReference<>();

    /** Creates topics of that prefix; takes no ownership of broker and registry. */
    public Line(EmbeddedKafka kafka, EmbeddedRegistry registry, String prefix, int partitions) {
        this(kafka.bootstrapServers(), registry.url(), prefix, partitions, Map.of());
    }

    /** @param camera settings of the cameras' producer, on top of what it has */
    public Line(String bootstrapServers, String registryUrl, String prefix, int partitions, Map<String, ?> camera) {
        this.bootstrapServers = bootstrapServers;
        this.registryUrl = registryUrl;
        this.prefix = prefix;
        topics = Topics.of(prefix, partitions, TopicSpec.BROKER_DEFAULT, LIMITS);
        try (Admin admin = admin()) {
            TopicAdmin.ensure(admin, topics.all());
        }
        Map<String, String> serde = Map.of("schema.registry.url", registryUrl);
        frames = AvroSerde.of(CameraFrame.class, serde, false);
        results = AvroSerde.of(InspectionResult.class, serde, false);
        Map<String, Object> configs = new HashMap<>(LIMITS.producerConfigs());
        configs.put("bootstrap.servers", bootstrapServers);
        configs.put("enable.idempotence", "true");
        configs.put("linger.ms", "5");
        // A busy machine delays a test; it does not lose its frames.
        configs.put("delivery.timeout.ms", "600000");
        configs.putAll(camera);
        producer = new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer());
    }

    String registryUrl() {
        return registryUrl;
    }

    public Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrapServers));
    }

    /** Settings of an inspection app on this line. */
    public Map<String, String> settings(String... more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "schema.registry.url",
                registryUrl,
                "linesight.topics.prefix",
                prefix,
                "linesight.max.frame.bytes",
                "" + LIMITS.frameBytes()));
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        return settings;
    }

    /** An 8x8 frame whose pixels all have one value, so that its raw score is known. */
    public static CameraFrame.Builder frame(String camera, long sequence, int value) {
        byte[] pixels = new byte[64];
        Arrays.fill(pixels, (byte) value);
        return CameraFrame.newBuilder()
                .setFrameId(camera + "-" + sequence)
                .setCameraId(camera)
                .setLineId("line")
                .setProduct(null)
                .setCapturedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setSequence(sequence)
                .setEncoding(FrameEncoding.GRAY8)
                .setWidth(8)
                .setHeight(8)
                .setImage(ByteBuffer.wrap(pixels))
                .setAttributes(Map.of());
    }

    public void send(int partition, CameraFrame frame) {
        sendBytes(
                partition,
                frame.getCameraId(),
                frames.serializer().serialize(topics.frames().name(), frame));
    }

    public void sendBytes(int partition, String key, byte[] value) {
        producer.send(
                new ProducerRecord<>(topics.frames().name(), partition, key == null ? null : key.getBytes(), value),
                (metadata, e) -> {
                    // Kafka only logs what a callback throws.
                    if (e == null) acknowledged.incrementAndGet();
                    else lost.compareAndSet(null, e);
                });
    }

    /** Frames and bad records that the broker has said to have. */
    public long acknowledged() {
        checkWritten();
        return acknowledged.get();
    }

    private void checkWritten() {
        Exception why = lost.get();
        if (why != null) throw new IllegalStateException("a test frame was not written", why);
    }

    public void flush() {
        producer.flush();
        checkWritten();
    }

    /** Everything committed in a topic, in order per partition. */
    List<ConsumerRecord<byte[], byte[]>> read(TopicSpec topic, String isolation) {
        Map<String, Object> configs = new HashMap<>(topics.limits().consumerConfigs());
        configs.put("bootstrap.servers", bootstrapServers);
        configs.put("isolation.level", isolation);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(configs)) {
            RangeReader reader = new RangeReader(consumer, Duration.ofMinutes(1));
            reader.read(reader.ranges(List.of(topic.name())), records::add);
        }
        return records;
    }

    public List<InspectionResult> results() {
        return read(topics.results(), "read_committed").stream()
                .map(r -> results.deserializer().deserialize(r.topic(), r.value()))
                .toList();
    }

    public List<DeadLetterReason> deadLetters() {
        return read(topics.deadLetter(), "read_committed").stream()
                .map(r -> DeadLetterHeaders.read(r.headers()).orElseThrow())
                .toList();
    }

    /** Frames whose offsets an app has committed. */
    public long committed(String application) {
        try (Admin admin = admin()) {
            return admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get().entrySet().stream()
                    .filter(e -> e.getKey().topic().equals(topics.frames().name()) && e.getValue() != null)
                    .mapToLong(e -> e.getValue().offset())
                    .sum();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    public void awaitCommitted(String application, long frameCount, Duration timeout) {
        Awaitility.await("committed frames of " + application)
                .atMost(timeout)
                .until(() -> committed(application), Matchers.greaterThanOrEqualTo(frameCount));
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
