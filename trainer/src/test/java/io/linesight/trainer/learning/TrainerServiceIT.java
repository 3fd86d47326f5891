package io.linesight.trainer.learning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.embedded.SharedPlatform;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.io.Sha256;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GatedProduct;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import io.linesight.schemas.TrainingStage;
import io.linesight.schemas.TrainingStatus;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.Split;
import io.linesight.trainer.imagestore.StoredImage;
import io.linesight.trainer.learning.TrainerConfig.Triggers;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.common.GroupState;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The trainer on a real broker, with a tiny network and short runs: what counts is that every step happens, once, and
 * not how good it gets.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class TrainerServiceIT {
    private static final int NORMALS = 18;
    private static final int DEFECTS = 6;
    static final int FABRICS = 14;
    private static final TrainerService.Timing QUICK = TrainerProcess.QUICK;
    /** The trainer looks for work at every poll, five times a second. */
    private static final Duration SOME_POLLS = Duration.ofMillis(1_000);

    /** Of one test. */
    @TempDir
    Path dir;
    /** Of all. */
    private Path platform;

    private LabelLine line;
    private Path champion;
    private String championVersion;
    private final List<FrameRef> normals = new ArrayList<>();
    /** Labels that say normal; some tests add theirs. */
    private int words;

    /** Something that a run does not survive, and that nobody catches by mistake. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    private record Offer(ModelVersion draft, String sha256) {}

    /** Remembers what it was given. */
    private static final class Sink implements ChallengerSink {
        final List<Offer> offers = new CopyOnWriteArrayList<>();

        @Override
        public void offer(Path checkpoint, ModelVersion draft) throws IOException {
            offers.add(new Offer(draft, Sha256.hex(checkpoint)));
        }
    }

    static ImageSource parts(Map<String, Integer> counts) {
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
                return IntStream.range(0, counts.get(category))
                        .mapToObj(
                                i -> Sample.normal("" + i, () -> LabelLine.part(category, SimulatedFrame.GOOD, 1000 + i)
                                        .image()))
                        .toList();
            }
        };
    }

    /** A champion that knows flange and fabric, and labels for flanges. */
    @BeforeAll
    void startLine(@TempDir Path platform) throws Exception {
        this.platform = platform;
        line = new LabelLine(SharedPlatform.kafka(), SharedPlatform.registry(), "trainer");
        champion = platform.resolve("champion.onnx");
        Fit.run(FitOptions.of(parts(Map.of("flange", 8, "fabric", 8)), champion)
                .network(n -> n.withPreset("tiny").withMap(MapKind.COSINE).withFinestStride(16))
                .training(t -> t.withEpochs(1).withBatch(4))
                .session(s -> s.withProgress(new PrintStream(new ByteArrayOutputStream()))));
        championVersion = Checkpoint.read(champion).info().version();
        for (int i = 0; i < NORMALS; i++) {
            FrameRef ref = line.frame("flange", SimulatedFrame.GOOD, i);
            normals.add(ref);
            line.label(ref, LabelKind.NORMAL, null, "ann");
            words++;
        }
        for (int i = 0; i < DEFECTS; i++)
            line.label(
                    line.frame("flange", "scratch", i),
                    LabelKind.ANOMALOUS,
                    LabelLine.mask("flange", "scratch", i),
                    "ann");
    }

    @AfterAll
    void stopLine() {
        line.close();
    }

    private TrainerConfig config(Path folder) throws Exception {
        TrainerConfig c = TrainerProcess.config(line.settings, folder, 1);
        try (DatasetStore store = DatasetStore.open(c.store())) {
            store.importFrom(parts(Map.of("fabric", FABRICS)), "import");
        }
        return c;
    }

    private TrainerService service(
            TrainerConfig c, ChallengerSink sink, List<TrainerEvent> events, FaultInjector faults) throws IOException {
        TrainerService s = new TrainerService(
                c, channel -> Optional.of(new Champion(championVersion, champion)), sink, events::add, faults, QUICK);
        s.start();
        return s;
    }

    /**
     * A trainer that learned from the labels and was killed on its way to handing over; made at the first call, since
     * training takes long.
     */
    private Path judged() throws Exception {
        Path folder = platform.resolve("judged");
        if (Files.exists(folder)) return folder;
        List<TrainerEvent> events = new CopyOnWriteArrayList<>();
        ChallengerSink killing = (file, draft) -> {
            throw new Killed();
        };
        try (TrainerService s = service(
                config(folder).withTriggers(new Triggers(NORMALS, null)), killing, events, FaultInjector.NONE)) {
            LabelLine.await(
                    "the kill",
                    () -> s.failure().isPresent() || events.stream().anyMatch(e -> e.kind() == Kind.RUN_FAILED));
            assertThat(s.failure()).containsInstanceOf(Killed.class);
            assertThat(s.counts())
                    .containsEntry(LabelCounters.NORMAL, (long) NORMALS)
                    .containsEntry(LabelCounters.ANOMALOUS, (long) DEFECTS);
        }
        assertThat(events)
                .extracting(TrainerEvent::kind)
                .containsSubsequence(Kind.WORKING, Kind.LABELS, Kind.RUN_STARTED, Kind.STAGE_DONE, Kind.VERDICT)
                .doesNotContain(Kind.RUN_FINISHED, Kind.RUN_FAILED);
        return folder;
    }

    /** A copy of it under a name of its own. */
    private TrainerConfig judged(String name) throws Exception {
        Path from = judged();
        Path to = dir.resolve(name);
        try (Stream<Path> files = Files.walk(from)) {
            for (Path f : files.toList())
                Files.copy(f, to.resolve(from.relativize(f).toString()));
        }
        return TrainerProcess.config(line.settings, to, 1);
    }

    private static Path onlyRun(TrainerConfig c) throws IOException {
        try (Stream<Path> runs = Files.list(c.folder().resolve("runs"))) {
            List<Path> all = runs.toList();
            assertThat(all).hasSize(1);
            return all.get(0);
        }
    }

    @Test
    void shouldLearnFromLabelsAndHandOverAJudgedChallenger() throws Exception {
        Sink sink = new Sink();
        List<TrainerEvent> events = new CopyOnWriteArrayList<>();
        TrainerConfig c = judged("learns").withTriggers(new Triggers(NORMALS, null));
        List<StoredImage> images;
        try (TrainerService s = service(c, sink, events, FaultInjector.NONE)) {
            LabelLine.await(
                    "the end",
                    () -> events.stream().anyMatch(e -> e.kind() == Kind.RUN_FINISHED || e.kind() == Kind.RUN_FAILED)
                            || s.failure().isPresent());
            assertThat(s.failure()).isEmpty();
            images = s.store().images().stream()
                    .filter(p -> p.product().equals("flange"))
                    .toList();
        }
        assertThat(sink.offers).hasSize(1);
        Offer offer = sink.offers.get(0);
        ModelVersion draft = offer.draft;
        assertThat(offer.sha256).isEqualTo(draft.getSha256());
        assertThat(draft.getParent()).isEqualTo(championVersion);
        assertThat(draft.getChannel()).isEqualTo("default");
        assertThat(draft.getCreatedBy()).isEqualTo("judged");
        assertThat(draft.getDataset().getFingerprint()).hasSize(64);
        assertThat(draft.getDataset().getNormals()).isGreaterThan(4);
        assertThat(draft.getGate().getAgainst()).isEqualTo(championVersion);
        assertThat(draft.getGate().getOutcome()).isEqualTo(GateOutcome.PASSED);
        assertThat(draft.getGate().getReason()).contains("flange: false alarms");
        ProductMetrics flange = draft.getProducts().stream()
                .filter(p -> p.getProduct().equals("flange"))
                .findFirst()
                .orElseThrow();
        assertThat(flange.getNormals())
                .isEqualTo((int) Math.min(
                        TrainerProcess.MEASURED,
                        images.stream()
                                .filter(p -> p.split() == Split.HELD_OUT && !p.anomalous())
                                .count()))
                .isPositive();
        assertThat(flange.getAnomalous())
                .isEqualTo((int) Math.min(
                        TrainerProcess.MEASURED,
                        images.stream()
                                .filter(p -> p.split() == Split.HELD_OUT && p.anomalous())
                                .count()))
                .isPositive();
        assertThat(flange.getFalseAlarmRate()).isBetween(0.0, 1.0);
        assertThat(flange.getParentImageAuroc()).isBetween(0.0, 1.0);
        assertThat(draft.getProducts()).extracting(ProductMetrics::getProduct).containsExactly("fabric", "flange");
        assertThat(events)
                .extracting(TrainerEvent::kind)
                .as("resumes where it was")
                .containsSubsequence(Kind.WORKING, Kind.RUN_STARTED, Kind.RUN_FINISHED)
                .doesNotContain(Kind.STAGE_DONE, Kind.VERDICT);

        Path file = onlyRun(c).resolve("challenger.onnx");
        CheckpointInfo info = Checkpoint.read(file).info();
        assertThat(info.version()).isEqualTo(draft.getVersion());
        assertThat(info.sha256()).isEqualTo(draft.getSha256());
        assertThat(Files.size(file)).isEqualTo(draft.getBytes());
        assertThat(info.calibration().byProduct()).containsOnlyKeys("fabric", "flange");
        assertThat(flange.getThreshold())
                .isEqualTo(info.calibration().forProduct("flange").threshold());
        shouldHavePublishedWhatItDid(draft);

        // Nothing is new: no other run begins, also not after a restart.
        try (TrainerService s = service(c, sink, events, FaultInjector.NONE)) {
            LabelLine.await("working", s::working);
            LabelLine.neverWithin(SOME_POLLS, "another run", s::running);
        }
        assertThat(sink.offers).hasSize(1);
    }

    private void shouldHavePublishedWhatItDid(ModelVersion draft) {
        List<TrainingStatus> said = line.trainingStatuses().stream()
                .filter(s -> draft.getVersion().equals(s.getVersion()))
                .toList();
        TrainingStatus last = said.get(said.size() - 1);
        assertThat(last.getStage()).isEqualTo(TrainingStage.PASSED);
        assertThat(last.getTrainer()).isEqualTo("learns");
        assertThat(last.getChampion()).isEqualTo(championVersion);
        assertThat(last.getVerdict()).contains("PASSED", "flange: false alarms");
        assertThat(last.getStep()).isPositive();
        assertThat(last.getLosses()).hasSizeBetween(1, 200);
        assertThat(last.getLoss()).isFinite();
        assertThat(last.getProducts()).extracting(GatedProduct::getProduct).containsExactly("fabric", "flange");
        assertThat(last.getProducts().get(1).getChampionImageAuroc()).isBetween(0.0, 1.0);
        assertThat(last.getLabels()).containsKey("labels.normal");
        assertThat(last.getMessage()).contains("handed over");
        assertThat(said).extracting(TrainingStatus::getStage).contains(TrainingStage.PUBLISHING);
    }

    /** Waits for the end of a trainer's life and says what its exit code was. */
    private static int endOf(Process life, Path folder) throws Exception {
        try {
            assertThat(life.waitFor(120, TimeUnit.SECONDS))
                    .as("still alive:\n%s", Files.readString(TrainerProcess.log(folder)))
                    .isTrue();
            return life.exitValue();
        } finally {
            life.destroyForcibly();
        }
    }

    @Test
    @Tag("full")
    @Timeout(600)
    void shouldResumeAfterProcessDiesInAnyStage() throws Exception {
        Path folder = config(dir.resolve("dies")).folder();
        Path log = TrainerProcess.log(folder);
        Map<String, String> settings = new HashMap<>(line.settings);
        // The group takes a member that comes back under its name for the dead one, at once.
        settings.put("group.instance.id", "dies");
        Files.writeString(folder.resolve("train.now"), "");

        // After the work of the first stage and before its note.
        assertThat(endOf(TrainerProcess.start(settings, folder, champion, "FETCH", 1), folder))
                .as("%s", Files.readString(log))
                .isEqualTo(TrainerProcess.HALTED);
        assertThat(folder.resolve("train.now")).as("asked for and begun").doesNotExist();
        TrainerConfig c = TrainerProcess.config(settings, folder, 1);
        Path run = onlyRun(c);
        // In the middle of a long training, from outside.
        Process killed = TrainerProcess.start(settings, folder, champion, TrainerProcess.NOWHERE, 1000);
        Path steps = run.resolve("trained.metrics.jsonl");
        try {
            LabelLine.await("the first steps of the training", () -> {
                try {
                    return !killed.isAlive() || Files.exists(steps) && Files.size(steps) > 0;
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } finally {
            killed.destroyForcibly();
        }
        assertThat(endOf(killed, folder)).as("%s", Files.readString(log)).isEqualTo(TrainerProcess.HALTED);
        assertThat(names(run))
                .as("what the training left")
                .anyMatch(n -> n.startsWith("linesight-features-"))
                .doesNotContain("trained.onnx");

        for (String stage : List.of("TRAIN", "CALIBRATE", "GATE", "OFFER")) {
            assertThat(endOf(TrainerProcess.start(settings, folder, champion, stage, 1), folder))
                    .as("halted at %s:\n%s", stage, Files.readString(log))
                    .isEqualTo(TrainerProcess.HALTED);
        }
        assertThat(endOf(TrainerProcess.start(settings, folder, champion, TrainerProcess.NOWHERE, 1), folder))
                .as("%s", Files.readString(log))
                .isZero();

        List<List<String>> lives = TrainerProcess.diary(folder);
        assertThat(lives.stream().map(life -> of(life, "reached")))
                .as("a stage that was noted is not done again, one that was not is")
                .containsExactly(
                        List.of("FETCH"),
                        List.of("FETCH"),
                        List.of("TRAIN"),
                        List.of("TRAIN", "CALIBRATE"),
                        List.of("CALIBRATE", "GATE"),
                        List.of("GATE", "OFFER"),
                        List.of("OFFER"));
        assertThat(lives.stream().map(life -> of(life, "run")))
                .as("one run over all lives")
                .allMatch(l -> l.equals(List.of(run.getFileName().toString())));
        assertThat(lives).noneMatch(life -> life.stream().anyMatch(l -> l.startsWith("failed")));
        assertThat(onlyRun(c)).isEqualTo(run);
        assertThat(names(run))
                .as("nothing is left lying about")
                .containsExactlyInAnyOrder(
                        "run.json",
                        "pictures.json",
                        "champion.onnx",
                        "trained.onnx",
                        "trained.metrics.jsonl",
                        "challenger.onnx",
                        "draft.avro");

        List<String> offers =
                lives.stream().flatMap(life -> of(life, "offered").stream()).toList();
        assertThat(offers)
                .as("killed between handing over and its note: twice, and the same")
                .hasSize(2);
        assertThat(offers.get(0)).isEqualTo(offers.get(1));
        String[] offer = offers.get(0).split(" ");
        assertThat(offer[2]).as("the file is the one that was judged").isEqualTo(offer[1]);
        assertThat(names(folder.resolve("out"))).containsExactlyInAnyOrder(offer[0] + ".onnx", offer[0] + ".json");
        CheckpointInfo info =
                Checkpoint.read(folder.resolve("out/" + offer[0] + ".onnx")).info();
        assertThat(info.version()).isEqualTo(offer[0]);
        assertThat(info.sha256()).isEqualTo(offer[1]);
        assertThat(info.calibration().byProduct()).containsOnlyKeys("fabric", "flange");

        try (DatasetStore store = DatasetStore.open(c.store())) {
            assertThat(store.images())
                    .filteredOn(p -> p.product().equals("flange") && !p.anomalous())
                    .extracting(StoredImage::frame)
                    .containsExactlyInAnyOrderElementsOf(
                            normals.stream().map(FrameKeys::of).toList());
            assertThat(store.images())
                    .filteredOn(StoredImage::anomalous)
                    .hasSize(DEFECTS)
                    .allSatisfy(p -> assertThat(store.file(p.mask())).exists());
        }
    }

    @Test
    void shouldWaitForRoomWhereverTheDiskGetsFull() throws Exception {
        Path folder = Files.createDirectories(dir.resolve("small"));
        assumeTrue(
                FullDiskProcess.possible(folder), "no disk can be mounted here: unshare -rm is missing or not allowed");
        assertThat(endOf(FullDiskProcess.start(line.settings, folder, champion, NORMALS), folder))
                .as("%s", Files.readString(TrainerProcess.log(folder)))
                .isZero();
        List<String> diary = TrainerProcess.diary(folder).get(0);
        assertThat(diary).noneMatch(l -> l.startsWith("failed") || l.startsWith("ended"));
        assertThat(of(diary, "full"))
                .containsExactly(
                        "labels",
                        "copying the champion",
                        "before training",
                        "training",
                        "calibrating",
                        "judging",
                        "handing over");
        List<String> waits = of(diary, "waits");
        assertThat(waits).as("said once each, and gone on").hasSize(7);
        assertThat(waits.get(0)).contains("dataset store", "labels wait in Kafka, none is lost", "No space left");
        assertThat(waits.get(1)).contains("resumes after the last recorded stage", "champion.onnx", "No space left");
        assertThat(waits.get(2)).contains("training needs", "make room");
        assertThat(waits.subList(3, 6))
                .allSatisfy(w -> assertThat(w).contains("resumes after the last recorded stage", "No space left"));
        assertThat(waits.get(6)).contains("is kept and cannot be handed over now", "No space left");
        assertThat(of(diary, "reached"))
                .as("nothing half done is noted, nothing noted is done again")
                .containsExactly("FETCH", "TRAIN", "CALIBRATE", "GATE", "OFFER");
        assertThat(of(diary, "run").stream().distinct()).as("one run").hasSize(1);
        assertThat(of(diary, "picture").stream()
                        .filter(l -> l.endsWith(" normal"))
                        .map(l -> l.split(" ")[0]))
                .containsExactlyInAnyOrderElementsOf(
                        normals.stream().map(FrameKeys::of).toList());
        assertThat(of(diary, "picture").stream().filter(l -> l.endsWith(" anomalous")))
                .hasSize(DEFECTS);
        assertThat(count(diary, LabelCounters.NORMAL) + count(diary, LabelCounters.SUPERSEDED))
                .as("counted once, however often they were read")
                .isEqualTo(words);
        assertThat(count(diary, LabelCounters.ANOMALOUS)).isEqualTo(DEFECTS);
        assertThat(count(diary, LabelCounters.REFUSED)).isZero();
        String[] offer = of(diary, "offered").get(0).split(" ");
        assertThat(of(diary, "offered")).hasSize(1);
        assertThat(names(FullDiskProcess.out(folder)))
                .containsExactlyInAnyOrder(offer[0] + ".onnx", offer[0] + ".json");
        assertThat(Checkpoint.read(FullDiskProcess.out(folder).resolve(offer[0] + ".onnx"))
                        .info()
                        .sha256())
                .as("whole")
                .isEqualTo(offer[1])
                .isEqualTo(offer[2]);
    }

    private static long count(List<String> diary, String what) {
        return Long.parseLong(of(of(diary, "count"), what).get(0));
    }

    private static List<String> of(List<String> diary, String key) {
        return diary.stream()
                .filter(l -> l.startsWith(key + " "))
                .map(l -> l.substring(key.length() + 1))
                .toList();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }

    @Test
    void shouldNeverHandOverAFileThatIsNotTheOneThatWasJudgedNorComparedWithAnotherChampion() throws Exception {
        Sink sink = new Sink();
        List<TrainerEvent> events = new CopyOnWriteArrayList<>();
        TrainerConfig c = judged("torn");
        Path run = onlyRun(c);
        byte[] whole = Files.readAllBytes(run.resolve("challenger.onnx"));
        byte[] note = Files.readAllBytes(run.resolve("run.json"));
        Files.write(run.resolve("challenger.onnx"), java.util.Arrays.copyOf(whole, whole.length / 2));
        ChampionSource none = channel -> Optional.empty();
        try (TrainerService s = new TrainerService(c, none, sink, events::add, FaultInjector.NONE, QUICK)) {
            s.start();
            // The torn one is given up, and another begun at once; that one finds no champion.
            LabelLine.await(
                    "both ends", () -> given(events).size() == 2 || s.failure().isPresent());
        }
        assertThat(given(events).get(0)).contains("challenger.onnx", "not the one", "starts over");
        assertThat(given(events).get(1)).contains("no champion");

        // The same run, whole, but the champion has changed while it rested.
        Files.write(run.resolve("challenger.onnx"), whole);
        Files.write(run.resolve("run.json"), note);
        events.clear();
        AtomicInteger begun = new AtomicInteger();
        FaultInjector atTheNext = point -> {
            if (point.equals("FETCH")) {
                begun.incrementAndGet();
                throw new Killed();
            }
        };
        try (TrainerService s = new TrainerService(
                c, channel -> Optional.of(new Champion("another", champion)), sink, events::add, atTheNext, QUICK)) {
            s.start();
            LabelLine.await("the next run", () -> s.failure().isPresent());
        }
        assertThat(given(events))
                .singleElement()
                .asString()
                .contains("champion is no longer " + championVersion + " but another", "starts over");
        assertThat(begun).as("a new run, from the new champion").hasValue(1);
        assertThat(sink.offers).isEmpty();
    }

    private static List<String> given(List<TrainerEvent> events) {
        return events.stream()
                .filter(e -> e.kind() == Kind.RUN_FAILED)
                .map(TrainerEvent::message)
                .toList();
    }

    @Test
    void shouldLetExactlyOneWorkAndFenceTheOtherOff() throws Exception {
        Sink firstSink = new Sink();
        Sink secondSink = new Sink();
        List<TrainerEvent> firstEvents = new CopyOnWriteArrayList<>();
        List<TrainerEvent> secondEvents = new CopyOnWriteArrayList<>();
        // Whoever does not poll for so long is taken for dead.
        Map<String, String> impatient = new HashMap<>(line.settings);
        impatient.put("max.poll.interval.ms", "4000");
        impatient.put("session.timeout.ms", "6000");
        // Killed before the gate's verdict was noted: that is where it goes on.
        TrainerConfig plain = judged("first");
        Path note = onlyRun(plain).resolve("run.json");
        ObjectNode noted = (ObjectNode) new ObjectMapper().readTree(note.toFile());
        assertThat(((ObjectNode) noted.get("stages")).remove("GATE")).isNotNull();
        Files.writeString(note, noted.toString());
        TrainerConfig first = new TrainerConfig(
                impatient,
                plain.channel(),
                "lease",
                "first",
                plain.folder(),
                plain.store(),
                plain.triggers(),
                plain.tuning(),
                plain.sampling(),
                plain.gate(),
                plain.lateFrames());
        TrainerConfig other = config(dir.resolve("second"));
        TrainerConfig second = new TrainerConfig(
                impatient,
                other.channel(),
                "lease",
                "second",
                other.folder(),
                other.store(),
                other.triggers(),
                other.tuning(),
                other.sampling(),
                other.gate(),
                other.lateFrames());
        CountDownLatch judged = new CountDownLatch(1);
        CountDownLatch hang = new CountDownLatch(1);
        CountDownLatch hung = new CountDownLatch(1);
        FaultInjector waitAtTheGate = point -> {
            if (!point.equals("GATE")) return;
            judged.countDown();
            awaitQuietly(hang);
        };
        TrainerService a = new TrainerService(
                first,
                channel -> Optional.of(new Champion(championVersion, champion)),
                firstSink,
                e -> {
                    firstEvents.add(e);
                    // Labels are told of on the thread that polls: this is how a trainer hangs.
                    if (e.kind() == Kind.LABELS && judged.getCount() == 0) {
                        hung.countDown();
                        awaitQuietly(hang);
                    }
                },
                waitAtTheGate,
                QUICK);
        try (TrainerService opened = a) {
            a.start();
            LabelLine.await("the first works", a::working);
            // On a busy machine it may be taken for dead while it scores, and goes on: that must not happen with the
            // second at hand.
            assertThat(judged.await(120, TimeUnit.SECONDS)).isTrue();
            assertThatThrownBy(() -> service(first.withGroup("elsewhere"), firstSink, firstEvents, FaultInjector.NONE))
                    .isInstanceOf(DatasetStoreException.class)
                    .hasMessageContaining("another process");
            // Without a champion its run ends at once, and that is enough to see when it begins.
            try (TrainerService b = new TrainerService(
                    second, channel -> Optional.empty(), secondSink, secondEvents::add, FaultInjector.NONE, QUICK)) {
                b.start();
                LabelLine.await("both are in the group", () -> membersOf("lease") == 2);
                assertThat(a.working()).isTrue();
                assertThat(b.working()).as("stands by").isFalse();
                b.trigger();
                LabelLine.neverWithin(SOME_POLLS, "a run of the one that stands by", b::running);

                line.label(normals.get(0), LabelKind.NORMAL, null, "bob");
                words++;
                assertThat(hung.await(30, TimeUnit.SECONDS)).isTrue();
                // The first hangs with a finished challenger in its hands; the group gives the work to the second.
                LabelLine.await("the second works", b::working);
                hang.countDown();
                LabelLine.await("the first knows", () -> !a.working() && !a.running());
                assertThat(firstSink.offers).as("fenced off").isEmpty();
                assertThat(firstEvents).noneMatch(e -> e.kind() == Kind.RUN_FINISHED);
                LabelLine.await("what the second was asked for", () -> !given(secondEvents)
                        .isEmpty());
                assertThat(a.working()).isFalse();
            }
            // The second has left in order: the first works again, and goes on with the run that rested.
            LabelLine.await("the first works again", a::working);
            LabelLine.await("its challenger", () -> !firstSink.offers.isEmpty());
            assertThat(a.failure()).isEmpty();
        }
    }

    /** Members of a consumer group in which nobody joins or leaves now; 0 while somebody does. */
    private int membersOf(String group) {
        try (Admin admin = line.admin()) {
            ConsumerGroupDescription described = admin.describeConsumerGroups(List.of(group))
                    .describedGroups()
                    .get(group)
                    .get();
            return described.groupState() == GroupState.STABLE
                    ? described.members().size()
                    : 0;
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
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
        TrainerConfig c =
                TrainerConfig.of(line.settings, dir.resolve("refuses")).withGroup("refuses");
        Files.createDirectories(c.folder());
        Files.writeString(c.folder().resolve("train.now"), "");
        ChampionSource none = channel -> Optional.empty();
        try (TrainerService s = new TrainerService(c, none, sink, events::add, FaultInjector.NONE, QUICK)) {
            s.start();
            LabelLine.await("no champion", () -> events.stream().anyMatch(e -> e.kind() == Kind.RUN_FAILED));
            assertThat(events.get(events.size() - 1).message()).contains("channel 'default' has no champion");
            assertThat(c.folder().resolve("train.now")).doesNotExist();
        }
        events.clear();
        try (TrainerService s = service(c, sink, events, FaultInjector.NONE)) {
            s.trigger();
            LabelLine.await(
                    "fabric would be forgotten", () -> events.stream().anyMatch(e -> e.kind() == Kind.RUN_FAILED));
            assertThat(events.get(events.size() - 1).message()).contains("knows fabric", "would forget");
            LabelLine.neverWithin(
                    SOME_POLLS,
                    "given up again",
                    () -> events.stream()
                                    .filter(e -> e.kind() == Kind.RUN_FAILED)
                                    .count()
                            != 1);
        }
        assertThat(sink.offers).isEmpty();
    }

    @Test
    void shouldPutChallengersIntoAFolderByTheirVerdict() throws Exception {
        FolderChallengerSink sink = new FolderChallengerSink(dir.resolve("out"));
        ModelVersion.Builder draft = ModelVersion.newBuilder()
                .setChannel("default")
                .setSha256("00")
                .setBytes(1L)
                .setCreatedAt(java.time.Instant.EPOCH)
                .setCreatedBy("t")
                .setParent(null)
                .setDataset(new io.linesight.schemas.DatasetSummary("", 0, 0));
        sink.offer(
                champion,
                draft.setVersion("good")
                        .setGate(new io.linesight.schemas.GateVerdict(GateOutcome.PASSED, "", 0.0, null))
                        .build());
        sink.offer(
                champion,
                draft.setVersion("bad")
                        .setGate(new io.linesight.schemas.GateVerdict(GateOutcome.FAILED, "flange fell", 0.0, null))
                        .build());
        sink.offer(
                champion,
                draft.setVersion("bad")
                        .setGate(new io.linesight.schemas.GateVerdict(GateOutcome.FAILED, "flange fell", 0.0, null))
                        .build());
        assertThat(dir.resolve("out/good.onnx")).hasSameBinaryContentAs(champion);
        assertThat(dir.resolve("out/not-passed/bad.onnx")).exists();
        assertThat(dir.resolve("out/bad.onnx")).doesNotExist();
        assertThat(Files.readString(dir.resolve("out/not-passed/bad.json"))).contains("flange fell");
        Path replaced = dir.resolve("champion.onnx");
        FileChampionSource source = new FileChampionSource(replaced);
        assertThat(source.current("default")).isEmpty();
        Files.copy(champion, replaced, StandardCopyOption.REPLACE_EXISTING);
        assertThat(source.current("default").orElseThrow().version()).isEqualTo(championVersion);
    }
}
