package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.embedded.SharedPlatform;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.trainer.learning.LabelLine;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The label command against a real broker. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class LabelCommandIT {
    @TempDir
    Path dir;

    private EmbeddedKafka kafka;
    private EmbeddedRegistry registry;
    private LabelLine line;
    private StringWriter out;
    private StringWriter err;

    @BeforeAll
    void startPlatform() {
        kafka = SharedPlatform.kafka();
        registry = SharedPlatform.registry();
    }

    @BeforeEach
    void topics(TestInfo test) {
        line = new LabelLine(
                kafka, registry, "label." + test.getTestMethod().orElseThrow().getName());
    }

    private int label(String... args) {
        out = new StringWriter();
        err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("label"));
        line.settings.forEach((k, v) -> all.addAll(List.of("--set", k + "=" + v)));
        all.addAll(Arrays.asList(args));
        CommandLine command = Linesight.commandLine();
        command.setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        return command.execute(all.toArray(new String[0]));
    }

    /** The last label per key, in the order of the keys' first one. */
    private Map<String, FrameLabel> labels() {
        Map<String, FrameLabel> found = new LinkedHashMap<>();
        String topic = line.topics.labels().name();
        try (AvroSerde<FrameLabel> serde = AvroSerde.of(FrameLabel.class, line.settings, false);
                KafkaConsumer<byte[], byte[]> consumer =
                        ClientSettings.openConsumer(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            RangeReader reader = new RangeReader(consumer, Duration.ofMinutes(1));
            reader.read(reader.ranges(List.of(topic)), r -> {
                found.put(
                        new String(r.key(), StandardCharsets.UTF_8),
                        serde.deserializer().deserialize(topic, r.value()));
                return true;
            });
        }
        return found;
    }

    @Test
    void shouldPublishLabelsFromFileAndReportRejectedLines() throws Exception {
        FrameRef a = line.frame("flange", "good", 1);
        FrameRef b = line.frame("flange", "scratch", 2);
        FrameRef c = line.frame("flange", "good", 3);
        byte[] gray = new byte[320 * 320];
        gray[500] = 1;
        Files.write(dir.resolve("b.png"), ImageCodec.encodeGrayPng(gray, 320, 320));
        Files.write(dir.resolve("small.png"), ImageCodec.encodeGrayPng(new byte[] {1}, 1, 1));
        String unknown = a.getTopic() + "-" + a.getPartition() + "-999";
        Files.writeString(
                dir.resolve("labels.csv"),
                "\uFEFFframe,label,annotator,mask,note\r\n"
                        + FrameKeys.of(a) + ",Normal,ann,,\"looks fine, \"\"really\"\"\"\r\n"
                        + FrameKeys.of(b) + ",anomalous,bob,b.png,\r\n"
                        + FrameKeys.of(c) + ",anomalous,bob,small.png,\r\n"
                        + unknown + ",normal,ann,,\r\n"
                        + "nonsense,normal,ann,,\r\n"
                        + FrameKeys.of(c) + ",maybe,ann,,\r\n"
                        + FrameKeys.of(c) + ",anomalous,ann,nowhere.png,\r\n"
                        + "\r\n"
                        + FrameKeys.of(c) + ",normal,ann,b.png,\r\n");
        assertThat(label("--csv", dir.resolve("labels.csv").toString()))
                .as(err.toString())
                .isEqualTo(1);
        assertThat(out.toString()).contains("Gave 2 labels, 6 were rejected");
        assertThat(err.toString().lines())
                .hasSize(6)
                .anyMatch(l -> l.startsWith("line 4: rejected") && l.contains("1x1"))
                .anyMatch(l -> l.startsWith("line 5: rejected") && l.contains("NOT_YET"))
                .anyMatch(l -> l.startsWith("line 6: rejected") && l.contains("nonsense"))
                .anyMatch(l -> l.startsWith("line 7: rejected") && l.contains("maybe"))
                .anyMatch(l -> l.startsWith("line 8: rejected") && l.contains("no mask") && l.contains("nowhere.png"))
                .anyMatch(l -> l.startsWith("line 10: rejected") && l.contains("ANOMALOUS only"));
        Map<String, FrameLabel> given = labels();
        assertThat(given).containsOnlyKeys(FrameKeys.of(a), FrameKeys.of(b));
        assertThat(given.get(FrameKeys.of(a)).getNote()).isEqualTo("looks fine, \"really\"");
        assertThat(given.get(FrameKeys.of(a)).getFrameId())
                .as("taken from the frame")
                .startsWith("cam-flange-");
        assertThat(given.get(FrameKeys.of(b)).getAnnotator()).isEqualTo("bob");
        assertThat(given.get(FrameKeys.of(b)).getMaskPng()).isNotNull();

        Files.writeString(
                dir.resolve("more.csv"),
                "topic,partition,offset,label\n" + c.getTopic() + "," + c.getPartition() + "," + c.getOffset()
                        + ",normal\n" + a.getTopic() + "," + a.getPartition() + "," + a.getOffset() + ",retracted\n");
        assertThat(label("--csv", dir.resolve("more.csv").toString(), "--annotator", "eve"))
                .as(err.toString())
                .isZero();
        assertThat(labels().get(FrameKeys.of(a)).getLabel()).isEqualTo(LabelKind.RETRACTED);
        assertThat(labels().get(FrameKeys.of(c)).getAnnotator()).isEqualTo("eve");
    }

    @Test
    void shouldLabelOneFrame() {
        FrameRef a = line.frame("flange", "good", 1);
        assertThat(label("--frame", FrameKeys.of(a), "--label", "normal", "--annotator", "ann", "--product", "cap"))
                .as(err.toString())
                .isZero();
        assertThat(labels().get(FrameKeys.of(a)).getProduct()).isEqualTo("cap");
        String future = a.getTopic() + "-0-77";
        assertThat(label("--frame", future, "--label", "normal")).isEqualTo(1);
        assertThat(err.toString()).contains(future, "NOT_YET");
        assertThat(label("--frame", future, "--label", "normal", "--no-check")).isZero();
        assertThat(labels()).containsKey(future);
        assertThat(label("--frame", "elsewhere-0-1", "--label", "normal")).isEqualTo(1);
        assertThat(err.toString()).contains("elsewhere");
        assertThat(label("--frame", FrameKeys.of(a), "--label", "maybe")).isEqualTo(2);
        assertThat(label("--frame", FrameKeys.of(a))).isEqualTo(2);
    }

    @Test
    void shouldAskAboutDoubtfulResults() throws Exception {
        List<FrameRef> refs = new ArrayList<>();
        Verdict[] verdicts = {Verdict.FAIL, Verdict.PASS, Verdict.REVIEW, Verdict.FAIL, Verdict.FAIL};
        try (AvroSerde<InspectionResult> serde = AvroSerde.of(InspectionResult.class, line.settings, false);
                KafkaProducer<byte[], byte[]> p = new KafkaProducer<>(
                        Map.of("bootstrap.servers", kafka.bootstrapServers()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            for (int i = 0; i < verdicts.length; i++) {
                FrameRef ref = line.frame("flange", "good", i);
                refs.add(ref);
                Instant at =
                        Instant.parse("2026-01-01T00:00:00Z").plusSeconds(i).truncatedTo(ChronoUnit.MICROS);
                InspectionResult r = InspectionResult.newBuilder()
                        .setResultId(FrameKeys.of(ref))
                        .setFrameRef(ref)
                        .setFrameId("f")
                        .setCameraId("cam")
                        .setProduct("flange")
                        .setScore(0.7f)
                        .setRawScore(0.7f)
                        .setThreshold(0.5f)
                        .setVerdict(verdicts[i])
                        .setReason(null)
                        .setModelVersion("v")
                        .setCapturedAt(at)
                        .setScoredAt(at)
                        .setTimings(new StageTimings(0L, 0L, 0L, 1))
                        .setRegions(List.of())
                        .build();
                p.send(new ProducerRecord<>(
                                line.topics.results().name(),
                                serde.serializer()
                                        .serialize(line.topics.results().name(), r)))
                        .get();
            }
        }
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream("n\nwhat\na\ns\nq\n".getBytes(StandardCharsets.UTF_8)));
            assertThat(label("--annotator", "ann")).as(err.toString()).isZero();
        } finally {
            System.setIn(before);
        }
        assertThat(out.toString()).contains("1/4", "REVIEW", "Gave 2 labels").doesNotContain(FrameKeys.of(refs.get(1)));
        Map<String, FrameLabel> given = labels();
        assertThat(given)
                .as("the youngest first")
                .containsOnlyKeys(FrameKeys.of(refs.get(4)), FrameKeys.of(refs.get(3)));
        assertThat(given.get(FrameKeys.of(refs.get(4))).getLabel()).isEqualTo(LabelKind.NORMAL);
        assertThat(given.get(FrameKeys.of(refs.get(3))).getLabel()).isEqualTo(LabelKind.ANOMALOUS);
    }
}
