package io.linesight.trainer.learning;

import io.linesight.cameras.CameraShot;
import io.linesight.cameras.FramePublisher;
import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.TrainingStatus;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;

/** Topics of one test with simulated frames in them and people who label. */
public final class LabelLine implements AutoCloseable {
    private static final SizeLimits LIMITS = new SizeLimits(1 << 20);
    private static final SimulatedLine PARTS = new SimulatedLine(5, 0);
    private static final Duration TIMEOUT = Duration.ofSeconds(120);
    private static final Duration POLL = Duration.ofMillis(20);

    public final Topics topics;
    public final Map<String, String> settings;
    private final FramePublisher frames;
    private final AvroSerde<FrameLabel> serde;
    private final KafkaProducer<String, byte[]> producer;

    /** Takes no ownership of broker and registry. */
    public LabelLine(EmbeddedKafka kafka, EmbeddedRegistry registry, String prefix) {
        topics = Topics.of(prefix, 2, TopicSpec.BROKER_DEFAULT, LIMITS);
        settings = Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "schema.registry.url",
                registry.url(),
                Topics.PREFIX_CONFIG,
                prefix,
                Topics.PARTITIONS_CONFIG,
                "2",
                SizeLimits.FRAME_BYTES_CONFIG,
                "" + LIMITS.frameBytes());
        try (Admin admin = admin()) {
            TopicAdmin.ensure(admin, topics.all());
        }
        frames = new FramePublisher(settings, topics, "line");
        serde = AvroSerde.of(FrameLabel.class, settings, false);
        Map<String, Object> configs = new HashMap<>();
        configs.put("bootstrap.servers", kafka.bootstrapServers());
        producer = new KafkaProducer<>(configs, new StringSerializer(), new ByteArraySerializer());
    }

    public Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", settings.get("bootstrap.servers")));
    }

    static SimulatedFrame part(String product, String defect, int i) {
        return PARTS.part(product, defect, 77, i);
    }

    /** Sends a part as camera "cam-product" and returns where it lies. */
    public FrameRef frame(String product, String defect, int i) {
        SimulatedFrame f = part(product, defect, i);
        return frames.send(
                        "cam-" + product,
                        new CameraShot(
                                product,
                                Instant.now(),
                                FrameEncoding.JPEG,
                                f.image().width(),
                                f.image().height(),
                                ImageCodec.encodeJpeg(f.image(), 95),
                                Map.of()))
                .join();
    }

    public FrameRef raw(String camera, byte[] value) {
        return frames.sendRaw(camera, value).join();
    }

    public FrameRef shot(String camera, CameraShot shot) {
        return frames.send(camera, shot).join();
    }

    /** What trainers have published, oldest first. */
    List<TrainingStatus> trainingStatuses() {
        Map<String, Object> configs = ClientSettings.forReader(settings);
        List<TrainingStatus> out = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(configs);
                RecordDecoder<TrainingStatus> decoder = RecordDecoder.of(TrainingStatus.class, settings)) {
            RangeReader reader = new RangeReader(consumer, TIMEOUT);
            reader.<RuntimeException>read(
                    reader.ranges(List.of(topics.training().name())), record -> out.add(decoder.await(record)));
        }
        return out;
    }

    static byte[] mask(String product, String defect, int i) {
        SimulatedFrame f = part(product, defect, i);
        byte[] gray = f.mask().clone();
        for (int k = 0; k < gray.length; k++) gray[k] = (byte) (gray[k] != 0 ? 255 : 0);
        return ImageCodec.encodeGrayPng(gray, f.image().width(), f.image().height());
    }

    public void label(FrameRef ref, LabelKind kind, byte[] mask, String annotator) {
        send(FrameKeys.of(ref), serde.serializer().serialize(topics.labels().name(), says(ref, kind, mask, annotator)));
    }

    FrameLabel says(FrameRef ref, LabelKind kind, byte[] mask, String annotator) {
        return FrameLabel.newBuilder()
                .setFrameRef(ref)
                .setFrameId("")
                .setCameraId("")
                .setProduct(null)
                .setLabel(kind)
                .setMaskPng(mask == null ? null : ByteBuffer.wrap(mask))
                .setAnnotator(annotator)
                .setAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setNote("")
                .build();
    }

    public void send(String key, byte[] value) {
        try {
            producer.send(new ProducerRecord<>(topics.labels().name(), key, value))
                    .get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    byte[] serialized(FrameLabel label) {
        return serde.serializer().serialize(topics.labels().name(), label);
    }

    /** Sends a part as {@link #frame} does, with the schema's id in a header. */
    FrameRef frameWithHeader(String product, String defect, int i) {
        SimulatedFrame f = part(product, defect, i);
        CameraFrame frame = CameraFrame.newBuilder()
                .setFrameId("late")
                .setCameraId("cam-" + product)
                .setLineId("line")
                .setProduct(product)
                .setCapturedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setSequence(0)
                .setEncoding(FrameEncoding.JPEG)
                .setWidth(f.image().width())
                .setHeight(f.image().height())
                .setImage(ByteBuffer.wrap(ImageCodec.encodeJpeg(f.image(), 95)))
                .build();
        String topic = topics.frames().name();
        try (AvroSerde<CameraFrame> frames = AvroSerde.of(CameraFrame.class, settings, false)) {
            RecordMetadata at =
                    sendWithHeader(topic, "cam-" + product, frames.serializer().serialize(topic, frame));
            return new FrameRef(at.topic(), at.partition(), at.offset());
        }
    }

    /** Sends a value whose schema's id goes from before it into a header, as Confluent's serializers can write it. */
    RecordMetadata sendWithHeader(String topic, String key, byte[] value) {
        ProducerRecord<String, byte[]> record =
                new ProducerRecord<>(topic, key, Arrays.copyOfRange(value, 5, value.length));
        record.headers().add("__value_schema_id", Arrays.copyOf(value, 5));
        try {
            return producer.send(record).get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits for as long as a busy machine may need. */
    public static void await(String what, BooleanSupplier condition) {
        Awaitility.await(what).atMost(TIMEOUT).pollInterval(POLL).until(condition::getAsBoolean);
    }

    /** Watches for a moment that something does not come about. */
    static void neverWithin(Duration window, String what, BooleanSupplier condition) {
        Awaitility.await(what).during(window).atMost(TIMEOUT).pollInterval(POLL).until(() -> !condition.getAsBoolean());
    }

    @Override
    public void close() {
        producer.close();
        frames.close();
    }
}
