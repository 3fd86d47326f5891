package io.linesight.demo.story;

import io.linesight.cameras.CameraDriver;
import io.linesight.cameras.FramePublisher;
import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.LocalLine;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.line.SimulatedCamera;
import io.linesight.demo.line.TopicReader;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.simulator.Lamp;
import io.linesight.simulator.SimulatedDataset;
import io.linesight.simulator.SimulatedLine;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.FollowedChannel;
import io.linesight.trainer.feedback.LabelPublisher;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.folders.MvtecDataset;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.learning.ManifestDrafts;
import io.linesight.trainer.learning.TrainedChannel;
import io.linesight.trainer.learning.TrainerConfig;
import io.linesight.trainer.learning.TrainerConfig.Triggers;
import io.linesight.trainer.learning.TrainerEvent;
import io.linesight.trainer.learning.TrainerService;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * A line that learns: the lamp over one camera is replaced, false alarms rise, the operator answers them, the trainer
 * fine-tunes the model on the answers, and the challenger goes through shadow and canary to the whole line. Nothing in
 * it is staged: what happens at each turn is decided on figures of the run, and a challenger that is no better is not
 * taken.
 *
 * <p>{@link #run} blocks until the story is told or {@link #stop} is called.
 */
public final class LearningStory {
    private static final String CHANNEL = "default";
    private static final String ENGINEER = "engineer";
    /** The camera that gets another lamp. */
    private static final int CHANGED = 1;
    /** Share of the frames that the shadow scores. */
    private static final double SHADOW_PERCENT = 50;
    /** How much larger the share of anomalous frames may get where nothing changed. */
    private static final double MOST_CHANGE = 0.1;
    /**
     * The light comes and goes in about an hour, as under a factory's roof. At the demo's pace, minutes, a challenger
     * would meet light that the operator could not yet label, the more of it the slower the machine trains.
     */
    private static final double DRIFT = 0.1;

    private static final Duration STATUS_EVERY = Duration.ofSeconds(20);
    private static final Duration STALLED = Duration.ofSeconds(45);

    private final StoryOptions options;
    private final PrintWriter out;
    private final SimulatedLine line;
    private final Ledger ledger = new Ledger();
    private final List<Chapter> chapters = new ArrayList<>();
    private final List<TrainerEvent> events = new CopyOnWriteArrayList<>();
    private final String changedCamera;
    private final String changedProduct;
    private volatile boolean stop;
    private volatile Operator operator;
    private long begin;
    private LocalLine local;
    private TrainerService trainer;
    private ShadowReader shadow;
    private List<CameraDriver> drivers = List.of();
    private String first;
    private String learned;

    /**
     * One chapter in figures.
     *
     * @param changed the camera under the new lamp
     * @param others all others
     */
    public record Figures(String chapter, double seconds, Side changed, Side others) {}

    /** Frames of known truth, and which models decided them. */
    public record Side(
            long frames,
            double anomalyRate,
            long good,
            long falseAlarms,
            long defective,
            long missed,
            List<String> models) {}

    /**
     * How it ended.
     *
     * @param first version the line began with
     * @param learned version that was promoted; null when none was
     * @param end in one line
     * @param complete whether the story got to its end; false when it was stopped or something failed
     */
    public record Outcome(
            RunSummary summary, List<Figures> chapters, String first, String learned, String end, boolean complete) {}

    /** The story cannot go on; the message says why. */
    private static final class End extends Exception {
        private static final long serialVersionUID = 1L;
        final boolean expected;

        End(String message, boolean expected) {
            super(message);
            this.expected = expected;
        }
    }

    public LearningStory(StoryOptions options, PrintWriter out) {
        if (options.cameras() <= CHANGED)
            throw new IllegalArgumentException("the story needs at least 2 cameras, got " + options.cameras());
        this.options = options;
        this.out = out;
        line = new SimulatedLine(options.seed(), options.defectRate(), Lamp.TUBE, DRIFT);
        changedCamera = new SimulatedCamera(line, CHANGED).id();
        changedProduct = SimulatedLine.productOf(CHANGED);
    }

    /** Ends the story early; the figures still come. Any thread. */
    public void stop() {
        stop = true;
    }

    /**
     * Tells the story.
     *
     * @throws RuntimeException with a message for people when something does not start
     */
    public Outcome run() throws IOException, InterruptedException {
        begin = System.nanoTime();
        // One process scores and trains here.
        Fit.shareProcess();
        Path keys = Files.createDirectories(options.folder().resolve("keys"));
        KeyFiles.generate(keys.resolve("line.key"), keys.resolve("line.pub"));
        Map<String, String> app = new HashMap<>(options.app());
        app.put(InspectionConfig.TRUSTED_KEYS, keys.resolve("line.pub").toString());
        app.put(InspectionConfig.CHANNEL, CHANNEL);
        app.putIfAbsent(InspectionConfig.INSTANCE, "line-1");
        app.put(InspectionConfig.MODELS_DIR, options.folder().resolve("models").toString());
        say("A line that learns: " + options.cameras() + " simulated cameras, " + number(options.fps())
                + " frames a second each, seed " + options.seed() + ", everything in " + options.folder());
        try (LocalLine started = LocalLine.start(
                options.folder(),
                options.model(),
                options.port(),
                options.registryPort(),
                app,
                text -> say("started " + text))) {
            local = started;
            if (!local.app().awaitRunning(Duration.ofSeconds(60)))
                throw new IllegalStateException(
                        "the inspection app did not begin to work within 60 s; its log is in " + options.folder());
            Map<String, String> settings = new HashMap<>(local.settings());
            settings.put(InspectionConfig.TRUSTED_KEYS, keys.resolve("line.pub").toString());
            TrainedChannel.Options how = new TrainedChannel.Options(
                    options.folder().resolve("trainer/champion"),
                    CheckpointStores.KAFKA,
                    Optional.of(CheckpointSigner.load(keys.resolve("line.key"))),
                    SHADOW_PERCENT,
                    "trainer");
            try (TrainedChannel channel = TrainedChannel.open(settings, how);
                    TopicReader reader = TopicReader.open(local.settings(), local.topics(), listener());
                    FramePublisher publisher = new FramePublisher(local.settings(), local.topics(), "demo");
                    Operator person = new Operator(new LabelPublisher(local.settings(), local.topics()), ledger);
                    ShadowReader shadowReader = new ShadowReader(local.settings(), local.topics());
                    TrainerService service = trainer(channel)) {
                operator = person;
                shadow = shadowReader;
                trainer = service;
                return told(channel, publisher, reader);
            }
        }
    }

    private Outcome told(TrainedChannel channel, FramePublisher publisher, TopicReader reader)
            throws IOException, InterruptedException {
        String end;
        boolean complete = true;
        List<Thread> threads = List.of();
        try {
            prepare(channel);
            threads = startCameras(publisher);
            tell();
            end = "the line runs on " + learned;
        } catch (End e) {
            end = e.getMessage();
            complete = e.expected;
        } catch (RolloutException e) {
            end = "a decision was not taken: " + e.getMessage();
            complete = false;
        }
        operator.onDuty(false);
        drivers.forEach(CameraDriver::stop);
        for (Thread t : threads) t.join(60_000);
        close(Instant.now());
        ledger.awaitAnswers(STALLED, () -> local.app().state() != InspectionApp.State.FAILED);
        if (reader.failure() != null) {
            end = "reading the results failed: " + reader.failure().getMessage();
            complete = false;
        }
        List<Figures> figures = new ArrayList<>();
        for (Chapter c : chapters) {
            figures.add(new Figures(
                    c.name(),
                    Duration.between(c.from(), c.to()).toMillis() / 1000.0,
                    side(c.figures(ledger, changedCamera::equals)),
                    side(c.figures(ledger, this::unchanged))));
        }
        return new Outcome(RunSummary.of(ledger), figures, first, learned, end, complete);
    }

    private static Side side(Chapter.Figures f) {
        return new Side(f.frames(), f.anomalyRate(), f.good(), f.falseAlarms(), f.bad(), f.missed(), f.models());
    }

    private TopicReader.Listener listener() {
        return new TopicReader.Listener() {
            @Override
            public void result(InspectionResult result, long arrivedMicros) {
                ledger.result(result, arrivedMicros);
            }

            @Override
            public void anomaly(AnomalyEvent event) {
                ledger.anomaly(event.getResult().getFrameRef());
                Operator o = operator;
                if (o != null) o.alarm(event.getResult().getFrameRef());
            }

            @Override
            public void deadLetter(FrameRef source, String code, String message) {
                if (source != null) ledger.deadLetter(source, code);
            }
        };
    }

    private TrainerService trainer(TrainedChannel channel) throws IOException {
        Path folder = options.folder().resolve("trainer");
        TrainerConfig plain = TrainerConfig.of(local.settings(), folder);
        TrainerConfig config = plain.withChannel(CHANNEL)
                .withTriggers(new Triggers(options.labels(), null))
                .withTuning(plain.tuning()
                        .withMinutes(0)
                        .withEpochs(options.epochs())
                        .withThreads(threads()));
        return new TrainerService(config, channel, channel, event -> {
            events.add(event);
            if (event.kind() != TrainerEvent.Kind.LABELS) say("trainer: " + event.message());
        });
    }

    private int threads() {
        return Integer.parseInt(options.app().getOrDefault(InspectionConfig.SCORER_THREADS, "0"));
    }

    /**
     * What a line has before anything goes wrong: pictures on file, and a model that was published, signed and
     * promoted.
     */
    private void prepare(TrainedChannel channel) throws IOException, InterruptedException, RolloutException {
        Path pictures = options.folder().resolve("on-file");
        CheckpointInfo info = Checkpoints.readInfo(options.model());
        // Also of products that no camera sees: a trainer does not go on from a champion of which it would forget
        // something.
        Set<String> products = new TreeSet<>(info.calibration().byProduct().keySet());
        for (int i = 0; i < options.cameras(); i++) products.add(SimulatedLine.productOf(i));
        products.retainAll(SimulatedLine.products());
        // Of another seed: neither the line's own parts nor those that the bundled model was trained on.
        SimulatedDataset.export(
                pictures,
                List.copyOf(products),
                options.earlier(),
                2 * options.earlier() / 5,
                options.seed() + 77_000,
                Lamp.TUBE);
        trainer.start();
        DatasetStore store = trainer.store();
        say("trainer: took over " + store.importFrom(MvtecDataset.open(pictures, List.of()), "quality")
                + " pictures that were on file");
        first = info.version();
        channel.offer(
                options.model(), ManifestDrafts.byHand(info, CHANNEL, ENGINEER, "the model the line was set up with"));
        Rollout r =
                decide((known, author) -> RolloutRules.promote(known, CHANNEL, first, author, false), "set up with it");
        say(ENGINEER + ": published " + first + ", signed it, and made it the champion (revision " + r.getRevision()
                + ")");
    }

    private interface Rule {
        Decision decide(RegistryState known, Author author);
    }

    private Rollout decide(Rule rule, String reason) throws RolloutException, InterruptedException {
        Author author = Author.person(ENGINEER, reason);
        return followed().decide(known -> rule.decide(known, author));
    }

    private FollowedChannel followed() {
        return local.followed().orElseThrow();
    }

    private List<Thread> startCameras(FramePublisher publisher) {
        List<CameraDriver> started = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < options.cameras(); i++) {
            CameraDriver driver = new CameraDriver(new SimulatedCamera(line, i), publisher, ledger, options::fps, -1);
            started.add(driver);
            threads.add(DaemonThreads.create("linesight-camera-" + (i + 1), driver));
        }
        drivers = started;
        threads.forEach(Thread::start);
        return threads;
    }

    private void tell() throws End, RolloutException, InterruptedException {
        open("before");
        pass("the line as it was set up", options.quiet());

        line.replaceLamp(CHANGED, drivers.get(CHANGED).sent() + 1, Lamp.LED);
        open("new lamp");
        say("The lamp over " + changedCamera + " (" + changedProduct
                + ") failed and was replaced: whiter, brighter, not quite in the old place.");
        operator.onDuty(true);
        until(
                "labels: the trainer waits for " + options.labels() + " good parts",
                Duration.ofSeconds((long) (60 + 20 * options.labels() / options.fps())),
                () -> event(TrainerEvent.Kind.RUN_STARTED) != null);
        operator.onDuty(false);
        say("operator: answered " + (operator.normal() + operator.anomalous()) + " alarms; " + operator.normal()
                + " of them were false");

        open("training");
        until(
                "training",
                Duration.ofMinutes(60),
                () -> event(TrainerEvent.Kind.RUN_FINISHED) != null || event(TrainerEvent.Kind.RUN_FAILED) != null);
        trainer.close(); // one lesson is enough for a story
        if (event(TrainerEvent.Kind.RUN_FINISHED) == null)
            throw new End(
                    "the trainer gave up: "
                            + event(TrainerEvent.Kind.RUN_FAILED).message(),
                    true);

        Rollout now = followed().view().state().channel(CHANNEL).inForce().orElseThrow();
        if (now.getMode() != RolloutMode.SHADOW || now.getChallenger() == null)
            throw new End("the challenger did not pass its gate; the line stays on " + first, true);
        shadow(now.getChallenger());
        canary(now.getChallenger());
        learned = now.getChallenger();
        open("after");
        pass("the whole line on what was learned", options.quiet());
    }

    private void shadow(String challenger) throws End, RolloutException, InterruptedException {
        open("shadow");
        say(challenger + " scores every second frame beside " + first + ", and decides nothing.");
        until(
                "shadow",
                Duration.ofSeconds((long) (120 + 10 * options.shadowFrames() / options.fps())),
                () -> Math.min(said(challenger, changedCamera::equals).length, said(challenger, this::unchanged).length)
                        >= options.shadowFrames());
        boolean[][] here = said(challenger, changedCamera::equals);
        boolean[][] elsewhere = said(challenger, this::unchanged);
        String figures = "of " + here.length + " frames of " + changedCamera + " it calls " + count(here, 1)
                + " anomalous instead of " + count(here, 0) + ", of " + elsewhere.length + " others "
                + count(elsewhere, 1) + " instead of " + count(elsewhere, 0);
        say("shadow: " + figures);
        boolean better = count(here, 1) < count(here, 0);
        boolean noHarm = count(elsewhere, 1) - count(elsewhere, 0) <= MOST_CHANGE * elsewhere.length;
        if (!better || !noHarm) {
            decide((known, author) -> RolloutRules.withdraw(known, CHANNEL, author), figures);
            throw new End("the challenger was taken back (" + figures + "); the line stays on " + first, true);
        }
        decide(
                (known, author) -> RolloutRules.canary(
                        known, CHANNEL, challenger, List.of(changedCamera), List.of(), 0, author, false),
                figures);
        say(ENGINEER + ": " + challenger + " decides for " + changedCamera + " alone");
    }

    private void canary(String challenger) throws End, RolloutException, InterruptedException {
        Chapter chapter = open("canary");
        Predicate<Ledger.Outcome> its = o -> o.sent().cameraId().equals(changedCamera)
                && !o.result().getCapturedAt().isBefore(chapter.from())
                && o.result().getModelVersion().equals(challenger);
        // The others too, which keep the champion: their partitions may be behind on a busy machine.
        until(
                "canary",
                Duration.ofSeconds((long) (120 + 10 * options.canaryFrames() / options.fps())),
                () -> Chapter.figures(ledger.outcomes(), its).frames() >= options.canaryFrames()
                        && chapter.figures(ledger, this::unchanged).frames() >= options.canaryFrames());
        Chapter.Figures now = Chapter.figures(ledger.outcomes(), its);
        Chapter.Figures before = chapters.stream()
                .filter(c -> c.name().equals("new lamp"))
                .findFirst()
                .orElseThrow()
                .figures(ledger, changedCamera::equals);
        String figures = "false alarms of " + changedCamera + " " + Chapter.percent(before.falseAlarmRate()) + " to "
                + Chapter.percent(now.falseAlarmRate()) + ", misses " + Chapter.percent(before.missRate()) + " to "
                + Chapter.percent(now.missRate());
        say("canary: " + figures);
        if (!(now.falseAlarmRate() < before.falseAlarmRate())) {
            decide((known, author) -> RolloutRules.withdraw(known, CHANNEL, author), figures);
            throw new End("the challenger was taken back (" + figures + "); the line stays on " + first, true);
        }
        Rollout r = decide((known, author) -> RolloutRules.promote(known, CHANNEL, challenger, author, false), figures);
        say(ENGINEER + ": " + challenger + " is the champion now (revision " + r.getRevision() + ")");
        until(
                "the promotion",
                Duration.ofSeconds(60),
                () -> local.app().modelVersion().orElse("").equals(challenger));
    }

    private boolean unchanged(String camera) {
        return !camera.equals(changedCamera);
    }

    /** Per frame that both scored: whether the champion, and whether the challenger, called it anomalous. */
    private boolean[][] said(String challenger, Predicate<String> cameras) {
        List<ShadowDifference> of = shadow.of(challenger);
        return of.stream()
                .filter(d -> cameras.test(d.getCameraId()))
                .map(d -> new boolean[] {d.getChampionScore() >= 0.5f, !(d.getChallengerScore() < 0.5f)})
                .toArray(boolean[][]::new);
    }

    private static int count(boolean[][] said, int who) {
        int n = 0;
        for (boolean[] s : said) if (s[who]) n++;
        return n;
    }

    private TrainerEvent event(TrainerEvent.Kind kind) {
        for (TrainerEvent e : events) if (e.kind() == kind) return e;
        return null;
    }

    private Chapter open(String name) {
        Instant now = Instant.now();
        close(now);
        Chapter chapter = new Chapter(name, now, null);
        chapters.add(chapter);
        return chapter;
    }

    private void close(Instant now) {
        int last = chapters.size() - 1;
        if (last >= 0 && chapters.get(last).to() == null)
            chapters.set(last, chapters.get(last).until(now));
    }

    private void pass(String what, Duration time) throws End, InterruptedException {
        long until = System.nanoTime() + time.toNanos();
        until(what, time.plusSeconds(60), () -> System.nanoTime() >= until);
    }

    /** Waits and says how it goes; ends the story when something failed. */
    private void until(String what, Duration patience, BooleanSupplier done) throws End, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        long status = System.nanoTime() + STATUS_EVERY.toNanos();
        while (!done.getAsBoolean()) {
            if (stop) throw new End("stopped", false);
            if (local.app().state() == InspectionApp.State.FAILED)
                throw new End(
                        "the inspection app stopped: "
                                + local.app()
                                        .failure()
                                        .map(Throwable::getMessage)
                                        .orElse("see the log"),
                        false);
            if (trainer.failure().isPresent())
                throw new End("the trainer stopped: " + trainer.failure().get().getMessage(), false);
            if (operator.failure() != null)
                throw new End(
                        "the operator's labels could not be written: "
                                + operator.failure().getMessage(),
                        false);
            if (shadow.failure() != null)
                throw new End(
                        "what the shadow says could not be read: "
                                + shadow.failure().getMessage(),
                        false);
            for (CameraDriver d : drivers)
                if (d.failure() != null)
                    throw new End("a camera stopped: " + d.failure().getMessage(), false);
            if (System.nanoTime() - deadline >= 0)
                throw new End(what + " did not get anywhere within " + patience.toSeconds() + " s", false);
            if (System.nanoTime() - status >= 0) {
                status += STATUS_EVERY.toNanos();
                status();
            }
            Thread.sleep(100);
        }
        status();
    }

    /** The chapter so far. */
    private void status() {
        Chapter c = chapters.get(chapters.size() - 1);
        say(String.format(
                "  %-9s %s: %s; others: %s",
                c.name(),
                changedCamera,
                c.figures(ledger, changedCamera::equals).text(),
                c.figures(ledger, this::unchanged).text()));
    }

    private synchronized void say(String text) {
        long seconds = (System.nanoTime() - begin) / 1_000_000_000L;
        out.printf(Locale.ROOT, "%2d:%02d  %s%n", seconds / 60, seconds % 60, text);
        out.flush();
    }

    private static String number(double v) {
        return v == Math.rint(v) ? Long.toString(Math.round(v)) : Double.toString(v);
    }
}
