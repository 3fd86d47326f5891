package io.linesight.containers;

import io.linesight.cameras.CameraShot;
import io.linesight.cameras.FramePublisher;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.ModelControl;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Topics, cameras and the books of one test. Settings given are those of cameras and books; an app may have others. */
final class Line {
    final Topics topics = Topics.from(Map.of("linesight.topics.partitions", "4"));
    private final Map<String, String> settings;

    Line(String bootstrapServers, String registry) {
        settings = Map.of("bootstrap.servers", bootstrapServers, "schema.registry.url", registry);
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrapServers))) {
            TopicAdmin.ensure(admin, topics.all());
        }
    }

    Map<String, String> settings(String... more) {
        Map<String, String> out = new HashMap<>(settings);
        for (int i = 0; i < more.length; i += 2) out.put(more[i], more[i + 1]);
        return out;
    }

    /** A started app with a model that answers at once. */
    static InspectionApp app(Map<String, String> settings) throws InterruptedException {
        InspectionApp app = new InspectionApp(
                InspectionConfig.of(settings), ModelControl.fixed().withScorer(MeanScorer::new), null);
        app.start();
        if (!app.awaitRunning(Duration.ofSeconds(60)))
            throw new AssertionError("the app does not run: " + app.state() + ", " + app.failure());
        return app;
    }

    /**
     * Cameras that take a frame of 8 x 8 pixels at a rate, every fourth of them anomalous, until they have taken so
     * many.
     */
    final class Cameras implements AutoCloseable {
        private final FramePublisher publisher;
        private final List<Thread> threads = new ArrayList<>();
        private final List<CompletableFuture<FrameRef>> sent =
                java.util.Collections.synchronizedList(new ArrayList<>());
        final AtomicLong taken = new AtomicLong();

        Cameras(int cameras, int frames, double fps) {
            publisher = new FramePublisher(settings, topics, "line");
            for (int c = 0; c < cameras; c++) {
                String id = "cam-" + c;
                Thread thread = new Thread(() -> shoot(id, frames, fps), id);
                threads.add(thread);
                thread.start();
            }
        }

        private void shoot(String camera, int frames, double fps) {
            for (int n = 0; n < frames && !Thread.currentThread().isInterrupted(); n++) {
                byte[] pixels = new byte[64];
                Arrays.fill(pixels, (byte) (n % 4 == 0 ? 250 : 10));
                sent.add(publisher.send(
                        camera, new CameraShot(null, Instant.now(), FrameEncoding.GRAY8, 8, 8, pixels, Map.of())));
                taken.incrementAndGet();
                LockSupport.parkNanos((long) (1e9 / fps));
            }
        }

        /** Waits until all together have taken so many more frames, or their last. */
        void awaitMore(long frames) {
            long until = taken.get() + frames;
            Awaitility.await(frames + " more frames")
                    .atMost(Duration.ofSeconds(120))
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> taken.get() >= until || threads.stream().noneMatch(Thread::isAlive));
        }

        /** Waits until all have taken their last frame and Kafka has acknowledged every one. */
        void join() throws InterruptedException {
            for (Thread t : threads) t.join();
            CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).join();
        }

        @Override
        public void close() {
            threads.forEach(Thread::interrupt);
            publisher.close();
        }
    }

    /** An 8x8 frame whose pixels all have one value, so that its raw score is known. */
    static CameraFrame frame(String camera, long sequence, int value) {
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
                .setAttributes(Map.of())
                .build();
    }

    byte[] serialized(CameraFrame frame) {
        return AvroSerde.of(CameraFrame.class, settings, false)
                .serializer()
                .serialize(topics.frames().name(), frame);
    }

    /** Writes frames that are bytes already. */
    void write(List<byte[]> values, IntFunction<String> key) {
        Map<String, Object> configs = new HashMap<>(topics.limits().producerConfigs());
        configs.put("bootstrap.servers", settings.get("bootstrap.servers"));
        try (KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(configs, new StringSerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < values.size(); i++)
                producer.send(new ProducerRecord<>(topics.frames().name(), key.apply(i), values.get(i)));
        }
    }

    /** Whether every partition of our topics has so many copies in sync. */
    boolean inSync(int copies) {
        try (Admin admin = Admin.create(Map.<String, Object>of(
                "bootstrap.servers",
                settings.get("bootstrap.servers"),
                "default.api.timeout.ms",
                5000,
                "request.timeout.ms",
                3000))) {
            List<String> names =
                    new ArrayList<>(topics.all().stream().map(TopicSpec::name).toList());
            names.addAll(List.of("__consumer_offsets", "__transaction_state"));
            return admin.describeTopics(names).allTopicNames().get().values().stream()
                    .flatMap(t -> t.partitions().stream())
                    .allMatch(p -> p.isr().size() >= copies);
        } catch (ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** What the topics say. */
    record Books(
            long frames, long results, long anomalies, long deadLetters, long lost, long doubled, long outOfOrder) {
        @Override
        public String toString() {
            return frames + " frames, " + results + " results, " + anomalies + " anomaly events, " + deadLetters
                    + " dead letters: " + lost + " lost, " + doubled + " doubled, " + outOfOrder + " out of order";
        }
    }

    private record Place(int partition, long offset) {}

    /** Waits until every frame has an answer, then counts everything that is committed. */
    Books books(Duration timeout) {
        try {
            Awaitility.await("an answer to every frame")
                    .atMost(timeout)
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> count().lost == 0);
            // What comes twice comes now.
            Books complete = count();
            Awaitility.await("no answer that comes twice")
                    .during(Duration.ofSeconds(2))
                    .atMost(timeout)
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> count().equals(complete));
        } catch (ConditionTimeoutException e) {
            System.out.println("books: " + e.getMessage());
        }
        Books books = count();
        System.out.println("books: " + books);
        return books;
    }

    Books count() {
        AvroSerde<InspectionResult> results = AvroSerde.of(InspectionResult.class, settings, false);
        AvroSerde<CameraFrame> frames = AvroSerde.of(CameraFrame.class, settings, false);
        Map<Place, Integer> answers = new HashMap<>();
        long sent = 0;
        for (ConsumerRecord<byte[], byte[]> r : read(topics.frames())) {
            frames.deserializer().deserialize(r.topic(), r.value());
            answers.put(new Place(r.partition(), r.offset()), 0);
            sent++;
        }
        Map<String, Long> last = new HashMap<>();
        long given = 0;
        long unordered = 0;
        for (ConsumerRecord<byte[], byte[]> r : read(topics.results())) {
            InspectionResult result = results.deserializer().deserialize(r.topic(), r.value());
            answers.merge(
                    new Place(
                            result.getFrameRef().getPartition(),
                            result.getFrameRef().getOffset()),
                    1,
                    Integer::sum);
            Long before = last.put(result.getCameraId(), result.getFrameRef().getOffset());
            if (before != null && before >= result.getFrameRef().getOffset()) unordered++;
            given++;
        }
        long dead = 0;
        for (ConsumerRecord<byte[], byte[]> r : read(topics.deadLetter())) {
            FrameRef source = DeadLetterHeaders.read(r.headers()).orElseThrow().getSource();
            answers.merge(new Place(source.getPartition(), source.getOffset()), 1, Integer::sum);
            dead++;
        }
        return new Books(
                sent,
                given,
                read(topics.anomalies()).size(),
                dead,
                answers.values().stream().filter(n -> n == 0).count(),
                answers.values().stream().filter(n -> n > 1).count(),
                unordered);
    }

    /** Everything committed in a topic, in order per partition. */
    List<ConsumerRecord<byte[], byte[]>> read(TopicSpec topic) {
        Map<String, Object> configs = new HashMap<>(settings);
        configs.putAll(topics.limits().consumerConfigs());
        configs.put("isolation.level", "read_committed");
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic.name()).stream()
                    .map(p -> new TopicPartition(topic.name(), p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (partitions.stream().anyMatch(p -> consumer.position(p) < end.get(p)) && System.nanoTime() < deadline)
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        }
        return records;
    }
}
