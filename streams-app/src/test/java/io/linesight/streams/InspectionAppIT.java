package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.embedded.SharedPlatform;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.view.Box;
import io.linesight.mmad.view.Roi;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Region;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.support.StubRegistry;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The inspection app on a real broker and registry, with a model that answers predictably. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class InspectionAppIT {

    private static final int PARTITIONS = 3;
    private static final int CAMERAS = 6;
    private static final int FRAMES = 200;

    private Line line;

    @BeforeEach
    void createTopics(TestInfo test) {
        line = new Line(
                SharedPlatform.kafka(),
                SharedPlatform.registry(),
                test.getTestMethod().orElseThrow().getName(),
                PARTITIONS);
    }

    @AfterEach
    void close() {
        line.close();
    }

    @Test
    void shouldGiveEveryFrameOneResultOrOneDeadLetterInOrder() throws Exception {
        Map<FrameRef, DeadLetterCode> bad = sendFrames();
        MeanScorer scorer = new MeanScorer();
        inspect(scorer, (long) FRAMES * CAMERAS + bad.size());
        checkResults(line.results());
        checkDeadLetters(bad);
        assertThat(scorer.frames.get()).isGreaterThanOrEqualTo(FRAMES * CAMERAS);
        assertThat(scorer.batches.get()).as("frames share batches").isLessThan(scorer.frames.get() / 2);
    }

    /** Sends good frames and, now and then, one that cannot be inspected; returns the bad ones with their codes. */
    private Map<FrameRef, DeadLetterCode> sendFrames() throws Exception {
        Map<FrameRef, DeadLetterCode> bad = new HashMap<>();
        long[] offsets = new long[PARTITIONS];
        for (int i = 0; i < FRAMES; i++) {
            for (int c = 0; c < CAMERAS; c++) {
                int partition = c % PARTITIONS;
                line.send(partition, Line.frame("cam" + c, i, (i * 7 + c) % 250).build());
                offsets[partition]++;
            }
            if (i % 20 == 5) {
                byte[] value = badValue(i / 20);
                line.sendBytes(0, i % 40 == 5 ? null : "cam0", value);
                bad.put(new FrameRef(line.topics.frames().name(), 0, offsets[0]++), badCode(i / 20));
            }
        }
        line.flush();
        return bad;
    }

    private void inspect(MeanScorer scorer, long total) throws Exception {
        try (InspectionApp app = new InspectionApp(
                InspectionConfig.of(line.settings("application.id", "order", "linesight.metrics.port", "0")),
                MeanScorer.serving(scorer),
                null)) {
            app.start();
            assertThat(app.awaitRunning(Duration.ofSeconds(30))).isTrue();
            line.awaitCommitted("order", total, Desk.TIMEOUT);
            String metrics = get(app, "/metrics", 200);
            assertThat(metrics)
                    .contains(
                            "linesight_results_total{verdict=\"PASS\"}",
                            "linesight_latency_seconds_bucket",
                            "linesight_batch_size",
                            "linesight_dead_letters_total{code=\"CORRUPT_IMAGE\"}",
                            "kafka_stream");
            // Its second thread may just be joining, and while partitions move an instance is not ready.
            Desk.await(() -> app.whyNotReady().isEmpty(), () -> "ready: " + app.whyNotReady());
            get(app, "/health/ready", 200);
            get(app, "/health/live", 200);
            assertThat(app.close(Duration.ofSeconds(30))).as("clean shutdown").isTrue();
            assertThat(app.state()).isEqualTo(InspectionApp.State.CLOSED);
        }
    }

    private void checkResults(List<InspectionResult> results) throws Exception {
        assertThat(results).hasSize(FRAMES * CAMERAS);
        assertThat(results.stream().map(InspectionResult::getResultId).distinct())
                .hasSize(FRAMES * CAMERAS);
        Map<String, List<Long>> sequences = new TreeMap<>();
        for (InspectionResult r : results) {
            sequences.computeIfAbsent(r.getCameraId(), c -> new ArrayList<>()).add(r.getSequence());
            int camera = Integer.parseInt(r.getCameraId().substring(3));
            assertThat(r.getRawScore())
                    .as("the score of this very frame")
                    .isEqualTo((r.getSequence() * 7 + camera) % 250 / 255f);
            assertThat(r.getVerdict())
                    .isEqualTo(r.getScore() < 0.4 ? Verdict.PASS : r.getScore() < 0.6 ? Verdict.REVIEW : Verdict.FAIL);
        }
        assertThat(sequences)
                .hasSize(CAMERAS)
                .allSatisfy((camera, numbers) -> assertThat(numbers).isSorted().hasSize(FRAMES));
        long anomalous = results.stream().filter(r -> r.getScore() >= 0.5).count();
        assertThat(anomalous).isBetween(1L, (long) FRAMES * CAMERAS - 1);
        assertThat(line.read(line.topics.anomalies(), "read_committed")).hasSize((int) anomalous);
    }

    private void checkDeadLetters(Map<FrameRef, DeadLetterCode> bad) throws Exception {
        Map<FrameRef, DeadLetterCode> letters = new HashMap<>();
        for (DeadLetterReason reason : line.deadLetters()) {
            assertThat(letters.put(reason.getSource(), reason.getCode()))
                    .as("only once")
                    .isNull();
        }
        assertThat(letters).isEqualTo(bad);
        for (ConsumerRecord<byte[], byte[]> letter : line.read(line.topics.deadLetter(), "read_committed")) {
            assertThat(letter.headers().lastHeader("linesight.error.code")).isNotNull();
        }
    }

    private byte[] badValue(int kind) {
        AvroSerde<CameraFrame> serde =
                AvroSerde.of(CameraFrame.class, Map.of("schema.registry.url", line.registryUrl()), false);
        CameraFrame.Builder frame = Line.frame("cam0", -1, 1);
        switch (kind % 5) {
            case 0:
                return null;
            case 1:
                return "not avro".getBytes();
            case 2:
                return new byte[] {0, 0, 0, 100, 1, 1};
            case 3:
                return serde.serializer()
                        .serialize(
                                line.topics.frames().name(),
                                frame.setEncoding(FrameEncoding.JPEG)
                                        .setImage(ByteBuffer.wrap(new byte[] {
                                            (byte) 0xff,
                                            (byte) 0xd8,
                                            (byte) 0xff,
                                            (byte) 0xe0,
                                            0,
                                            16,
                                            'J',
                                            'F',
                                            'I',
                                            'F'
                                        }))
                                        .build());
            default:
                return AvroSerde.of(FrameRef.class, Map.of("schema.registry.url", line.registryUrl()), false)
                        .serializer()
                        .serialize("elsewhere", new FrameRef("x", 1, 2L));
        }
    }

    private static DeadLetterCode badCode(int kind) {
        return switch (kind % 5) {
            case 0 -> DeadLetterCode.EMPTY_RECORD;
            case 1 -> DeadLetterCode.NOT_CONFLUENT_WIRE;
            case 2 -> DeadLetterCode.UNKNOWN_SCHEMA;
            case 3 -> DeadLetterCode.CORRUPT_IMAGE;
            default -> DeadLetterCode.WRONG_SCHEMA;
        };
    }

    private static String get(InspectionApp app, String path, int status) throws Exception {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(
                                        "http://localhost:" + app.metricsPort().orElseThrow() + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        return response.body();
    }

    @Test
    void shouldScoreRegionsAndTilesAsTheCommandLineDoes(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("tiled.onnx");
        ViewLayouts views = ViewLayouts.of(
                Map.of(
                        "tray",
                        new ViewLayout(
                                600,
                                400,
                                Roi.parse("polygon:100,0,600,0,600,400,100,380"),
                                List.of(
                                        new Box(100, 0, 256, 256),
                                        new Box(344, 0, 256, 256),
                                        new Box(300, 144, 256, 256)))),
                0.001);
        Files.write(file, ToyCheckpoint.bytes("tiled", 1, views.properties()));
        RgbImage image = spotted(600, 400);
        byte[] png = ImageCodec.encodePng(image);
        for (int i = 0; i < 5; i++)
            line.send(i % PARTITIONS, tray("cam" + i, png).build());
        line.send(0, tray("tall", ImageCodec.encodePng(spotted(400, 600))).build());
        line.send(1, tray("other", png).setProduct("cap").build());
        line.flush();
        InspectionConfig config = InspectionConfig.of(line.settings(
                "application.id",
                "tiled",
                "linesight.checkpoint",
                file.toString(),
                "linesight.batch.max",
                "3",
                "linesight.device",
                "cpu"));
        try (InspectionApp app = new InspectionApp(config, ModelControl.fixed(), null)) {
            app.start();
            line.awaitCommitted("tiled", 7, Desk.TIMEOUT);
        }
        try (OrtScorer scorer = OrtScorer.open(file, ScorerOptions.defaults().withDevice("cpu"))) {
            ScoredFrame alone = FrameScorer.score(
                            scorer,
                            List.of(new FrameScorer.Frame("tray", scorer.views().cut("tray", image))),
                            8)
                    .get(0);
            Map<String, InspectionResult> results = new HashMap<>();
            for (InspectionResult r : line.results()) results.put(r.getCameraId(), r);
            for (int i = 0; i < 5; i++) {
                InspectionResult r = results.get("cam" + i);
                assertThat(r.getRawScore()).isEqualTo(alone.raw());
                assertThat(r.getRegions()).isNotEmpty();
                Region region = r.getRegions().get(0);
                // The spot within the region of interest; the brighter one outside is not looked at.
                assertThat(region.getPeakX()).isBetween(398, 412);
                assertThat(region.getPeakY()).isBetween(198, 212);
            }
            assertThat(results.get("tall").getVerdict()).isEqualTo(Verdict.REVIEW);
            assertThat(results.get("tall").getReason()).isEqualTo("FRAME_SIZE");
            assertThat(results.get("other").getRawScore())
                    .isEqualTo(scorer.score(List.of(Preprocess.toModelInput(image)))
                            .raw()[0]);
        }
        assertThat(line.deadLetters()).isEmpty();
    }

    private static CameraFrame.Builder tray(String camera, byte[] png) {
        return Line.frame(camera, 0, 0)
                .setProduct("tray")
                .setEncoding(FrameEncoding.PNG)
                .setImage(ByteBuffer.wrap(png));
    }

    /** Dark, with a spot at 400,200 and a brighter one at 10,10. */
    private static RgbImage spotted(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, (byte) 30);
        for (int y = 0; y < 12; y++) {
            for (int x = 0; x < 12; x++)
                for (int c = 0; c < 3; c++) {
                    rgb[3 * ((y + 200) * width + Math.min(width - 12, 400) + x) + c] = (byte) 200;
                    rgb[3 * ((y + 10) * width + 10 + x) + c] = (byte) 255;
                }
        }
        return new RgbImage(width, height, rgb);
    }

    @Test
    void shouldResumeWhereItStopped() throws Exception {
        MeanScorer scorer = new MeanScorer();
        InspectionConfig config =
                InspectionConfig.of(line.settings("application.id", "resume", "linesight.batch.max", "4"));
        for (int run = 0; run < 3; run++) {
            try (InspectionApp app = new InspectionApp(config, MeanScorer.serving(scorer), null)) {
                app.start();
                for (int i = 0; i < 50; i++)
                    line.send(0, Line.frame("cam", run * 50L + i, 10).build());
                line.flush();
                line.awaitCommitted("resume", (run + 1) * 50L, Desk.TIMEOUT);
            }
        }
        assertThat(scorer.frames.get() - 3 * 2 * 4)
                .as("no frame was scored twice; two black batches of 4 warm up each run")
                .isEqualTo(150);
        assertThat(line.results())
                .extracting(InspectionResult::getSequence)
                .isSorted()
                .hasSize(150);
    }

    @Test
    void shouldStopAfterTooManyFailuresAndLoseNothing() throws Exception {
        // A thread that fails does not leave the group: its partitions are free again when its session is over.
        Map<String, String> settings = line.settings(
                "application.id",
                "failing",
                "linesight.thread.replacements",
                "2",
                "num.stream.threads",
                "1",
                "kafka.consumer.session.timeout.ms",
                "6000",
                "kafka.consumer.heartbeat.interval.ms",
                "500");
        AtomicBoolean broken = new AtomicBoolean();
        MeanScorer scorer = new MeanScorer() {
            @Override
            public Scores score(List<byte[]> batch) {
                if (broken.get()) throw new OutOfMemoryError("pretended");
                return super.score(batch);
            }
        };
        try (InspectionApp app = new InspectionApp(InspectionConfig.of(settings), MeanScorer.serving(scorer), null)) {
            app.start();
            assertThat(app.awaitRunning(Duration.ofSeconds(30))).isTrue();
            broken.set(true);
            for (int i = 0; i < 20; i++) line.send(0, Line.frame("cam", i, 10).build());
            line.flush();
            assertThat(app.awaitEnd(Duration.ofSeconds(60))).isTrue();
            assertThat(app.state()).isEqualTo(InspectionApp.State.FAILED);
            assertThat(app.failure()).get().satisfies(e -> assertThat(e)
                    .hasRootCauseInstanceOf(OutOfMemoryError.class));
        }
        assertThat(line.results()).isEmpty();

        broken.set(false);
        try (InspectionApp app = new InspectionApp(InspectionConfig.of(settings), MeanScorer.serving(scorer), null)) {
            app.start();
            line.awaitCommitted("failing", 20, Desk.TIMEOUT);
        }
        assertThat(line.results())
                .extracting(InspectionResult::getSequence)
                .isSorted()
                .hasSize(20);
        assertThat(line.deadLetters()).isEmpty();
    }

    @Test
    void shouldNameEveryObstacleAtTheStart() throws Exception {
        int closedPort;
        try (ServerSocket socket = new ServerSocket(0)) {
            closedPort = socket.getLocalPort();
        }
        InspectionConfig config = InspectionConfig.of(Map.of(
                "bootstrap.servers",
                "localhost:" + closedPort,
                "schema.registry.url",
                "http://localhost:" + closedPort,
                "linesight.startup.timeout.ms",
                "1500",
                "linesight.checkpoint",
                "no/such/model.onnx"));
        InspectionApp app = new InspectionApp(config, ModelControl.fixed(), null);
        StartupException e = catchThrowableOfType(StartupException.class, app::start);
        assertThat(e.problems()).hasSize(3);
        assertThat(e.getMessage())
                .contains(
                        "no/such/model.onnx", "No Kafka broker answered at localhost:" + closedPort, "schema registry");
        assertThat(app.state()).isEqualTo(InspectionApp.State.FAILED);
        assertThat(app.awaitRunning(Duration.ofSeconds(1))).isFalse();
        app.close();
    }

    @Test
    void shouldAskForTheTopicsCommandWhenTopicsAreMissing() {
        InspectionApp app = new InspectionApp(
                InspectionConfig.of(line.settings("linesight.topics.prefix", "absent")),
                MeanScorer.serving(new MeanScorer()),
                null);
        StartupException e = catchThrowableOfType(StartupException.class, app::start);
        assertThat(e.problems()).hasSize(4).allSatisfy(p -> assertThat(p).contains("absent.", "linesight topics"));
    }

    @Test
    void shouldRejectTopicsTooSmallForWhatIsWritten() throws Exception {
        try (Admin admin = line.admin()) {
            for (TopicSpec t : List.of(line.topics.frames(), line.topics.deadLetter())) {
                admin.incrementalAlterConfigs(Map.of(
                                new ConfigResource(ConfigResource.Type.TOPIC, t.name()),
                                List.of(new AlterConfigOp(
                                        new ConfigEntry("max.message.bytes", "100000"), AlterConfigOp.OpType.SET))))
                        .all()
                        .get();
            }
            ConfigResource letters = new ConfigResource(
                    ConfigResource.Type.TOPIC, line.topics.deadLetter().name());
            Awaitility.await("the topic's new limit").atMost(Desk.TIMEOUT).until(() -> admin.describeConfigs(
                            List.of(letters))
                    .all()
                    .get()
                    .get(letters)
                    .get("max.message.bytes")
                    .value()
                    .equals("100000"));
        }
        InspectionApp app =
                new InspectionApp(InspectionConfig.of(line.settings()), MeanScorer.serving(new MeanScorer()), null);
        StartupException e = catchThrowableOfType(StartupException.class, app::start);
        assertThat(e.problems())
                .as("frames are only read")
                .singleElement()
                .asString()
                .contains(
                        line.topics.deadLetter().name(),
                        "takes records of 100000 bytes only",
                        "kafka-configs --bootstrap-server",
                        "max.message.bytes=" + line.topics.deadLetter().maxMessageBytes(),
                        "linesight.max.frame.bytes");
    }

    @Test
    void shouldRejectApplicationIdOfAnotherProgram() throws Exception {
        Map<String, Object> configs = Map.of(
                "bootstrap.servers",
                line.settings().get("bootstrap.servers"),
                "group.id",
                "taken",
                "group.protocol",
                "classic",
                "client.id",
                "warehouse");
        try (KafkaConsumer<byte[], byte[]> other =
                new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            other.subscribe(List.of(line.topics.frames().name()));
            while (other.assignment().isEmpty()) other.poll(Duration.ofMillis(100));
            InspectionApp app = new InspectionApp(
                    InspectionConfig.of(line.settings("application.id", "taken")),
                    MeanScorer.serving(new MeanScorer()),
                    null);
            StartupException e = catchThrowableOfType(StartupException.class, app::start);
            assertThat(e.problems())
                    .singleElement()
                    .asString()
                    .contains("Another program uses the application.id 'taken'", "warehouse", "of its own");
        }
    }

    @Test
    void shouldSayWhenMetricsPortIsInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            InspectionApp app = new InspectionApp(
                    InspectionConfig.of(line.settings("linesight.metrics.port", "" + taken.getLocalPort())),
                    MeanScorer.serving(new MeanScorer()),
                    null);
            StartupException e = catchThrowableOfType(StartupException.class, app::start);
            assertThat(e.getMessage()).contains("Port " + taken.getLocalPort() + " is taken");
        }
    }

    @Test
    void shouldWaitForTheRegistryWithoutLosingAStreamThread() throws Exception {
        try (StubRegistry registry = new StubRegistry()) {
            AvroSerde<CameraFrame> serde =
                    AvroSerde.of(CameraFrame.class, Map.of("schema.registry.url", registry.url()), false);
            byte[] known = serde.serializer()
                    .serialize(
                            line.topics.frames().name(),
                            Line.frame("cam0", 0, 20).build());
            InspectionConfig config = InspectionConfig.of(line.settings(
                    "application.id",
                    "waiting",
                    "schema.registry.url",
                    registry.url(),
                    "linesight.registry.retry.ms",
                    "500",
                    "num.stream.threads",
                    "1"));
            try (InspectionApp app = new InspectionApp(config, MeanScorer.serving(new MeanScorer()), null)) {
                app.start();
                assertThat(app.awaitRunning(Duration.ofSeconds(60))).isTrue();
                registry.away.set(Integer.MAX_VALUE);
                // Needs no registry, so it is answered; then one that does, and one behind it.
                line.sendBytes(0, "cam0", new byte[] {9});
                line.sendBytes(1, "cam1", known);
                line.sendBytes(1, "cam1", new byte[] {9});
                line.flush();
                Desk.await(
                        () -> app.whyNotReady()
                                        .filter(w -> w.contains("registry"))
                                        .isPresent()
                                && line.deadLetters().size() == 1,
                        () -> "ready: " + app.whyNotReady());
                int asked = registry.away.get();
                // Longer than a stream thread would have waited.
                Desk.await(() -> registry.away.get() < asked - 5, () -> "the registry is asked again");
                assertThat(line.results()).isEmpty();
                assertThat(line.committed("waiting"))
                        .as("what waits is not consumed")
                        .isEqualTo(1);

                registry.away.set(0);

                line.awaitCommitted("waiting", 3, Desk.TIMEOUT);
                assertThat(line.read(line.topics.results(), "read_committed")).hasSize(1);
                assertThat(line.deadLetters()).hasSize(2);
                Desk.await(() -> app.whyNotReady().isEmpty(), () -> "ready: " + app.whyNotReady());
                assertThat(app.meters()
                                .counter(InspectionMetrics.THREADS_REPLACED)
                                .count())
                        .isZero();
            }
        }
    }

    @Test
    void shouldLearnThatATopicTakesLessThanItDid() throws Exception {
        InspectionConfig config = InspectionConfig.of(line.settings("application.id", "lowered"));
        try (InspectionApp app = new InspectionApp(config, MeanScorer.serving(new MeanScorer()), null)) {
            app.start();
            assertThat(app.awaitRunning(Duration.ofSeconds(60))).isTrue();
            ConfigResource topic = new ConfigResource(
                    ConfigResource.Type.TOPIC, line.topics.deadLetter().name());
            line.admin()
                    .incrementalAlterConfigs(Map.of(
                            topic,
                            List.of(new AlterConfigOp(
                                    new ConfigEntry("max.message.bytes", "200000"), AlterConfigOp.OpType.SET))))
                    .all()
                    .get();

            line.sendBytes(0, "cam0", new byte[400_000]);
            line.flush();

            line.awaitCommitted("lowered", 1, Desk.TIMEOUT);
            assertThat(line.read(line.topics.deadLetter(), "read_committed"))
                    .singleElement()
                    .satisfies(letter -> assertThat(new String(letter.headers()
                                    .lastHeader("linesight.error.shortened")
                                    .value()))
                            .contains("400000 bytes is left out"));
            assertThat(app.meters().counter(InspectionMetrics.THREADS_REPLACED).count())
                    .isLessThanOrEqualTo(2);
        }
    }
}
