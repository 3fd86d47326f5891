package io.linesight.trainer.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.model.MapKind;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import io.linesight.standalone.embedded.EmbeddedKafka;
import io.linesight.standalone.embedded.EmbeddedRegistry;
import io.linesight.standalone.simulator.SimulatedFrame;
import io.linesight.trainer.data.ImageSource;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.gate.GateConfig;
import io.linesight.trainer.service.TrainerConfig.Triggers;
import io.linesight.trainer.service.TrainerEvent.Kind;
import io.linesight.trainer.store.DatasetStore;
import io.linesight.trainer.store.Picture;
import io.linesight.trainer.store.Side;
import io.linesight.trainer.store.StoreConfig;
import io.linesight.trainer.store.StoreException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The trainer on a real broker, with a tiny network and short runs: what counts is that every step happens, once, and not how good it gets. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class TrainerServiceIT {
    private static final int NORMALS = 18;
    private static final int DEFECTS = 6;
    private static final TrainerService.Timing QUICK = new TrainerService.Timing(200, 200);

    @TempDir
    Path dir;
    private EmbeddedKafka kafka;
    private EmbeddedRegistry registry;
    private LabelLine line;
    private Path champion;
    private String championVersion;
    private final List<FrameRef> normals = new ArrayList<>();

    /** Something that a run does not survive, and that nobody catches by mistake. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    private record Offer(ModelVersion draft, String sha256) { }

    /** Remembers what it was given. */
    private static final class Sink implements ChallengerSink {
        final List<Offer> offers = new CopyOnWriteArrayList<>();

        @Override
        public void offer(Path checkpoint, ModelVersion draft) throws IOException {
            offers.add(new Offer(draft, RunFolder.sha256(checkpoint)));
        }
    }

    private static ImageSource parts(Map<String, Integer> counts) {
        return new ImageSource() {
            @Override
            public String name() {
                return "simulated";
            }

            @Override
            public List<String> categories() {
                return counts.keySet().stream().sorted().toList();
            }

            @Override
            public List<Sample> train(String category) {
                return IntStream.range(0, counts.get(category)).mapToObj(i -> Sample.normal("" + i, () -> LabelLine.part(category, SimulatedFrame.GOOD, 1000 + i).image())).toList();
            }
        };
    }

    /** A champion that knows flange and fabric, and labels for flanges. */
    @BeforeAll
    void startLine(@TempDir Path platform) throws Exception {
        kafka = EmbeddedKafka.in(platform.resolve("kafka")).start();
        registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
        line = new LabelLine(kafka, registry, "trainer");
        champion = platform.resolve("champion.onnx");
        Fit.run(FitOptions.builder().source(parts(Map.of("flange", 8, "fabric", 8))).preset("tiny").map(MapKind.COSINE).epochs(1).batch(4).out(champion).progress(new PrintStream(new ByteArrayOutputStream())).build());
        championVersion = Checkpoints.readInfo(champion).version();
        for (int i = 0; i < NORMALS; i++) {
            FrameRef ref = line.frame("flange", SimulatedFrame.GOOD, i);
            normals.add(ref);
            line.label(ref, LabelKind.NORMAL, null, "ann");
        }
        for (int i = 0; i < DEFECTS; i++) line.label(line.frame("flange", "scratch", i), LabelKind.ANOMALOUS, LabelLine.mask("flange", "scratch", i), "ann");
    }

    @AfterAll
    void stopLine() {
        line.close();
        registry.close();
        kafka.close();
    }

    private TrainerConfig config(String name) throws Exception {
        TrainerConfig c = TrainerConfig.of(line.settings, dir.resolve(name)).withGroup(name).withInstance(name).withGate(new GateConfig(1, 2, 1, 1, Set.of()));
        c = c.withStore(StoreConfig.in(dir.resolve(name).resolve("store")).withShares(0.3, 0.2)).withTuning(new TrainerConfig.Tuning(0, 1, 0.0005, 4, 0, 8, 4, 6, 1));
        try (DatasetStore store = DatasetStore.open(c.store())) {
            store.importFrom(parts(Map.of("fabric", 14)), "import");
        }
        return c;
    }

    private TrainerService service(TrainerConfig c, ChallengerSink sink, List<TrainerEvent> events, Faults faults) throws IOException {
        TrainerService s = new TrainerService(c, channel -> Optional.of(new Champion(championVersion, champion)), sink, events::add, faults, QUICK);
        s.start();
        return s;
    }

    @Test
    void shouldLearnFromLabelsAndHandOverAJudgedChallenger() throws Exception {
        Sink sink = new Sink();
        List<TrainerEvent> events = new CopyOnWriteArrayList<>();
        TrainerConfig c = config("learns").withTriggers(new Triggers(NORMALS, null));
        List<Picture> pictures;
        try (TrainerService s = service(c, sink, events, Faults.NONE)) {
            LabelLine.await("a challenger", 120, () -> !sink.offers.isEmpty() || s.failure().isPresent() || events.stream().anyMatch(e -> e.kind() == Kind.RUN_FAILED));
            assertThat(s.failure()).isEmpty();
            assertThat(s.counts()).containsEntry(Counts.NORMAL, (long) NORMALS).containsEntry(Counts.ANOMALOUS, (long) DEFECTS);
            pictures = s.store().pictures().stream().filter(p -> p.product().equals("flange")).toList();
            LabelLine.await("the end", 10, () -> events.stream().anyMatch(e -> e.kind() == Kind.RUN_FINISHED));
        }
        assertThat(sink.offers).hasSize(1);
        Offer offer = sink.offers.get(0);
        ModelVersion draft = offer.draft;
        assertThat(offer.sha256).isEqualTo(draft.getSha256());
        assertThat(draft.getParent()).isEqualTo(championVersion);
        assertThat(draft.getChannel()).isEqualTo("default");
        assertThat(draft.getCreatedBy()).isEqualTo("learns");
        assertThat(draft.getDataset().getFingerprint()).hasSize(64);
        assertThat(draft.getDataset().getNormals()).isGreaterThan(4);
        assertThat(draft.getGate().getAgainst()).isEqualTo(championVersion);
        assertThat(draft.getGate().getOutcome()).isEqualTo(GateOutcome.PASSED);
        assertThat(draft.getGate().getReason()).contains("flange: false alarms");
        ProductMetrics flange = draft.getProducts().stream().filter(p -> p.getProduct().equals("flange")).findFirst().orElseThrow();
        assertThat(flange.getNormals()).isEqualTo((int) Math.min(6, pictures.stream().filter(p -> p.side() == Side.HELD_OUT && !p.anomalous()).count())).isPositive();
        assertThat(flange.getAnomalous()).isEqualTo((int) Math.min(6, pictures.stream().filter(p -> p.side() == Side.HELD_OUT && p.anomalous()).count())).isPositive();
        assertThat(flange.getFalseAlarmRate()).isBetween(0.0, 1.0);
        assertThat(flange.getParentImageAuroc()).isBetween(0.0, 1.0);
        assertThat(draft.getProducts()).extracting(ProductMetrics::getProduct).containsExactly("fabric", "flange");
        assertThat(events).extracting(TrainerEvent::kind).containsSubsequence(Kind.WORKING, Kind.RUN_STARTED, Kind.STAGE_DONE, Kind.VERDICT, Kind.RUN_FINISHED);

        Path file = Files.list(dir.resolve("learns/runs")).findFirst().orElseThrow().resolve("challenger.onnx");
        CheckpointInfo info = Checkpoints.readInfo(file);
        assertThat(info.version()).isEqualTo(draft.getVersion());
        assertThat(info.sha256()).isEqualTo(draft.getSha256());
        assertThat(Files.size(file)).isEqualTo(draft.getBytes());
        assertThat(info.calibration().byProduct()).containsOnlyKeys("fabric", "flange");
        assertThat(flange.getThreshold()).isEqualTo(info.calibration().forProduct("flange").threshold());

        // Nothing is new: no other run begins, also not after a restart.
        try (TrainerService s = service(c, sink, events, Faults.NONE)) {
            LabelLine.await("working", 30, s::working);
            Thread.sleep(1500);
            assertThat(s.running()).isFalse();
        }
        assertThat(sink.offers).hasSize(1);
    }

    @Test
    void shouldGoOnAfterBeingKilledInEveryStage() throws Exception {
        Sink sink = new Sink();
        List<TrainerEvent> events = new CopyOnWriteArrayList<>();
        TrainerConfig c = config("killed");
        Map<String, Integer> reached = new HashMap<>();
        Faults once = point -> {
            synchronized (reached) {
                // Killed after the work of a stage and before its note, the first time it gets there.
                if (reached.merge(point, 1, Integer::sum) == 1) throw new Killed();
            }
        };
        int lives = 0;
        for (boolean done = false; !done && lives < 10; lives++) {
            try (TrainerService s = service(c, sink, events, once)) {
                if (lives == 0) s.trigger();
                LabelLine.await("the end of life " + lives, 120, () -> s.failure().isPresent() || events.stream().anyMatch(e -> e.kind() == Kind.RUN_FINISHED || e.kind() == Kind.RUN_FAILED));
                s.failure().ifPresent(f -> assertThat(f).isInstanceOf(Killed.class));
                done = s.failure().isEmpty();
            }
        }
        assertThat(events).noneMatch(e -> e.kind() == Kind.RUN_FAILED);
        assertThat(lives).isEqualTo(Stage.values().length + 1);
        assertThat(reached).as("a stage that was noted is not done again").isEqualTo(Map.of("FETCH", 2, "TRAIN", 2, "CALIBRATE", 2, "GATE", 2, "OFFER", 2));
        assertThat(events.stream().filter(e -> e.kind() == Kind.RUN_STARTED).map(TrainerEvent::run).distinct()).as("one run").hasSize(1);
        assertThat(sink.offers).as("killed between handing over and its note: twice, and the same").hasSize(2);
        assertThat(sink.offers.get(0).draft).isEqualTo(sink.offers.get(1).draft);
        assertThat(sink.offers).allSatisfy(o -> assertThat(o.sha256).isEqualTo(o.draft.getSha256()));
    }

    @Test
    void shouldNeverHandOverAFileThatIsNotTheOneThatWasJudgedNorComparedWithAnotherChampion() throws Exception {
        Sink sink = new Sink();
        List<TrainerEvent> events = new CopyOnWriteArrayList<>();
        TrainerConfig c = config("torn");
        AtomicInteger gates = new AtomicInteger();
        Faults afterGate = point -> {
            if (point.equals("GATE") && gates.incrementAndGet() == 1) throw new Killed();
        };
        try (TrainerService s = service(c, sink, events, afterGate)) {
            s.trigger();
            LabelLine.await("the kill", 120, () -> s.failure().isPresent() || events.stream().anyMatch(e -> e.kind() == Kind.RUN_FAILED));
            assertThat(events).noneMatch(e -> e.kind() == Kind.RUN_FAILED);
        }
        Path run = Files.list(dir.resolve("torn/runs")).findFirst().orElseThrow();
        byte[] whole = Files.readAllBytes(run.resolve("challenger.onnx"));
        byte[] note = Files.readAllBytes(run.resolve("run.json"));
        Files.write(run.resolve("challenger.onnx"), java.util.Arrays.copyOf(whole, whole.length / 2));
        ChampionSource none = channel -> Optional.empty();
        try (TrainerService s = new TrainerService(c, none, sink, events::add, Faults.NONE, QUICK)) {
            s.start();
            // The torn one is given up, and another begun at once; that one finds no champion.
            LabelLine.await("both ends", 60, () -> given(events).size() == 2 || s.failure().isPresent());
        }
        assertThat(given(events).get(0)).contains("challenger.onnx", "not the one", "begins anew");
        assertThat(given(events).get(1)).contains("no champion");

        // The same run, whole, but the champion has changed while it rested.
        Files.write(run.resolve("challenger.onnx"), whole);
        Files.write(run.resolve("run.json"), note);
        events.clear();
        AtomicInteger begun = new AtomicInteger();
        Faults atTheNext = point -> {
            if (point.equals("FETCH")) {
                begun.incrementAndGet();
                throw new Killed();
            }
        };
        try (TrainerService s = new TrainerService(c, channel -> Optional.of(new Champion("another", champion)), sink, events::add, atTheNext, QUICK)) {
            s.start();
            LabelLine.await("the next run", 120, () -> s.failure().isPresent());
        }
        assertThat(given(events)).singleElement().asString().contains("champion is no longer " + championVersion + " but another", "begins anew");
        assertThat(begun).as("a new run, from the new champion").hasValue(1);
        assertThat(sink.offers).isEmpty();
    }

    private static List<String> given(List<TrainerEvent> events) {
        return events.stream().filter(e -> e.kind() == Kind.RUN_FAILED).map(TrainerEvent::message).toList();
    }

    @Test
    void shouldLetExactlyOneWorkAndFenceTheOtherOff() throws Exception {
        Sink firstSink = new Sink();
        Sink secondSink = new Sink();
        List<TrainerEvent> firstEvents = new CopyOnWriteArrayList<>();
        List<TrainerEvent> secondEvents = new CopyOnWriteArrayList<>();
        // Whoever does not poll for so long is taken for dead.
        Map<String, String> impatient = new HashMap<>(line.settings);
        impatient.put("max.poll.interval.ms", "3000");
        impatient.put("session.timeout.ms", "6000");
        TrainerConfig plain = config("first");
        TrainerConfig first = new TrainerConfig(impatient, plain.channel(), "lease", "first", plain.folder(), plain.store(), plain.triggers(), plain.tuning(), plain.sampling(), plain.gate(), plain.lateFrames());
        TrainerConfig other = config("second");
        TrainerConfig second = new TrainerConfig(impatient, other.channel(), "lease", "second", other.folder(), other.store(), other.triggers(), other.tuning(), other.sampling(), other.gate(), other.lateFrames());
        CountDownLatch judged = new CountDownLatch(1);
        CountDownLatch hang = new CountDownLatch(1);
        CountDownLatch hung = new CountDownLatch(1);
        Faults waitAtTheGate = point -> {
            if (!point.equals("GATE")) return;
            judged.countDown();
            awaitQuietly(hang);
        };
        TrainerService a = new TrainerService(first, channel -> Optional.of(new Champion(championVersion, champion)), firstSink, e -> {
            firstEvents.add(e);
            // Labels are told of on the thread that polls: this is how a trainer hangs.
            if (e.kind() == Kind.LABELS && judged.getCount() == 0) {
                hung.countDown();
                awaitQuietly(hang);
            }
        }, waitAtTheGate, QUICK);
        try (TrainerService opened = a) {
            a.start();
            LabelLine.await("the first works", 30, a::working);
            assertThatThrownBy(() -> service(first.withGroup("elsewhere"), firstSink, firstEvents, Faults.NONE)).isInstanceOf(StoreException.class).hasMessageContaining("another process");
            // Without a champion its run ends at once, and that is enough to see when it begins.
            try (TrainerService b = new TrainerService(second, channel -> Optional.empty(), secondSink, secondEvents::add, Faults.NONE, QUICK)) {
                b.start();
                Thread.sleep(4000);
                assertThat(a.working()).isTrue();
                assertThat(b.working()).as("stands by").isFalse();
                b.trigger();
                Thread.sleep(1000);
                assertThat(b.running()).as("also when asked").isFalse();

                a.trigger();
                assertThat(judged.await(120, TimeUnit.SECONDS)).isTrue();
                line.label(normals.get(0), LabelKind.NORMAL, null, "bob");
                assertThat(hung.await(30, TimeUnit.SECONDS)).isTrue();
                // The first hangs with a finished challenger in its hands; the group gives the work to the second.
                LabelLine.await("the second works", 40, b::working);
                hang.countDown();
                LabelLine.await("the first knows", 40, () -> !a.working() && !a.running());
                assertThat(firstSink.offers).as("fenced off").isEmpty();
                assertThat(firstEvents).noneMatch(e -> e.kind() == Kind.RUN_FINISHED);
                LabelLine.await("what the second was asked for", 60, () -> !given(secondEvents).isEmpty());
                assertThat(a.working()).isFalse();
            }
            // The second has left in order: the first works again, and goes on with the run that rested.
            LabelLine.await("the first works again", 40, a::working);
            LabelLine.await("its challenger", 60, () -> !firstSink.offers.isEmpty());
            assertThat(a.failure()).isEmpty();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await(120, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void shouldSayWhyARunDoesNotBegin() throws Exception {
        Sink sink = new Sink();
        List<TrainerEvent> events = new CopyOnWriteArrayList<>();
        TrainerConfig c = TrainerConfig.of(line.settings, dir.resolve("refuses")).withGroup("refuses");
        Files.createDirectories(c.folder());
        Files.writeString(c.folder().resolve("train.now"), "");
        ChampionSource none = channel -> Optional.empty();
        try (TrainerService s = new TrainerService(c, none, sink, events::add, Faults.NONE, QUICK)) {
            s.start();
            LabelLine.await("no champion", 40, () -> events.stream().anyMatch(e -> e.kind() == Kind.RUN_FAILED));
            assertThat(events.get(events.size() - 1).message()).contains("channel 'default' has no champion");
            assertThat(c.folder().resolve("train.now")).doesNotExist();
        }
        events.clear();
        try (TrainerService s = service(c, sink, events, Faults.NONE)) {
            s.trigger();
            LabelLine.await("fabric would be forgotten", 40, () -> events.stream().anyMatch(e -> e.kind() == Kind.RUN_FAILED));
            assertThat(events.get(events.size() - 1).message()).contains("knows fabric", "would forget");
            Thread.sleep(1000);
            assertThat(events.stream().filter(e -> e.kind() == Kind.RUN_FAILED)).as("not again and again").hasSize(1);
        }
        assertThat(sink.offers).isEmpty();
    }

    @Test
    void shouldPutChallengersIntoAFolderByTheirVerdict() throws Exception {
        FolderSink sink = new FolderSink(dir.resolve("out"));
        ModelVersion.Builder draft = ModelVersion.newBuilder().setChannel("default").setSha256("00").setBytes(1L).setCreatedAt(java.time.Instant.EPOCH).setCreatedBy("t").setParent(null)
                .setDataset(new io.linesight.schemas.DatasetSummary("", 0, 0));
        sink.offer(champion, draft.setVersion("good").setGate(new io.linesight.schemas.GateVerdict(GateOutcome.PASSED, "", 0.0, null)).build());
        sink.offer(champion, draft.setVersion("bad").setGate(new io.linesight.schemas.GateVerdict(GateOutcome.FAILED, "flange fell", 0.0, null)).build());
        sink.offer(champion, draft.setVersion("bad").setGate(new io.linesight.schemas.GateVerdict(GateOutcome.FAILED, "flange fell", 0.0, null)).build());
        assertThat(dir.resolve("out/good.onnx")).hasSameBinaryContentAs(champion);
        assertThat(dir.resolve("out/not-passed/bad.onnx")).exists();
        assertThat(dir.resolve("out/bad.onnx")).doesNotExist();
        assertThat(Files.readString(dir.resolve("out/not-passed/bad.json"))).contains("flange fell");
        Path replaced = dir.resolve("champion.onnx");
        FileChampion source = new FileChampion(replaced);
        assertThat(source.current("default")).isEmpty();
        Files.copy(champion, replaced, StandardCopyOption.REPLACE_EXISTING);
        assertThat(source.current("default").orElseThrow().version()).isEqualTo(championVersion);
    }
}
