package io.linesight.demo.story;

import io.linesight.cameras.FramePublisher;
import io.linesight.demo.line.CameraGroup;
import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.LedgerListener;
import io.linesight.demo.line.LineOptions;
import io.linesight.demo.line.LocalLine;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.line.SimulatedCamera;
import io.linesight.demo.line.TopicReader;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.Rollout;
import io.linesight.simulator.Lamp;
import io.linesight.simulator.SimulatedDataset;
import io.linesight.simulator.SimulatedLine;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.trainer.feedback.LabelPublisher;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.folders.MvtecDataset;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A line that learns: the lamp over one camera is replaced, false alarms rise, the operator answers them, the trainer
 * fine-tunes the model on the answers, and the challenger goes through shadow and canary to the whole line. Nothing is
 * staged: each turn is decided on figures of the run, and a challenger that is no better is withdrawn.
 *
 * <p>{@link #run} blocks until the story is told or {@link #stop} is called.
 */
public final class LearningStory {
    private static final String CHANNEL = "default";
    /** Index of the camera that gets another lamp. */
    private static final int CHANGED_CAMERA = 1;
    /** Share of the frames that the shadow scores. */
    private static final double SHADOW_PERCENT = 50;
    /**
     * The light comes and goes in about an hour, as under a factory's roof. At the demo's pace, minutes, a challenger
     * would meet light that the operator could not label yet, the more so the slower the machine trains.
     */
    private static final double DRIFT = 0.1;
    /** Images on file come from another seed than the line's parts and those that the bundled model was trained on. */
    private static final long ON_FILE_SEED_OFFSET = 77_000;

    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(45);

    private final StoryOptions options;
    private final Narrator narrator;
    private final Ledger ledger = new Ledger();
    private final Stage stage;
    private final List<TrainerEvent> trainerEvents = new CopyOnWriteArrayList<>();
    private volatile boolean stopped;
    private volatile @Nullable Operator operator;

    /**
     * One chapter in figures.
     *
     * @param changed the camera under the new lamp
     * @param others all others
     */
    public record Figures(String chapter, double seconds, Side changed, Side others) {}

    /**
     * How the story ended.
     *
     * @param first version that the line began with; null when it failed before
     * @param learned version that was promoted; null when none was
     * @param end in one line
     * @param complete whether the story got to its end; false when it was stopped or something failed
     */
    public record Outcome(
            RunSummary summary,
            List<Figures> chapters,
            @Nullable String first,
            @Nullable String learned,
            String end,
            boolean complete) {}

    /** @throws IllegalArgumentException when there are fewer than 2 cameras */
    public LearningStory(StoryOptions options, PrintWriter out) {
        int cameras = options.simulation().cameras();
        if (cameras <= CHANGED_CAMERA)
            throw new IllegalArgumentException("the story needs at least 2 cameras, got " + cameras);
        this.options = options;
        narrator = new Narrator(out);
        SimulatedLine line = new SimulatedLine(
                options.simulation().seed(), options.simulation().defectRate(), Lamp.TUBE, DRIFT);
        Chapters chapters = new Chapters(ledger, new SimulatedCamera(line, CHANGED_CAMERA).id());
        stage = new Stage(line, CHANGED_CAMERA, chapters, narrator);
    }

    /** Ends the story early; the figures still come. Any thread. */
    public void stop() {
        stopped = true;
    }

    /**
     * Tells the story.
     *
     * @throws RuntimeException with a message for people when something does not start
     */
    public Outcome run() throws IOException, InterruptedException {
        // One process scores and trains here.
        Fit.shareProcess();
        Path folder = options.line().folder();
        Path keys = Files.createDirectories(folder.resolve("keys"));
        KeyFiles.generate(keys.resolve("line.key"), keys.resolve("line.pub"));
        narrator.say("A line that learns: " + options.simulation().cameras() + " simulated cameras, "
                + number(options.simulation().fps()) + " frames a second each, seed "
                + options.simulation().seed() + ", everything in " + folder);
        LineOptions lineOptions = options.line().withApp(appSettings(keys));
        try (LocalLine local = LocalLine.start(lineOptions, text -> narrator.say("started " + text))) {
            local.awaitRunning();
            Map<String, String> settings = new HashMap<>(local.settings());
            settings.put(ModelsConfig.TRUSTED_KEYS, keys.resolve("line.pub").toString());
            TrainedChannel.Options channelOptions = new TrainedChannel.Options(
                    folder.resolve("trainer/champion"),
                    CheckpointStores.KAFKA,
                    Optional.of(CheckpointSigner.load(keys.resolve("line.key"))),
                    SHADOW_PERCENT,
                    "trainer");
            try (TrainedChannel channel = TrainedChannel.open(settings, channelOptions);
                    TrainerService trainer = createTrainer(local, channel)) {
                return tell(local, channel, trainer);
            }
        }
    }

    private Map<String, String> appSettings(Path keys) {
        Map<String, String> app = new HashMap<>(options.line().app());
        app.put(ModelsConfig.TRUSTED_KEYS, keys.resolve("line.pub").toString());
        app.put(InspectionConfig.CHANNEL, CHANNEL);
        app.putIfAbsent(InspectionConfig.INSTANCE, "line-1");
        app.put(
                InspectionConfig.MODELS_DIR,
                options.line().folder().resolve("models").toString());
        return app;
    }

    private TrainerService createTrainer(LocalLine local, TrainedChannel channel) throws IOException {
        TrainerConfig base =
                TrainerConfig.of(local.settings(), options.line().folder().resolve("trainer"));
        String threads = options.line().app().getOrDefault(InspectionConfig.SCORER_THREADS, "0");
        TrainerConfig config = base.withChannel(CHANNEL)
                .withTriggers(new Triggers(options.training().labels(), null))
                .withTuning(base.tuning()
                        .withMinutes(0)
                        .withEpochs(options.training().epochs())
                        .withThreads(Integer.parseInt(threads)));
        return new TrainerService(config, channel, channel, event -> {
            trainerEvents.add(event);
            if (event.kind() != TrainerEvent.Kind.LABELS) narrator.say("trainer: " + event.message());
        });
    }

    private Outcome tell(LocalLine local, TrainedChannel channel, TrainerService trainer)
            throws IOException, InterruptedException {
        try (TopicReader reader = TopicReader.open(local.settings(), local.topics(), new Listener());
                FramePublisher publisher = new FramePublisher(local.settings(), local.topics(), "demo");
                Operator person = new Operator(new LabelPublisher(local.settings(), local.topics()), ledger);
                ShadowReader shadow = new ShadowReader(local.settings(), local.topics())) {
            operator = person;
            Engineer engineer = new Engineer(local.followed().orElseThrow(), CHANNEL);
            Ending ending;
            try {
                String first = prepare(channel, trainer, engineer);
                CameraGroup cameras = startCameras(publisher);
                Cast cast = new Cast(local, ledger, cameras, person, engineer, trainer, trainerEvents, shadow);
                ending = follow(new Plot(options, stage, cast, () -> stopped), first);
                person.setOnDuty(false);
                cameras.stopAndAwait();
            } catch (RolloutException e) {
                ending = new Ending(null, null, rejected(e), false);
            }
            stage.chapters().close();
            ledger.awaitAnswers(ANSWER_TIMEOUT, () -> local.app().state() != InspectionApp.State.FAILED);
            if (reader.failure().isPresent())
                ending = ending.failed(
                        "reading the results failed: " + reader.failure().get().getMessage());
            return new Outcome(
                    RunSummary.of(ledger),
                    stage.chapters().figures(),
                    ending.first,
                    ending.learned,
                    ending.text,
                    ending.complete);
        }
    }

    private CameraGroup startCameras(FramePublisher publisher) {
        return CameraGroup.start(
                SimulatedCamera.of(stage.line(), options.simulation().cameras()),
                publisher,
                ledger,
                options.simulation().fps(),
                -1);
    }

    private static Ending follow(Plot plot, String first) throws InterruptedException {
        try {
            plot.tell(first);
            return new Ending(first, plot.promoted(), "the line runs on " + plot.promoted(), true);
        } catch (StoryEnd e) {
            return new Ending(first, plot.promoted(), e.getMessage(), e.complete());
        } catch (RolloutException e) {
            return new Ending(first, plot.promoted(), rejected(e), false);
        }
    }

    private static String rejected(RolloutException e) {
        return "a decision was rejected: " + e.getMessage();
    }

    private record Ending(@Nullable String first, @Nullable String learned, String text, boolean complete) {
        Ending failed(String why) {
            return new Ending(first, learned, why, false);
        }
    }

    /**
     * What a line has before anything goes wrong: images on file, and a model that was published, signed and promoted.
     *
     * @return version of that model
     */
    private String prepare(TrainedChannel channel, TrainerService trainer, Engineer engineer)
            throws IOException, InterruptedException, RolloutException {
        Path images = options.line().folder().resolve("on-file");
        CheckpointInfo info = Checkpoint.read(options.line().model()).info();
        int good = options.training().imagesOnFile();
        SimulatedDataset.export(
                images,
                products(info),
                good,
                2 * good / 5,
                options.simulation().seed() + ON_FILE_SEED_OFFSET,
                Lamp.TUBE);
        trainer.start();
        int imported = trainer.store().importFrom(MvtecDataset.open(images, List.of()), "quality");
        narrator.say("trainer: imported " + imported + " images that were on file");
        String reason = "the model the line was set up with";
        channel.offer(options.line().model(), ManifestDrafts.byHand(info, CHANNEL, Engineer.NAME, reason));
        Rollout rollout = engineer.promote(info.version(), "set up with it");
        narrator.say(Engineer.NAME + ": published " + info.version()
                + ", signed it, and made it the champion (revision " + rollout.getRevision() + ")");
        return info.version();
    }

    /** Also products that no camera sees: a trainer does not build on a champion of which it would forget something. */
    private List<String> products(CheckpointInfo info) {
        Set<String> products = new TreeSet<>(info.calibration().byProduct().keySet());
        for (int i = 0; i < options.simulation().cameras(); i++) products.add(SimulatedLine.productOf(i));
        products.retainAll(SimulatedLine.products());
        return List.copyOf(products);
    }

    private final class Listener extends LedgerListener {
        Listener() {
            super(ledger);
        }

        @Override
        public void anomaly(AnomalyEvent event) {
            super.anomaly(event);
            Operator o = operator;
            if (o != null) o.alarm(event.getResult().getFrameRef());
        }
    }

    private static String number(double v) {
        return v == Math.rint(v) ? Long.toString(Math.round(v)) : Double.toString(v);
    }
}
