package io.linesight.streams.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Region;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.streams.batching.BatchLimits;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.exemption.FrameExemptions;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.support.FakeScorer;
import io.linesight.streams.support.FixedModel;
import io.linesight.streams.support.StubRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One frame at a time: the test driver commits after every record, so every batch has one frame here. */
@Timeout(300)
class InspectionTopologyTest {

    private static final Instant CAPTURED = Instant.now().minusMillis(5).truncatedTo(ChronoUnit.MICROS);

    private static final byte[] NO_FRAME = {1, 2, 3};

    private final StubRegistry registry = new StubRegistry();
    private final FakeScorer scorer = new FakeScorer();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private InspectionConfig config;
    private SharedBatcher batcher;
    private InspectionPipeline pipeline;
    private TopologyTestDriver driver;
    private Uuid topicId;
    private Serde<CameraFrame> frames;
    private Serde<InspectionResult> results;
    private Serde<AnomalyEvent> anomalies;
    private TestInputTopic<byte[], byte[]> in;
    private TestOutputTopic<byte[], byte[]> resultsOut;
    private TestOutputTopic<byte[], byte[]> anomaliesOut;
    private TestOutputTopic<byte[], byte[]> lettersOut;
    private long letters;

    @BeforeEach
    void start() {
        open(Map.of());
    }

    private void open(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                "unused:9092",
                "schema.registry.url",
                registry.url(),
                "linesight.batch.linger.ms",
                "0"));
        settings.putAll(more);
        config = InspectionConfig.of(settings);
        InspectionMetrics metrics = new InspectionMetrics(meters);
        batcher = new SharedBatcher(
                "linesight-inference",
                FixedModel.of(scorer),
                new BatchLimits(4, config.batching().linger(), 8),
                metrics);
        pipeline = new InspectionPipeline(
                config,
                FixedModel.router(batcher, scorer.info().version()),
                DecisionRules.fixed(config.review().low(), config.review().high()),
                FrameExemptions.none(),
                metrics);
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:9092");
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        driver = new TopologyTestDriver(InspectionTopology.build(config, pipeline, metrics, topicId), properties);
        frames = SerdeFactory.create(CameraFrame.class, config.serdes(), false);
        results = SerdeFactory.create(InspectionResult.class, config.serdes(), false);
        anomalies = SerdeFactory.create(AnomalyEvent.class, config.serdes(), false);
        in = driver.createInputTopic(
                config.topics().frames().name(), new ByteArraySerializer(), new ByteArraySerializer());
        resultsOut = output(config.topics().results().name());
        anomaliesOut = output(config.topics().anomalies().name());
        lettersOut = output(config.topics().deadLetter().name());
    }

    private TestOutputTopic<byte[], byte[]> output(String topic) {
        return driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @AfterEach
    void stop() {
        driver.close();
        pipeline.close();
        batcher.close();
        registry.close();
    }

    private static byte[] filled(int size, int value) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static CameraFrame.Builder frame(FrameEncoding encoding, byte[] image, int width, int height) {
        return CameraFrame.newBuilder()
                .setFrameId("cam1-7")
                .setCameraId("cam1")
                .setLineId("line1")
                .setProduct("bolt")
                .setCapturedAt(CAPTURED)
                .setSequence(7)
                .setEncoding(encoding)
                .setWidth(width)
                .setHeight(height)
                .setImage(ByteBuffer.wrap(image))
                .setAttributes(Map.of());
    }

    /** A raw frame whose pixels all have that value, so the fake model sees it as the first byte. */
    private static CameraFrame.Builder grey(int value) {
        return frame(FrameEncoding.GRAY8, filled(64, value), 8, 8);
    }

    private void send(CameraFrame.Builder frame) {
        in.pipeInput(
                "cam1".getBytes(StandardCharsets.UTF_8),
                frames.serializer().serialize(config.topics().frames().name(), frame.build()));
    }

    private InspectionResult result() {
        assertThat(lettersOut.readRecordsToList()).as("dead letters").isEmpty();
        TestRecord<byte[], byte[]> record = resultsOut.readRecord();
        assertThat(resultsOut.isEmpty()).as("exactly one result").isTrue();
        assertThat(new String(record.key(), StandardCharsets.UTF_8)).isEqualTo("cam1");
        return results.deserializer().deserialize(config.topics().results().name(), record.value());
    }

    private AnomalyEvent anomaly() {
        return anomalies.deserializer().deserialize(config.topics().anomalies().name(), anomaliesOut.readValue());
    }

    private DeadLetterReason deadLetter(byte[] key, byte[] value) {
        assertThat(resultsOut.isEmpty()).as("no result").isTrue();
        assertThat(anomaliesOut.isEmpty()).as("no anomaly").isTrue();
        TestRecord<byte[], byte[]> letter = lettersOut.readRecord();
        assertThat(lettersOut.isEmpty()).as("exactly one dead letter").isTrue();
        assertThat(letter.key()).isEqualTo(key);
        assertThat(letter.value()).isEqualTo(value);
        return DeadLetterHeaders.read(letter.headers()).orElseThrow();
    }

    private void shouldReject(byte[] value, DeadLetterCode code, String... message) {
        byte[] key = {1, 2, 3};
        in.pipeInput(key, value);
        DeadLetterReason reason = deadLetter(key, value);
        assertThat(reason.getCode()).isEqualTo(code);
        assertThat(reason.getMessage()).isNotBlank();
        for (String part : message) assertThat(reason.getMessage()).contains(part);
        assertThat(meters.counter(InspectionMetrics.DEAD_LETTERS, "code", code.name())
                        .count())
                .isEqualTo(1);
        send(grey(20));
        assertThat(result().getVerdict()).as("the stream goes on").isEqualTo(Verdict.PASS);
    }

    private void shouldReject(CameraFrame.Builder frame, DeadLetterCode code, String... message) {
        shouldReject(frames.serializer().serialize(config.topics().frames().name(), frame.build()), code, message);
    }

    private Verdict verdict(String product, int value) {
        send(grey(value).setProduct(product));
        return result().getVerdict();
    }

    /** On the scale of both products these are 0.10, 0.25, 0.47, 0.54, 0.66 and 0.92. */
    private List<Verdict> verdicts(String product) {
        return IntStream.of(35, 50, 62, 66, 72, 95)
                .mapToObj(v -> verdict(product, v))
                .toList();
    }

    @Test
    void shouldDecideByTheProductsOwnBandWhereTheCheckpointHasOne() {
        assertThat(verdicts("bolt"))
                .containsExactly(
                        Verdict.PASS, Verdict.PASS, Verdict.REVIEW, Verdict.REVIEW, Verdict.FAIL, Verdict.FAIL);
        assertThat(verdicts("banded"))
                .containsExactly(
                        Verdict.PASS, Verdict.REVIEW, Verdict.REVIEW, Verdict.REVIEW, Verdict.REVIEW, Verdict.FAIL);
    }

    @Test
    void shouldDecideByTheConfiguredBandForEveryProduct() {
        stopParts();
        open(Map.of("linesight.review.low", "0.48", "linesight.review.high", "0.53"));
        List<Verdict> expected =
                List.of(Verdict.PASS, Verdict.PASS, Verdict.PASS, Verdict.FAIL, Verdict.FAIL, Verdict.FAIL);
        assertThat(verdicts("bolt")).isEqualTo(expected);
        assertThat(verdicts("banded")).isEqualTo(expected);
    }

    @Test
    void shouldLeaveTheEndThatIsNotConfiguredToTheCheckpoint() {
        stopParts();
        open(Map.of("linesight.review.high", "1"));
        assertThat(verdicts("bolt"))
                .containsExactly(
                        Verdict.PASS, Verdict.PASS, Verdict.REVIEW, Verdict.REVIEW, Verdict.REVIEW, Verdict.REVIEW);
        assertThat(verdicts("banded"))
                .containsExactly(
                        Verdict.PASS, Verdict.REVIEW, Verdict.REVIEW, Verdict.REVIEW, Verdict.REVIEW, Verdict.REVIEW);
    }

    @Test
    void shouldPassAGoodFrame() {
        Instant before = Instant.now().truncatedTo(ChronoUnit.MICROS);
        send(grey(20));
        InspectionResult result = result();
        assertThat(result.getResultId()).isEqualTo("linesight.frames.v1-0-0");
        assertThat(result.getFrameRef()).isEqualTo(new FrameRef("linesight.frames.v1", 0, 0L));
        assertThat(result.getFrameId()).isEqualTo("cam1-7");
        assertThat(result.getCameraId()).isEqualTo("cam1");
        assertThat(result.getLineId()).isEqualTo("line1");
        assertThat(result.getProduct()).isEqualTo("bolt");
        assertThat(result.getSequence()).isEqualTo(7);
        assertThat(result.getRawScore()).isEqualTo(20 / 255f);
        assertThat(result.getThreshold()).isEqualTo(0.25f);
        assertThat((double) result.getScore()).isCloseTo(1 / (1 + Math.exp(-(20 / 255.0 - 0.25) / 0.05)), within(1e-6));
        assertThat(result.getCalibration()).isEqualTo("bolt");
        assertThat(result.getVerdict()).isEqualTo(Verdict.PASS);
        assertThat(result.getReason()).isNull();
        assertThat(result.getModelVersion()).isEqualTo("fake-1");
        assertThat(result.getCapturedAt()).isEqualTo(CAPTURED);
        assertThat(result.getScoredAt()).isBetween(before, Instant.now());
        assertThat(result.getTimings().getBatchSize()).isEqualTo(1);
        assertThat(result.getTimings().getDecodeMicros()).isPositive();
        assertThat(result.getRegions()).isEmpty();
        assertThat(anomaliesOut.isEmpty()).isTrue();
        assertThat(meters.counter(InspectionMetrics.RESULTS, "verdict", "PASS").count())
                .isEqualTo(1);
        assertThat(meters.timer(InspectionMetrics.LATENCY).count()).isEqualTo(1);
    }

    @Test
    void shouldReportAnAnomalyWithMapRegionsAndThumbnail() throws Exception {
        send(grey(200));
        InspectionResult result = result();
        assertThat(result.getVerdict()).isEqualTo(Verdict.FAIL);
        assertThat(result.getRegions()).hasSize(1);
        Region region = result.getRegions().get(0);
        // The square of the fake map, columns 8..11 and rows 4..7 of 16, in a frame of 8 pixels.
        assertThat(List.of(region.getX(), region.getY(), region.getWidth(), region.getHeight()))
                .containsExactly(4, 2, 2, 2);
        assertThat(region.getArea()).isEqualTo(4);
        assertThat(region.getPeak()).isEqualTo(200 / 255f);

        AnomalyEvent event = anomaly();
        assertThat(event.getResult()).isEqualTo(result);
        assertThat(event.getMapLow()).isZero();
        assertThat(event.getMapHigh()).isEqualTo(200 / 255f);
        RgbImage map = ImageCodec.decode(array(event.getMapPng()), ImageLimits.defaults());
        assertThat(map.width()).isEqualTo(FakeScorer.SIZE);
        assertThat(map.rgb()[3 * (4 * 16 + 8)] & 0xff).isEqualTo(255);
        assertThat(map.rgb()[0]).isZero();
        RgbImage thumbnail = ImageCodec.decode(array(event.getThumbnailJpeg()), ImageLimits.defaults());
        assertThat(thumbnail.width()).isEqualTo(256);
        assertThat(thumbnail.rgb()[1000] & 0xff).isCloseTo(200, within(3));
    }

    private static byte[] array(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    @Test
    void shouldScaleTheMapAsConfiguredAndLeaveTheThumbnailOut() throws Exception {
        stopParts();
        open(Map.of("linesight.map.range", "0,2", "linesight.thumbnail", "false"));
        send(grey(255 / 2));
        result();
        AnomalyEvent event = anomaly();
        assertThat(event.getMapHigh()).isEqualTo(2);
        assertThat(event.getThumbnailJpeg()).isNull();
        RgbImage map = ImageCodec.decode(array(event.getMapPng()), ImageLimits.defaults());
        assertThat(map.rgb()[3 * (4 * 16 + 8)] & 0xff).isEqualTo(Math.round(127 / 255f / 2 * 255));
    }

    private void stopParts() {
        driver.close();
        pipeline.close();
        batcher.close();
        meters.clear();
    }

    @Test
    void shouldReviewScoresInTheBand() {
        send(grey(64)); // raw 0.251, threshold 0.25: calibrated 0.505
        assertThat(result().getVerdict()).isEqualTo(Verdict.REVIEW);
        assertThat(anomaly().getResult().getReason()).isNull();
        send(grey(62)); // calibrated 0.466: reviewed, but not anomalous
        assertThat(result().getVerdict()).isEqualTo(Verdict.REVIEW);
        assertThat(anomaliesOut.isEmpty()).isTrue();
    }

    @Test
    void shouldDecodeEveryEncoding() {
        byte[] rgb = new byte[3 * 64];
        byte[] bgr = new byte[3 * 64];
        for (int i = 0; i < 64; i++) {
            rgb[3 * i] = 40;
            bgr[3 * i + 2] = 40;
        }
        RgbImage image = new RgbImage(8, 8, rgb);
        send(frame(FrameEncoding.RGB8, rgb, 8, 8));
        assertThat(result().getRawScore()).isEqualTo(40 / 255f);
        send(frame(FrameEncoding.BGR8, bgr, 8, 8));
        assertThat(result().getRawScore()).isEqualTo(40 / 255f);
        send(frame(FrameEncoding.PNG, ImageCodec.encodePng(image), 0, 0));
        assertThat(result().getRawScore()).isEqualTo(40 / 255f);
        send(frame(FrameEncoding.JPEG, ImageCodec.encodeJpeg(image, 95), 0, 0));
        assertThat((double) result().getRawScore()).isCloseTo(40 / 255.0, within(3 / 255.0));
    }

    @Test
    void shouldFallBackWithoutAProduct() {
        send(grey(100).setProduct(null));
        InspectionResult result = result();
        assertThat(result.getProduct()).isNull();
        assertThat(result.getCalibration()).isEqualTo("*");
        assertThat(result.getThreshold()).isEqualTo(0.5f);
        send(grey(100).setProduct("nut"));
        result = result();
        assertThat(result.getProduct()).isEqualTo("nut");
        assertThat(result.getCalibration()).isEqualTo("*");
        send(grey(100).setProduct(" "));
        assertThat(result().getProduct()).isNull();
        assertThat(meters.counter(InspectionMetrics.UNKNOWN_PRODUCT).count()).isEqualTo(3);
    }

    @Test
    void shouldFindTheThresholdOfAProductInAnotherSpelling() {
        send(grey(100).setProduct("Geha\u0308use"));
        InspectionResult result = result();
        assertThat(result.getCalibration()).isEqualTo("Geh\u00e4use");
        assertThat(result.getProduct()).isEqualTo("Geh\u00e4use");
        send(grey(100).setProduct("Geh\u00e4use"));
        assertThat(result().getCalibration()).isEqualTo("Geh\u00e4use");
        assertThat(meters.counter(InspectionMetrics.UNKNOWN_PRODUCT).count()).isZero();
    }

    @Test
    void shouldReviewWhatTheModelAnswersWithNaN() {
        for (int value : new int[] {FakeScorer.NAN, FakeScorer.NAN_IN_MAP}) {
            send(grey(value));
            InspectionResult result = result();
            assertThat(result.getScore()).isNaN();
            assertThat(result.getVerdict()).isEqualTo(Verdict.REVIEW);
            assertThat(result.getReason()).isEqualTo("MODEL_RETURNED_NAN");
        }
        assertThat(anomaliesOut.isEmpty()).isTrue();
        assertThat(meters.counter(InspectionMetrics.NAN_FRAMES).count()).isEqualTo(2);
    }

    @Test
    void shouldReviewWhatTheModelFailsOn() {
        send(grey(FakeScorer.THROWS));
        InspectionResult result = result();
        assertThat(result.getScore()).isNaN();
        assertThat(result.getRawScore()).isNaN();
        assertThat(result.getVerdict()).isEqualTo(Verdict.REVIEW);
        assertThat(result.getReason()).isEqualTo("INFERENCE_FAILED");
        assertThat(meters.counter(InspectionMetrics.FAILED_FRAMES).count()).isEqualTo(1);
        send(grey(20));
        assertThat(result().getVerdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void shouldRejectATruncatedJpeg() {
        byte[] noise = new byte[3 * 64 * 64];
        new java.util.Random(1).nextBytes(noise);
        byte[] jpeg = ImageCodec.encodeJpeg(new RgbImage(64, 64, noise), 90);
        shouldReject(
                frame(FrameEncoding.JPEG, Arrays.copyOf(jpeg, jpeg.length / 2), 64, 64), DeadLetterCode.CORRUPT_IMAGE);
    }

    @Test
    void shouldRejectADimensionBombWithoutDecodingIt() throws IOException {
        byte[] png = bomb(30_000, 30_000);
        assertThat(png.length).isLessThan(2048);
        shouldReject(frame(FrameEncoding.PNG, png, 0, 0), DeadLetterCode.IMAGE_TOO_LARGE, "30000x30000");
    }

    /** A PNG of that size according to its header, with a single empty data chunk. */
    private static byte[] bomb(int width, int height) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10});
        ByteBuffer header = ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put((byte) 8)
                .put((byte) 2);
        chunk(out, "IHDR", header.array());
        chunk(out, "IDAT", new byte[1500]);
        chunk(out, "IEND", new byte[0]);
        return out.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] data) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(type.getBytes(StandardCharsets.US_ASCII));
        crc.update(data);
        DataOutputStream d = new DataOutputStream(out);
        d.writeInt(data.length);
        d.write(type.getBytes(StandardCharsets.US_ASCII));
        d.write(data);
        d.writeInt((int) crc.getValue());
    }

    @Test
    void shouldRejectEmptyImage() {
        shouldReject(frame(FrameEncoding.JPEG, new byte[0], 0, 0), DeadLetterCode.EMPTY_IMAGE);
    }

    @Test
    void shouldRejectBytesThatAreNoImage() {
        shouldReject(
                frame(FrameEncoding.JPEG, "this is text, not a picture".getBytes(StandardCharsets.UTF_8), 0, 0),
                DeadLetterCode.UNSUPPORTED_ENCODING);
    }

    @Test
    void shouldRejectAnUnknownEncoding() {
        shouldReject(
                frame(FrameEncoding.UNKNOWN, filled(64, 1), 8, 8),
                DeadLetterCode.UNSUPPORTED_ENCODING,
                "JPEG, PNG, GRAY8");
    }

    @Test
    void shouldRejectRawPixelsOfTheWrongNumber() {
        shouldReject(frame(FrameEncoding.RGB8, filled(64, 1), 8, 8), DeadLetterCode.SIZE_MISMATCH);
    }

    @Test
    void shouldRejectRawPixelsOfAnImpossibleSize() {
        shouldReject(frame(FrameEncoding.RGB8, filled(64, 1), -8, 8), DeadLetterCode.SIZE_MISMATCH);
    }

    @Test
    void shouldRejectANullValue() {
        shouldReject((byte[]) null, DeadLetterCode.EMPTY_RECORD);
    }

    @Test
    void shouldRejectZeroBytes() {
        shouldReject(new byte[0], DeadLetterCode.EMPTY_RECORD);
    }

    @Test
    void shouldRejectBytesOutsideTheWireFormat() {
        shouldReject("{\"json\":true}".getBytes(StandardCharsets.UTF_8), DeadLetterCode.NOT_CONFLUENT_WIRE);
    }

    @Test
    void shouldRejectAnotherRecordType() {
        byte[] wrong = SerdeFactory.create(FrameRef.class, config.serdes(), false)
                .serializer()
                .serialize("somewhere", new FrameRef("t", 0, 1L));
        shouldReject(wrong, DeadLetterCode.WRONG_SCHEMA, "FrameRef");
    }

    @Test
    void shouldRejectAnUnknownSchemaId() {
        shouldReject(new byte[] {0, 0, 0, 3, 9, 1, 2, 3}, DeadLetterCode.UNKNOWN_SCHEMA, "777");
    }

    @Test
    void shouldRejectARecordThatEndsTooSoon() {
        byte[] whole = frames.serializer().serialize(config.topics().frames().name(), grey(1).build());
        shouldReject(Arrays.copyOf(whole, whole.length - 40), DeadLetterCode.CORRUPT_RECORD);
    }

    @Test
    void shouldRejectARecordThatClaimsMoreBytesThanItHas() {
        byte[] whole = frames.serializer().serialize(config.topics().frames().name(), grey(1).build());
        // The length of the image: 64 in zigzag is 80 01, behind the encoding and the two sizes of 8.
        for (int i = whole.length - 67; i > 0; i--) {
            if (whole[i] == (byte) 0x80 && whole[i + 1] == 1 && whole[i + 2] == 1 && whole[i + 3] == 1) {
                byte[] lie = new byte[whole.length + 3];
                System.arraycopy(whole, 0, lie, 0, i);
                System.arraycopy(
                        new byte[] {(byte) 0xf8, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x0f},
                        0,
                        lie,
                        i,
                        5); // 2,147,483,644
                System.arraycopy(whole, i + 2, lie, i + 5, whole.length - i - 2);
                shouldReject(lie, DeadLetterCode.CORRUPT_RECORD);
                return;
            }
        }
        throw new AssertionError("the length was not found");
    }

    @Test
    void shouldRejectTextThatWouldNotFitIntoAResult() {
        shouldReject(
                grey(1).setFrameId("x".repeat(FrameReader.MAX_TEXT + 1)),
                DeadLetterCode.CORRUPT_RECORD,
                "frameId has 1025 characters");
    }

    @Test
    void shouldRejectMoreAttributesThanAResultIsToCarry() {
        Map<String, String> many = new HashMap<>();
        for (int i = 0; i <= FrameReader.MAX_ATTRIBUTES; i++) many.put("a" + i, "");
        shouldReject(grey(1).setAttributes(many), DeadLetterCode.CORRUPT_RECORD, "the frame has 65 attributes");
    }

    @Test
    void shouldRejectAnAttributeThatIsTooLong() {
        shouldReject(
                grey(1).setAttributes(Map.of("lot", "x".repeat(FrameReader.MAX_TEXT + 1))),
                DeadLetterCode.CORRUPT_RECORD,
                "attribute lot has 1025 characters");
    }

    @Test
    void shouldRejectAttributesThatAreTooLongTogether() {
        Map<String, String> nine = new HashMap<>();
        for (int i = 0; i < 9; i++) nine.put("a" + i, "x".repeat(1000));
        shouldReject(
                grey(1).setAttributes(nine),
                DeadLetterCode.CORRUPT_RECORD,
                "attributes have 9018 characters; at most 8192");
    }

    @Test
    void shouldCarryAttributesAndQualityOfTheFrameInItsResult() {
        send(grey(20).setAttributes(Map.of("lot", "A 17", "shift", "2")));
        InspectionResult result = result();
        assertThat(result.getAttributes()).isEqualTo(Map.of("lot", "A 17", "shift", "2"));
        FrameQuality quality = result.getQuality();
        assertThat(quality.getBrightness()).isCloseTo(20 / 255f, within(1e-6f));
        assertThat(quality.getContrast()).isZero();
        assertThat(result.getSettingsRevision()).isNull();
    }

    @Test
    void shouldKeepTheHeadersOfADeadLetter() {
        RecordHeaders headers = new RecordHeaders();
        headers.add("trace", new byte[] {9});
        long time = System.currentTimeMillis() - 1_000;
        in.pipeInput(new TestRecord<>(null, new byte[] {5}, headers, time));
        TestRecord<byte[], byte[]> letter = lettersOut.readRecord();
        assertThat(letter.headers().lastHeader("trace").value()).containsExactly(9);
        assertThat(letter.timestamp()).isEqualTo(time);
        DeadLetterReason reason = DeadLetterHeaders.read(letter.headers()).orElseThrow();
        assertThat(reason.getSource()).isEqualTo(new FrameRef("linesight.frames.v1", 0, 0L));
    }

    @Test
    void shouldLeaveTheValueOfALetterThatIsTooLargeAtItsSource() {
        byte[] huge = new byte[config.topics().limits().deadLetterTopicBytes()];
        huge[0] = 1;
        in.pipeInput(null, huge);
        TestRecord<byte[], byte[]> letter = lettersOut.readRecord();
        assertThat(letter.value()).isNull();
        DeadLetterReason reason = DeadLetterHeaders.read(letter.headers()).orElseThrow();
        assertThat(reason.getCode()).isEqualTo(DeadLetterCode.NOT_CONFLUENT_WIRE);
        assertThat(reason.getMessage()).contains(huge.length + " bytes is too large for the dead-letter topic");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 42, 1_777_636_800L, 1_777_636_800_000_000L, 946_684_800_000L, 1_500_000_000_000L})
    void shouldDateAnswersItselfWhereTheRecordsTimeCannotBeTrue(long time) {
        long start = System.currentTimeMillis();
        byte[] anomalous = frames.serializer()
                .serialize(config.topics().frames().name(), grey(250).build());
        in.pipeInput(new TestRecord<>(null, anomalous, new RecordHeaders(), time));
        in.pipeInput(new TestRecord<>(null, new byte[] {5}, new RecordHeaders(), time));
        for (TestOutputTopic<byte[], byte[]> topic : List.of(resultsOut, anomaliesOut, lettersOut)) {
            TestRecord<byte[], byte[]> answer = topic.readRecord();
            assertThat(answer.timestamp()).isBetween(start, System.currentTimeMillis());
            assertThat(AnswerHeaders.time(answer.headers())).get().asString().startsWith("record time ");
        }
        assertThat(implausible("record")).isEqualTo(2);
        assertThat(implausible("capture")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-167H", "PT-1H", "PT0S", "PT2M"})
    void shouldKeepTheRecordsTimeWhereItCanBeTrue(String away) {
        long time = System.currentTimeMillis() + Duration.parse(away).toMillis();
        byte[] frame = frames.serializer().serialize(config.topics().frames().name(), grey(1).build());
        in.pipeInput(new TestRecord<>(null, frame, new RecordHeaders(), time));
        TestRecord<byte[], byte[]> answer = resultsOut.readRecord();
        assertThat(answer.timestamp()).isEqualTo(Math.min(time, answer.timestamp()));
        assertThat(answer.timestamp()).isGreaterThanOrEqualTo(Math.min(time, System.currentTimeMillis() - 60_000));
        assertThat(AnswerHeaders.time(answer.headers())).isEmpty();
        assertThat(implausible("record")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1970-01-01T00:00:00Z", "1970-01-21T13:47:16Z", "2100-01-01T00:00:00Z"})
    void shouldFlagACaptureTimeThatCannotBeTrueAndKeepItOutOfTheLatencies(String time) {
        byte[] frame = frames.serializer()
                .serialize(
                        config.topics().frames().name(),
                        grey(1).setCapturedAt(Instant.parse(time)).build());
        long now = System.currentTimeMillis();
        in.pipeInput(new TestRecord<>(null, frame, new RecordHeaders(), now));
        TestRecord<byte[], byte[]> answer = resultsOut.readRecord();
        assertThat(answer.timestamp()).isEqualTo(now);
        assertThat(AnswerHeaders.time(answer.headers())).get().asString().startsWith("capture time ");
        assertThat(implausible("capture")).isEqualTo(1);
        assertThat(meters.timer(InspectionMetrics.LATENCY).count()).isZero();
    }

    private double implausible(String time) {
        return meters.counter(InspectionMetrics.IMPLAUSIBLE_TIMES, "time", time).count();
    }

    @Test
    void shouldNameTheTopicOfTheFrameInEveryAnswer() {
        driver.close();
        pipeline.close();
        batcher.close();
        topicId = Uuid.randomUuid();
        open(Map.of());
        send(grey(250));
        in.pipeInput(null, new byte[] {5});
        for (TestOutputTopic<byte[], byte[]> topic : List.of(resultsOut, anomaliesOut, lettersOut))
            assertThat(AnswerHeaders.topicId(topic.readRecord().headers())).contains(topicId);
    }

    @Test
    void shouldNotWriteRecordsOfTheFuture() {
        long future = System.currentTimeMillis() + 10_000_000;
        in.pipeInput(new TestRecord<>(
                null,
                frames.serializer().serialize(config.topics().frames().name(), grey(1).build()),
                new RecordHeaders(),
                future));
        in.pipeInput(new TestRecord<>(null, new byte[] {5}, new RecordHeaders(), future));
        assertThat(resultsOut.readRecord().timestamp()).isLessThan(future);
        assertThat(lettersOut.readRecord().timestamp()).isLessThan(future);
    }

    @Test
    void shouldAcceptFramesOfAnyTime() {
        for (Instant time : new Instant[] {
            Instant.EPOCH,
            CAPTURED.plus(400, ChronoUnit.DAYS),
            Instant.EPOCH.plus(Long.MIN_VALUE, ChronoUnit.MICROS),
            Instant.EPOCH.plus(Long.MAX_VALUE, ChronoUnit.MICROS)
        }) {
            send(grey(20).setCapturedAt(time));
            assertThat(result().getCapturedAt()).isEqualTo(time);
        }
        assertThat(meters.timer(InspectionMetrics.LATENCY).count())
                .as("no nonsense in the latency")
                .isZero();
    }

    @Test
    void shouldNumberResultsByOffset() {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            send(grey(i));
            ids.add(result().getResultId());
        }
        assertThat(ids)
                .containsExactly("linesight.frames.v1-0-0", "linesight.frames.v1-0-1", "linesight.frames.v1-0-2");
    }

    @Test
    void shouldWaitForUnavailableRegistryAndThenContinue() {
        byte[] bytes = frames.serializer().serialize(config.topics().frames().name(), grey(20).build());
        registry.away.set(2);
        in.pipeInput("cam1".getBytes(StandardCharsets.UTF_8), bytes);
        assertThat(registry.away).as("it was asked while it was away").hasValue(0);
        assertThat(result().getVerdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void shouldFailWithoutADeadLetterWhenTheRegistryStaysAway() {
        stopParts();
        open(Map.of("linesight.registry.retry.ms", "300"));
        byte[] bytes = frames.serializer().serialize(config.topics().frames().name(), grey(20).build());
        registry.away.set(Integer.MAX_VALUE);
        assertThatThrownBy(() -> in.pipeInput("cam1".getBytes(StandardCharsets.UTF_8), bytes))
                .isInstanceOf(StreamsException.class)
                .hasStackTraceContaining(RegistryUnavailableException.class.getName());
        assertThat(lettersOut.isEmpty()).isTrue();
        assertThat(resultsOut.isEmpty()).isTrue();
    }

    private TestRecord<byte[], byte[]> letterOf(byte[] key, byte[] value, RecordHeaders headers) {
        in.pipeInput(new TestRecord<>(key, value, headers));
        assertThat(resultsOut.isEmpty()).as("no result").isTrue();
        TestRecord<byte[], byte[]> letter = lettersOut.readRecord();
        long limit = config.topics().deadLetter().maxMessageBytes();
        assertThat(RecordSize.of(letter.key(), letter.value(), letter.headers()))
                .isLessThanOrEqualTo(limit);
        assertThat(DeadLetterHeaders.read(letter.headers())
                        .orElseThrow()
                        .getSource()
                        .getOffset())
                .isEqualTo(letters++);
        return letter;
    }

    private static String shortened(TestRecord<byte[], byte[]> letter) {
        return new String(
                letter.headers().lastHeader(DeadLetterHeaders.SHORTENED).value(), StandardCharsets.UTF_8);
    }

    @Test
    void shouldShortenAGiantHeaderAndKeepTheRest() {
        RecordHeaders headers = new RecordHeaders();
        headers.add("trace", new byte[12 << 20]).add("small", new byte[] {7});

        TestRecord<byte[], byte[]> letter = letterOf(new byte[] {5}, NO_FRAME, headers);

        assertThat(shortened(letter)).contains("header trace of 12582").contains("1024");
        assertThat(letter.headers().lastHeader("trace").value()).hasSize(1024);
        assertThat(letter.headers().lastHeader("small").value()).containsExactly(7);
        assertThat(letter.value()).isEqualTo(NO_FRAME);
        assertThat(letter.key()).containsExactly(5);
    }

    @Test
    void shouldLeaveOutMostOfManyHeaders() {
        RecordHeaders headers = new RecordHeaders();
        for (int i = 0; i < 100_000; i++) headers.add("h" + i, new byte[100]);

        TestRecord<byte[], byte[]> letter = letterOf(null, NO_FRAME, headers);

        assertThat(shortened(letter)).contains("99900 of 100000 headers are left out");
        assertThat(letter.value()).isEqualTo(NO_FRAME);
    }

    @Test
    void shouldShortenAGiantKey() {
        TestRecord<byte[], byte[]> letter = letterOf(filled(12 << 20, 3), NO_FRAME, new RecordHeaders());

        assertThat(shortened(letter)).contains("the key of 12582912 bytes");
        assertThat(letter.key()).hasSize(1024);
        assertThat(letter.value()).isEqualTo(NO_FRAME);
    }

    @Test
    void shouldLeaveOutAGiantValue() {
        TestRecord<byte[], byte[]> letter = letterOf(new byte[] {5}, filled(20 << 20, 3), new RecordHeaders());

        assertThat(shortened(letter)).contains("the value of 20971520 bytes is left out");
        assertThat(letter.value()).isNull();
    }

    @Test
    void shouldMakeALetterOfWhateverIsGiantAtOnce() {
        RecordHeaders headers = new RecordHeaders();
        for (int i = 0; i < 300; i++) headers.add("\u20ac".repeat(40_000) + i, filled(40_000, 1));

        TestRecord<byte[], byte[]> letter = letterOf(filled(9 << 20, 3), filled(20 << 20, 3), headers);

        assertThat(shortened(letter).length()).isLessThanOrEqualTo(256);
        assertThat(letter.value()).isNull();
    }

    @Test
    void shouldTakeHeadersThatAreNoTextAndRecordsThatLackEverything() {
        RecordHeaders headers = new RecordHeaders();
        headers.add("", null).add("\ud800", new byte[0]).add("linesight.error.shortened", new byte[] {1});

        TestRecord<byte[], byte[]> letter = letterOf(null, null, headers);

        assertThat(letter.headers().lastHeader(DeadLetterHeaders.SHORTENED))
                .as("ours only, and nothing was shortened")
                .isNull();
        letterOf(new byte[0], new byte[0], new RecordHeaders());
        send(grey(20));
        assertThat(result().getVerdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void shouldDropTheThumbnailOfAnEventThatDoesNotFit() {
        stopParts();
        open(Map.of("kafka.producer.max.request.size", "2500"));
        // Noise, which JPEG cannot make small.
        byte[] noise = new byte[64 * 64];
        new Random(5).nextBytes(noise);
        noise[0] = (byte) 200;
        send(frame(FrameEncoding.GRAY8, noise, 64, 64));

        result();
        assertThat(anomaly().getThumbnailJpeg()).isNull();
    }

    @Test
    void shouldMakeADeadLetterOfAResultThatDoesNotFit() {
        stopParts();
        open(Map.of("kafka.producer.max.request.size", "10000"));
        String wide = "\u20ac".repeat(FrameReader.MAX_TEXT);
        send(grey(20).setCameraId(wide).setFrameId(wide).setLineId(wide).setProduct(wide));

        TestRecord<byte[], byte[]> letter = lettersOut.readRecord();
        assertThat(DeadLetterHeaders.read(letter.headers()).orElseThrow().getMessage())
                .contains("does not fit topic linesight.results.v1, which takes 10000");
        assertThat(RecordSize.of(letter.key(), letter.value(), letter.headers()))
                .isLessThanOrEqualTo(10_000);
    }
}
