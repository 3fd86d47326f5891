package io.linesight.trainer.learning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.cameras.CameraShot;
import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.embedded.SharedPlatform;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.trainer.feedback.FetchOutcome;
import io.linesight.trainer.feedback.FetchedFrame;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.LabelSource;
import io.linesight.trainer.imagestore.StoredImage;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Frames by their place, and labels into the store, on a real broker; nothing is trained here. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class LabelConsumerIT {
    /** The trainer asks a registry that does not answer twice a second. */
    private static final Duration TWO_RETRIES = Duration.ofMillis(1_500);

    @TempDir
    Path dir;

    private EmbeddedKafka kafka;
    private EmbeddedRegistry registry;
    private LabelLine line;
    private TrainerConfig config;
    private final List<TrainerEvent> events = new CopyOnWriteArrayList<>();

    @BeforeAll
    void startPlatform() {
        kafka = SharedPlatform.kafka();
        // Stopped and started by a test.
        registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
    }

    @AfterAll
    void stopPlatform() {
        registry.close();
    }

    @BeforeEach
    void topics(TestInfo test) {
        String name = test.getTestMethod().orElseThrow().getName();
        line = new LabelLine(kafka, registry, name);
        config = TrainerConfig.of(line.settings, dir.resolve(name)).withGroup(name);
        events.clear();
    }

    @AfterEach
    void close() {
        line.close();
    }

    private TrainerService started(TrainerConfig c) throws Exception {
        TrainerService s = new TrainerService(
                c,
                channel -> Optional.empty(),
                (file, draft) -> {},
                events::add,
                FaultInjector.NONE,
                new TrainerService.Timing(Duration.ofMillis(200), Duration.ofMillis(200)));
        s.start();
        return s;
    }

    @Test
    void shouldTellWhatBecameOfEveryFrame() throws Exception {
        List<FrameRef> good = new ArrayList<>();
        for (int i = 0; i < 5; i++) good.add(line.frame("flange", SimulatedFrame.GOOD, i));
        byte[] pixels = new byte[12 * 10];
        FrameRef grey = line.shot(
                "cam-flange", new CameraShot(null, Instant.now(), FrameEncoding.GRAY8, 12, 10, pixels, Map.of()));
        FrameRef garbage = line.raw("cam-flange", "no frame".getBytes());
        FrameRef truncated = line.shot(
                "cam-flange",
                new CameraShot(
                        "flange",
                        Instant.now(),
                        FrameEncoding.JPEG,
                        0,
                        0,
                        new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff},
                        Map.of()));
        int partition = grey.getPartition();
        // An aborted transaction: a record that read_committed never sees, and a marker that is no record at all.
        try (KafkaProducer<byte[], byte[]> p = new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "transactional.id", "abort"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            p.initTransactions();
            p.beginTransaction();
            p.send(new ProducerRecord<>(line.topics.frames().name(), partition, null, new byte[] {1}))
                    .get();
            p.abortTransaction();
        }
        TopicPartition where = new TopicPartition(line.topics.frames().name(), partition);
        try (Admin admin = line.admin()) {
            // The marker is written after abortTransaction has returned.
            LabelLine.await("the marker", () -> {
                try {
                    return admin.listOffsets(Map.of(where, OffsetSpec.latest()))
                                    .partitionResult(where)
                                    .get()
                                    .offset()
                            == truncated.getOffset() + 3;
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
        }
        FrameRef aborted = new FrameRef(line.topics.frames().name(), partition, truncated.getOffset() + 1);
        FrameRef marker = new FrameRef(line.topics.frames().name(), partition, truncated.getOffset() + 2);
        FrameRef after = line.frame("flange", SimulatedFrame.GOOD, 9);
        FrameRef future = new FrameRef(line.topics.frames().name(), partition, after.getOffset() + 1);
        FrameRef nowhere = new FrameRef(line.topics.frames().name(), 7, 0L);
        FrameRef elsewhere = new FrameRef(line.topics.results().name(), 0, 0L);
        try (Admin admin = line.admin()) {
            admin.deleteRecords(Map.of(
                            new TopicPartition(line.topics.frames().name(), partition),
                            RecordsToDelete.beforeOffset(2)))
                    .all()
                    .get();
        }
        try (FrameFetcher fetcher =
                new FrameFetcher(line.settings, line.topics, DecodeSettings.defaults(), Duration.ofSeconds(20))) {
            List<FrameRef> all = new ArrayList<>(good);
            all.addAll(List.of(grey, garbage, truncated, aborted, marker, after, future, nowhere, elsewhere));
            java.util.Collections.reverse(all);
            Map<FrameRef, FetchedFrame> f = fetcher.fetch(all);
            assertThat(f.keySet()).hasSize(all.size());
            assertThat(good.subList(0, 2))
                    .allSatisfy(r -> assertThat(f.get(r).outcome()).isEqualTo(FetchOutcome.EXPIRED));
            assertThat(f.get(good.get(0)).reason()).contains("retention", "begins at offset 2");
            assertThat(good.subList(2, 5)).allSatisfy(r -> {
                assertThat(f.get(r).outcome()).isEqualTo(FetchOutcome.FETCHED);
                assertThat(f.get(r).frame().getFrameId()).isEqualTo("cam-flange-" + r.getOffset());
                assertThat(f.get(r).image().width()).isEqualTo(320);
            });
            assertThat(f.get(grey).outcome()).isEqualTo(FetchOutcome.FETCHED);
            assertThat(ImageCodec.decode(f.get(grey).file(), ImageLimits.defaults())
                            .height())
                    .as("raw pixels become a file")
                    .isEqualTo(10);
            assertThat(f.get(after).frame().getProduct()).isEqualTo("flange");
            for (FrameRef none : List.of(garbage, truncated, aborted, marker, nowhere, elsewhere)) {
                assertThat(f.get(none).outcome()).as(FrameKeys.of(none)).isEqualTo(FetchOutcome.NOT_A_FRAME);
                assertThat(f.get(none).reason()).isNotBlank();
            }
            assertThat(f.get(future).outcome()).isEqualTo(FetchOutcome.NOT_YET);
            assertThat(fetcher.counts())
                    .isEqualTo(Map.of(
                            FetchOutcome.FETCHED,
                            5L,
                            FetchOutcome.EXPIRED,
                            2L,
                            FetchOutcome.NOT_YET,
                            1L,
                            FetchOutcome.NOT_A_FRAME,
                            6L));
        }
    }

    @Test
    void shouldAcceptLabelsByTheRules() throws Exception {
        FrameRef a = line.frame("flange", SimulatedFrame.GOOD, 1);
        FrameRef b = line.frame("flange", "scratch", 2);
        FrameRef c = line.frame("flange", SimulatedFrame.GOOD, 3);
        FrameRef d = line.frame("flange", SimulatedFrame.GOOD, 4);
        FrameRef late = new FrameRef(d.getTopic(), d.getPartition(), d.getOffset() + 1);
        FrameRef never = new FrameRef(d.getTopic(), d.getPartition(), d.getOffset() + 1_000);
        byte[] small = ImageCodec.encodeGrayPng(new byte[] {1, 1, 1, 1}, 2, 2);
        line.label(a, LabelKind.NORMAL, null, "ann");
        line.label(b, LabelKind.ANOMALOUS, LabelLine.mask("flange", "scratch", 2), "ann");
        line.label(c, LabelKind.ANOMALOUS, small, "ann");
        line.label(d, LabelKind.NORMAL, null, "ann");
        line.label(late, LabelKind.NORMAL, null, "ann");
        line.label(never, LabelKind.NORMAL, null, "ann");
        line.label(new FrameRef("elsewhere", 0, 1L), LabelKind.NORMAL, null, "ann");
        line.send("no frame's key", new byte[] {0, 0, 0, 0, 1, 2});
        try (TrainerService s = started(config.withLateFrames(Duration.ofSeconds(4)))) {
            awaitCounts(
                    s,
                    Map.of(
                            LabelCounters.REFUSED,
                            3L,
                            LabelCounters.WAITING,
                            2L,
                            LabelCounters.NORMAL,
                            2L,
                            LabelCounters.ANOMALOUS,
                            1L));
            assertThat(s.store().images()).hasSize(3);
            assertThat(s.store().get(FrameKeys.of(b)).orElseThrow().mask()).isNotNull();
            assertThat(s.store().get(FrameKeys.of(c)))
                    .as("its mask is of another size")
                    .isEmpty();

            // The frame that a label waits for arrives; the one of the other label never does.
            FrameRef came = line.frame("flange", SimulatedFrame.GOOD, 5);
            assertThat(came).isEqualTo(late);
            LabelLine.await(
                    "the late frame", () -> s.store().get(FrameKeys.of(late)).isPresent());
            LabelLine.await("giving up", () -> s.counts().get(LabelCounters.NEVER_CAME) == 1);
            assertThat(s.store().pending()).isEmpty();

            line.label(a, LabelKind.ANOMALOUS, null, "bob");
            line.label(a, LabelKind.ANOMALOUS, LabelLine.mask("flange", "scratch", 2), "bob");
            LabelLine.await(
                    "the other word",
                    () -> s.store().get(FrameKeys.of(a)).map(StoredImage::mask).orElse(null) != null);
            assertThat(s.counts())
                    .as("ann and bob disagree, bob and bob do not")
                    .containsEntry(LabelCounters.CONTRADICTED, 1L);
            assertThat(s.store().get(FrameKeys.of(a)).orElseThrow().anomalous()).isTrue();

            line.label(d, LabelKind.RETRACTED, null, "ann");
            line.send(FrameKeys.of(b), null);
            LabelLine.await("retractions", () -> s.store().images().size() == 2);
            awaitCounts(s, Map.of(LabelCounters.RETRACTED, 2L));
            assertThat(s.failure()).isEmpty();
        }
        long before = labelsCommitted();
        // Another reading of the same topic, as after losing the commit, changes nothing and counts nothing twice.
        try (TrainerService s = started(config)) {
            LabelLine.await("working", s::working);
            line.label(c, LabelKind.NORMAL, null, "ann");
            awaitCounts(s, Map.of(LabelCounters.NORMAL, 1L));
            assertThat(s.store().images()).hasSize(3);
            assertThat(s.counts())
                    .containsEntry(LabelCounters.CONTRADICTED, 0L)
                    .containsEntry(LabelCounters.NORMAL, 1L)
                    .containsEntry(LabelCounters.REFUSED, 0L);
            LabelLine.await("commit", () -> labelsCommitted() == before + 1);
        }
        // A new trainer with an empty store, in the same group: it needs all labels, whatever the group has committed.
        TrainerConfig other =
                TrainerConfig.of(line.settings, dir.resolve("other")).withGroup(config.group());
        try (TrainerService s = started(other)) {
            LabelLine.await("all labels again", () -> s.store().images().size() == 3);
            assertThat(s.store().images())
                    .extracting(StoredImage::frame)
                    .containsExactlyInAnyOrder(FrameKeys.of(a), FrameKeys.of(late), FrameKeys.of(c));
        }
    }

    /** Counted is what is stored already. */
    private static void awaitCounts(TrainerService s, Map<String, Long> wanted) {
        try {
            LabelLine.await("counts " + wanted, () -> s.counts().entrySet().containsAll(wanted.entrySet()));
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    e.getMessage() + "; they are " + s.counts() + ", positions "
                            + s.store().positions() + ", ended by " + s.failure(),
                    e);
        }
    }

    private long labelsCommitted() {
        try (Admin admin = line.admin()) {
            return admin
                    .listConsumerGroupOffsets(config.group())
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .values()
                    .stream()
                    .mapToLong(o -> o == null ? 0 : o.offset())
                    .sum();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void shouldCountLabelsWhoseFramesRetentionHasDeleted() throws Exception {
        FrameRef a = line.frame("flange", SimulatedFrame.GOOD, 1);
        line.frame("flange", SimulatedFrame.GOOD, 2);
        try (Admin admin = line.admin()) {
            admin.deleteRecords(
                            Map.of(new TopicPartition(a.getTopic(), a.getPartition()), RecordsToDelete.beforeOffset(1)))
                    .all()
                    .get();
        }
        line.label(a, LabelKind.NORMAL, null, "ann");
        line.label(line.raw("cam-flange", new byte[] {1}), LabelKind.NORMAL, null, "ann");
        try (TrainerService s = started(config)) {
            LabelLine.await(
                    "outcomes",
                    () -> s.counts().get(LabelCounters.EXPIRED) == 1
                            && s.counts().get(LabelCounters.NOT_A_FRAME) == 1);
            assertThat(s.store().images()).isEmpty();
            assertThat(s.store().pending()).isEmpty();
        }
    }

    @Test
    void shouldSampleFramesThatPassedWithConfidenceOnlyWhenAsked() throws Exception {
        List<FrameRef> refs = new ArrayList<>();
        for (int i = 0; i < 6; i++) refs.add(line.frame("flange", SimulatedFrame.GOOD, i));
        // So many an hour that the pace of the machine decides nothing.
        TrainerConfig sampling = config.withSampling(new TrainerConfig.Sampling(3.6e12, 0.2, 2));
        try (TrainerService s = started(sampling);
                AvroSerde<InspectionResult> serde = AvroSerde.of(InspectionResult.class, line.settings, false);
                KafkaProducer<byte[], byte[]> p = new KafkaProducer<>(
                        Map.of("bootstrap.servers", kafka.bootstrapServers()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            LabelLine.await("working", s::working);
            for (int i = 0; i < 6; i++) {
                // Doubtful ones and failures among them.
                Verdict verdict = i == 1 ? Verdict.FAIL : Verdict.PASS;
                float score = i == 1 ? 0.9f : i == 3 ? 0.35f : i == 5 ? Float.NaN : 0.05f;
                p.send(new ProducerRecord<>(
                                line.topics.results().name(),
                                serde.serializer()
                                        .serialize(line.topics.results().name(), result(refs.get(i), verdict, score))))
                        .get();
                // One at a time: of results that are read together the last of a product is kept.
                long samples = i / 2 + 1;
                if (i % 2 == 0) LabelLine.await("samples", () -> s.counts().get(LabelCounters.SAMPLED) == samples);
            }

            assertThat(s.store().images())
                    .as("the oldest beyond two went")
                    .hasSize(2)
                    .allMatch(x -> x.origin() == LabelSource.RESERVOIR && !x.anomalous());
            assertThat(s.store().images())
                    .extracting(StoredImage::frame)
                    .containsExactly(FrameKeys.of(refs.get(2)), FrameKeys.of(refs.get(4)));
            line.label(refs.get(4), LabelKind.ANOMALOUS, null, "ann");
            LabelLine.await(
                    "a person's word",
                    () -> s.store().get(FrameKeys.of(refs.get(4))).orElseThrow().anomalous());
        }
    }

    @Test
    void shouldWaitForUnavailableRegistryWithoutLosingOrRejectingLabels() throws Exception {
        List<FrameRef> refs = new ArrayList<>();
        for (int i = 0; i < 4; i++) refs.add(line.frame("flange", SimulatedFrame.GOOD, i));
        FrameRef late = new FrameRef(
                refs.get(3).getTopic(), refs.get(3).getPartition(), refs.get(3).getOffset() + 1);
        // Bad whatever the registry says, it has no schema id at all; read before the next one as often as that is
        // tried.
        line.send(FrameKeys.of(refs.get(0)), new byte[] {1, 2, 3});
        // Those who label know the id of their schema; the trainer has to ask for it.
        line.label(refs.get(0), LabelKind.NORMAL, null, "ann");
        int port = registry.port();
        registry.close();
        try {
            try (TrainerService s = started(config)) {
                line.label(refs.get(1), LabelKind.ANOMALOUS, LabelLine.mask("flange", "scratch", 1), "ann");
                line.label(late, LabelKind.NORMAL, null, "ann");
                LabelLine.await("it is said", () -> waits().size() == 1);
                assertThat(waits().get(0))
                        .contains("registry cannot be used", "none is lost or rejected", "stored when it can");
                LabelLine.neverWithin(TWO_RETRIES, "said once", () -> waits().size() != 1);
                assertThat(s.failure()).isEmpty();
                assertThat(s.working()).isTrue();
                assertThat(s.store().images()).isEmpty();
                assertThat(s.store().positions().values())
                        .as("nothing is passed over")
                        .allMatch(p -> p == 0);
                assertThat(s.counts().get(LabelCounters.REFUSED))
                        .as("only what nobody could read, and once")
                        .isLessThanOrEqualTo(1);

                registry = EmbeddedRegistry.start(kafka.bootstrapServers(), port);
                awaitCounts(
                        s,
                        Map.of(
                                LabelCounters.NORMAL,
                                1L,
                                LabelCounters.ANOMALOUS,
                                1L,
                                LabelCounters.WAITING,
                                1L,
                                LabelCounters.REFUSED,
                                1L));
                assertThat(s.store().images()).hasSize(2);
                assertThat(s.store().pending()).hasSize(1);
                LabelLine.await("it is said", () -> events.stream()
                        .anyMatch(e -> e.kind() == TrainerEvent.Kind.WORKING
                                && e.message().contains("stored again")));
                assertThat(waits()).hasSize(1);
            }
            // Away again, and a new trainer that knows no schema: the label that waits for its frame is not given up
            // before it could be read.
            registry.close();
            events.clear();
            try (TrainerService s = started(config.withLateFrames(Duration.ZERO))) {
                LabelLine.await("it is said", () -> waits().size() == 1);
                assertThat(line.frame("flange", SimulatedFrame.GOOD, 9)).isEqualTo(late);
                LabelLine.neverWithin(
                        TWO_RETRIES, "still waits", () -> s.store().pending().size() != 1);
                registry = EmbeddedRegistry.start(kafka.bootstrapServers(), port);
                LabelLine.await(
                        "the late frame",
                        () -> s.store().get(FrameKeys.of(late)).isPresent());
                assertThat(s.counts())
                        .containsEntry(LabelCounters.NEVER_CAME, 0L)
                        .containsEntry(LabelCounters.REFUSED, 0L);
                assertThat(s.failure()).isEmpty();
            }
        } finally {
            // The other tests need one; closing twice does nothing.
            registry.close();
            registry = EmbeddedRegistry.start(kafka.bootstrapServers(), port);
        }
    }

    @ParameterizedTest
    @EnumSource(RegistryFront.Fault.class)
    void shouldStoreLabelsOnceTheRegistryAnswersAsItself(RegistryFront.Fault fault) throws Exception {
        line.close();
        line = new LabelLine(kafka, registry, "front-" + fault);
        FrameRef ref = line.frame("flange", SimulatedFrame.GOOD, 1);
        line.label(ref, LabelKind.NORMAL, null, "ann");
        try (RegistryFront front = new RegistryFront(registry.url())) {
            front.answer(fault);
            Map<String, String> settings = new HashMap<>(line.settings);
            settings.put("schema.registry.url", front.url());
            settings.put(RecordDecoder.UNKNOWN_SCHEMA_MS, "600000");
            String name = fault.name();
            try (TrainerService s =
                    started(TrainerConfig.of(settings, dir.resolve(name)).withGroup(name))) {
                LabelLine.await("it is said", () -> waits().size() == 1);
                int asked = front.faults();
                LabelLine.await("asked again", () -> front.faults() > asked);
                assertThat(s.failure()).isEmpty();
                assertThat(s.counts()).containsEntry(LabelCounters.REFUSED, 0L);

                front.answer(null);

                awaitCounts(s, Map.of(LabelCounters.NORMAL, 1L));
                assertThat(s.counts()).containsEntry(LabelCounters.REFUSED, 0L);
                assertThat(waits()).hasSize(1);
            }
        }
    }

    @Test
    void shouldRejectALabelWhoseSchemaStaysUnknown() throws Exception {
        FrameRef ref = line.frame("flange", SimulatedFrame.GOOD, 1);
        byte[] value = {0, 0, 1, 0, 0, 2, 4};
        line.send(FrameKeys.of(ref), value);
        line.label(ref, LabelKind.NORMAL, null, "ann");
        Map<String, String> settings = new HashMap<>(line.settings);
        settings.put(RecordDecoder.UNKNOWN_SCHEMA_MS, "1000");
        try (TrainerService s =
                started(TrainerConfig.of(settings, dir.resolve("unknown")).withGroup("unknown"))) {
            awaitCounts(s, Map.of(LabelCounters.NORMAL, 1L, LabelCounters.REFUSED, 1L));
            assertThat(waits()).singleElement().asString().contains("does not know schema id 65536");
        }
    }

    @Test
    void shouldReadFramesAndLabelsWhoseSchemaIsNamedInAHeader() throws Exception {
        FrameRef known = line.frame("flange", SimulatedFrame.GOOD, 1);
        FrameRef late = new FrameRef(known.getTopic(), known.getPartition(), known.getOffset() + 1);
        // Their schemas are registered by now.
        byte[] label = line.serialized(line.says(late, LabelKind.NORMAL, null, "ann"));
        line.sendWithHeader(line.topics.labels().name(), FrameKeys.of(late), label);
        try (TrainerService s = started(config)) {
            awaitCounts(s, Map.of(LabelCounters.WAITING, 1L));
            assertThat(line.frameWithHeader("flange", SimulatedFrame.GOOD, 2)).isEqualTo(late);
            awaitCounts(s, Map.of(LabelCounters.NORMAL, 1L));
            assertThat(s.counts()).containsEntry(LabelCounters.REFUSED, 0L);
        }
    }

    @Test
    void shouldRejectLabelOnceThoughAnotherPartitionIsStoredFirst() throws Exception {
        FrameRef a = line.frame("flange", SimulatedFrame.GOOD, 1);
        FrameRef b = line.frame("flange", SimulatedFrame.GOOD, 2);
        AtomicBoolean away = new AtomicBoolean(true);
        try (AvroSerde<FrameLabel> real = AvroSerde.of(FrameLabel.class, line.settings, false);
                DatasetStore store = DatasetStore.open(config.store());
                FrameFetcher fetcher = new FrameFetcher(
                        line.settings, line.topics, DecodeSettings.defaults(), Duration.ofSeconds(20))) {
            String topic = line.topics.labels().name();
            // A registry that is asked for the second label of partition 0 and does not answer.
            Deserializer<FrameLabel> asking = (t, value) -> {
                FrameLabel label = real.deserializer().deserialize(t, value);
                if (away.get() && label.getFrameRef().equals(a)) throw RegistryException.unreachable("away", null);
                return label;
            };
            LabelCounters counts = new LabelCounters();
            LabelConsumer consumer = new LabelConsumer(
                    store,
                    fetcher,
                    new LabelDecoder(
                            RecordDecoder.over(Serdes.serdeFrom(real.serializer(), asking), line.settings),
                            topic,
                            line.topics.frames().name(),
                            Optional::empty),
                    Duration.ofMinutes(1),
                    counts,
                    Clock.systemUTC());
            List<ConsumerRecord<String, byte[]>> first = List.of(
                    new ConsumerRecord<>(topic, 0, 0, FrameKeys.of(a), new byte[] {1, 2, 3}),
                    new ConsumerRecord<>(
                            topic,
                            0,
                            1,
                            FrameKeys.of(a),
                            real.serializer().serialize(topic, line.says(a, LabelKind.NORMAL, null, "ann"))));
            List<ConsumerRecord<String, byte[]>> second = List.of(new ConsumerRecord<>(
                    topic,
                    1,
                    0,
                    FrameKeys.of(b),
                    real.serializer().serialize(topic, line.says(b, LabelKind.NORMAL, null, "ann"))));
            assertThatThrownBy(() -> consumer.consume(first)).isInstanceOf(RegistryException.class);
            assertThat(counts.snapshot())
                    .containsEntry(LabelCounters.REFUSED, 1L)
                    .containsEntry(LabelCounters.NORMAL, 0L);
            assertThat(consumer.consume(second)).isEqualTo(1);
            away.set(false);
            assertThat(consumer.consume(first)).isEqualTo(1);
            assertThat(counts.snapshot())
                    .containsEntry(LabelCounters.REFUSED, 1L)
                    .containsEntry(LabelCounters.NORMAL, 2L);
        }
    }

    private List<String> waits() {
        return events.stream()
                .filter(e -> e.kind() == TrainerEvent.Kind.WAITING)
                .map(TrainerEvent::message)
                .toList();
    }

    static InspectionResult result(FrameRef ref, Verdict verdict, float score) {
        Instant now = Instant.now().truncatedTo(java.time.temporal.ChronoUnit.MICROS);
        return InspectionResult.newBuilder()
                .setResultId(FrameKeys.of(ref))
                .setFrameRef(ref)
                .setFrameId("f")
                .setCameraId("cam-flange")
                .setProduct("flange")
                .setScore(score)
                .setRawScore(score)
                .setThreshold(0.5f)
                .setVerdict(verdict)
                .setReason(null)
                .setModelVersion("v")
                .setCapturedAt(now)
                .setScoredAt(now)
                .setTimings(new StageTimings(0L, 0L, 0L, 1))
                .setRegions(List.of())
                .build();
    }
}
