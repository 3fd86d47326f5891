package io.linesight.trainer.learning;

import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.io.Sha256;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.schemas.ModelVersion;
import io.linesight.trainer.calibration.Recalibration;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.gate.Gate;
import io.linesight.trainer.gate.GateResult;
import io.linesight.trainer.gate.HeldOut;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.Split;
import io.linesight.trainer.imagestore.StoredImage;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run, from the choice of images to the handover, on one thread. Every finished stage is recorded in the run's
 * folder; a run that was interrupted resumes after the last one. A file is used only while it is the one that its stage
 * recorded.
 */
final class TrainingRun {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);

    private static final String CHAMPION = "champion.onnx";
    private static final String TRAINED = "trained.onnx";
    static final String METRICS = "trained.metrics.jsonl";
    private static final String CHALLENGER = "challenger.onnx";
    private static final String IMAGES = "pictures.json";
    static final String DRAFT = "draft.avro";
    private static final String RETRY = "It is tried again at the next trigger";

    private final Environment environment;
    private final TrainerConfig config;
    private final Guard guard;
    private final long trainedThrough;
    private final RunFolder run;

    /**
     * What every run of a service works with.
     *
     * @param retryDelay between attempts to hand over
     */
    record Environment(
            TrainerConfig config,
            DatasetStore store,
            ChampionSource champions,
            ChallengerSink sink,
            EventLog events,
            FaultInjector faults,
            Duration retryDelay) {}

    /** Says whether a run may continue. */
    interface Guard {
        /** Whether the run has to stop where it is: the service stops, or another trainer is active. */
        boolean isCancelled();

        /** Whether the broker confirms that this trainer is the active one; waits for its answer. */
        boolean isOwner();

        /** @throws CancellationException when the run has to stop where it is; it can resume later */
        default void ensureActive() {
            if (isCancelled()) throw new CancellationException("this trainer stops, or another one is active");
        }
    }

    /** The run cannot continue, and trying again now would not help. */
    static final class GivenUpException extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean startOver;

        private GivenUpException(String message, boolean startOver, @Nullable Throwable cause) {
            super(message, cause);
            this.startOver = startOver;
        }

        GivenUpException(String message) {
            this(message, false, null);
        }

        GivenUpException(String message, Throwable cause) {
            this(message, false, cause);
        }

        static GivenUpException startOver(String message) {
            return new GivenUpException(message, true, null);
        }

        /** Whether a new run should start at once: this one was overtaken, its trigger is still valid. */
        boolean startOver() {
            return startOver;
        }
    }

    /** @param trainedThrough sequence number of the newest image of the last run */
    TrainingRun(Environment environment, Guard guard, long trainedThrough, RunFolder run) {
        this.environment = environment;
        config = environment.config();
        this.guard = guard;
        this.trainedThrough = trainedThrough;
        this.run = run;
    }

    /**
     * Works to the end.
     *
     * @return sequence number of the newest image that the run knew
     * @throws CancellationException when it was cancelled; it can resume later
     * @throws GivenUpException when it cannot continue
     * @throws IOException when a file cannot be read or written, on a full disk for instance; it can resume later
     */
    long execute() throws IOException, GivenUpException {
        run.tidy(Set.of(CHAMPION, TRAINED, METRICS, CHALLENGER, IMAGES, DRAFT));
        if (!run.done(Stage.FETCH)) fetch();
        List<StoredImage> images = ImageSelection.read(run.file(IMAGES));
        try (DatasetStore.Pin pin = pin(images)) {
            ImageSource source = environment.store().source("labels of " + config.channel(), images);
            verify(Stage.FETCH, CHAMPION);
            if (!run.done(Stage.TRAIN)) train(source);
            verify(Stage.TRAIN, TRAINED);
            if (!run.done(Stage.CALIBRATE)) calibrate(source, images);
            verify(Stage.CALIBRATE, CHALLENGER);
            if (!run.done(Stage.GATE)) judge(source, images);
        }
        if (!run.done(Stage.OFFER)) offer();
        return run.of(Stage.FETCH).path("through").asLong();
    }

    private DatasetStore.Pin pin(List<StoredImage> images) throws GivenUpException {
        try {
            return environment.store().pin(images);
        } catch (DatasetStoreException e) {
            throw GivenUpException.startOver(e.getMessage() + " since the run chose them; it starts over");
        }
    }

    /** A file must be the one that its stage recorded. */
    private void verify(Stage stage, String file) throws IOException, GivenUpException {
        String recorded = run.of(stage).path("sha256").asText();
        if (!Files.isRegularFile(run.file(file)) || !Sha256.hex(run.file(file)).equals(recorded)) {
            throw GivenUpException.startOver("the file " + file + " in " + run.folder + " is not the one that stage "
                    + stage + " wrote; the run starts over");
        }
    }

    private void fetch() throws IOException, GivenUpException {
        guard.ensureActive();
        Champion champion = environment
                .champions()
                .current(config.channel())
                .orElseThrow(() -> new GivenUpException("channel '" + config.channel()
                        + "' has no champion to train further; publish and promote a checkpoint first"));
        RunFolder.copy(champion.file(), run.file(CHAMPION));
        CheckpointInfo info = Checkpoint.read(run.file(CHAMPION)).info();
        ensureTrainable(champion, info);
        List<StoredImage> all = environment.store().images();
        ImageSelection selection = ImageSelection.choose(all, config.tuning(), trainedThrough, run.id);
        ensureEnough(selection);
        ensureNothingForgotten(champion, info, selection);
        ImageSelection.write(run.file(IMAGES), selection.images());
        environment.faults().at(Stage.FETCH.name());
        run.done(
                Stage.FETCH,
                RunFolder.facts()
                        .put("champion", champion.version())
                        .put("sha256", info.sha256())
                        .put(
                                "through",
                                all.stream()
                                        .mapToLong(StoredImage::sequence)
                                        .max()
                                        .orElse(0))
                        .put("new", selection.newNormals()));
        report(
                Kind.STAGE_DONE,
                "chose " + selection.images().size() + " images, " + selection.newNormals()
                        + " new normals among them, of " + String.join(", ", selection.trained())
                        + ", to train champion " + champion.version() + " further"
                        + (selection.tooFew().isEmpty()
                                ? ""
                                : ". Too few normals on the training side (" + ImageSelection.MIN_NORMALS + " needed): "
                                        + String.join(", ", selection.tooFew())));
    }

    private static void ensureTrainable(Champion champion, CheckpointInfo info) throws GivenUpException {
        if (Checkpoints.trainable(info)) return;
        throw new GivenUpException("the champion " + champion.version() + " was made by "
                + info.properties().getOrDefault(Checkpoints.METHOD, "another program")
                + "; it cannot be trained further as MMAD. Publish and promote a checkpoint of MMAD, or fit a new one. "
                + RETRY);
    }

    private static void ensureEnough(ImageSelection selection) throws GivenUpException {
        if (!selection.trained().isEmpty()) return;
        throw new GivenUpException("there is nothing to train on: "
                + (selection.tooFew().isEmpty()
                        ? "the store has no images"
                        : "a product needs " + ImageSelection.MIN_NORMALS + " normals on the training side, there are "
                                + String.join(", ", selection.tooFew()))
                + ". " + RETRY);
    }

    private void ensureNothingForgotten(Champion champion, CheckpointInfo info, ImageSelection selection)
            throws GivenUpException {
        Set<String> forgotten = new TreeSet<>(info.calibration().byProduct().keySet());
        selection.trained().forEach(forgotten::remove);
        forgotten.removeAll(config.gate().retired());
        if (forgotten.isEmpty()) return;
        throw new GivenUpException("the champion " + champion.version() + " knows " + String.join(", ", forgotten)
                + ", of which the store has no normals to train on: a challenger would forget them. "
                + "Import normals of them, sample some, or retire the products. " + RETRY);
    }

    private void train(ImageSource source) throws IOException, GivenUpException {
        guard.ensureActive();
        ensureSpace();
        TrainerConfig.Tuning t = config.tuning();
        try (PrintStream progress = LogStream.of(LOG)) {
            Fit.run(FitOptions.of(source, run.file(TRAINED))
                    .network(n -> n.withFrom(run.file(CHAMPION)))
                    .training(to -> to.withMinutes(t.minutes())
                            .withEpochs(t.epochs())
                            .withBatch(t.batch())
                            .withLearningRate(t.learningRate())
                            .withSeed(t.seed()))
                    .output(o -> o.withMetrics(run.file(METRICS)).withWorkDir(run.folder))
                    .machine(m -> m.withThreads(t.threads()))
                    .session(s -> s.withCommand("linesight train, run " + run.id)
                            .withProgress(progress)
                            .withStopWhen(guard::isCancelled)));
        } catch (CancellationException e) {
            throw e;
        } catch (DatasetException | IllegalStateException e) {
            throw new GivenUpException("training failed: " + e.getMessage() + ". " + RETRY, e);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        environment.faults().at(Stage.TRAIN.name());
        run.done(Stage.TRAIN, RunFolder.facts().put("sha256", Sha256.hex(run.file(TRAINED))));
        report(Kind.STAGE_DONE, "trained");
    }

    /**
     * Training takes long, so the run waits for space before it. Two checkpoints are on the disk at a time while they
     * are written.
     */
    private void ensureSpace() throws IOException {
        long needed = 2 * Files.size(run.file(CHAMPION));
        long free = Files.getFileStore(run.folder).getUsableSpace();
        if (free < needed)
            throw new IOException("training needs " + needed / 1024 + " KiB in " + run.folder + " for checkpoints, and "
                    + free / 1024 + " are free: make room there");
    }

    private void calibrate(ImageSource source, List<StoredImage> images) throws IOException, GivenUpException {
        guard.ensureActive();
        CheckpointInfo info;
        try {
            info = Recalibration.run(
                    run.file(TRAINED),
                    run.file(CHALLENGER),
                    source,
                    config.tuning().thresholds(),
                    scorerOptions(),
                    Map.of(Checkpoints.LEARNED_FRAMES, learned(images)));
        } catch (DatasetException | IllegalStateException e) {
            throw new GivenUpException("the thresholds could not be placed: " + e.getMessage() + ". " + RETRY, e);
        }
        environment.faults().at(Stage.CALIBRATE.name());
        run.done(Stage.CALIBRATE, RunFolder.facts().put("sha256", info.sha256()).put("version", info.version()));
        report(Kind.STAGE_DONE, "thresholds placed");
    }

    /** Normals of the line that it was trained on: their exemptions are no longer needed. */
    private static String learned(List<StoredImage> images) {
        return images.stream()
                .filter(i -> i.labelledOnTheLine() && !i.anomalous() && i.split() == Split.TRAIN)
                .map(i -> Checkpoints.learnedName(i.frame()))
                .sorted()
                .distinct()
                .collect(Collectors.joining(","));
    }

    private void judge(ImageSource source, List<StoredImage> images) throws IOException, GivenUpException {
        guard.ensureActive();
        String champion = run.of(Stage.FETCH).path("champion").asText();
        Set<String> measured = new TreeSet<>();
        for (StoredImage image : images) if (image.split() == Split.HELD_OUT) measured.add(image.product());
        GateResult result;
        try {
            result = Gate.judge(
                    HeldOut.score(run.file(CHAMPION), run.file(CHALLENGER), source, measured, scorerOptions()),
                    config.gate(),
                    champion);
        } catch (DatasetException e) {
            throw new GivenUpException("the challenger could not be judged: " + e.getMessage() + ". " + RETRY, e);
        }
        ModelVersion draft = ManifestDrafts.ofChallenger(
                Checkpoint.read(run.file(CHALLENGER)).info(),
                Files.size(run.file(CHALLENGER)),
                new ManifestDrafts.Lineage(
                        config.channel(),
                        config.instance(),
                        champion,
                        run.of(Stage.FETCH).path("new").asInt()),
                images,
                result,
                Instant.now());
        RunFolder.write(run.file(DRAFT), bytes(draft));
        environment.faults().at(Stage.GATE.name());
        run.done(
                Stage.GATE,
                RunFolder.facts()
                        .put("sha256", Sha256.hex(run.file(DRAFT)))
                        .put("outcome", result.verdict().getOutcome().name()));
        report(
                Kind.VERDICT,
                result.verdict().getOutcome() + ": " + result.verdict().getReason());
    }

    private ScorerOptions scorerOptions() {
        return ScorerOptions.defaults()
                .withDevice("cpu")
                .withThreads(config.tuning().threads());
    }

    private static byte[] bytes(ModelVersion draft) throws IOException {
        ByteBuffer buffer = draft.toByteBuffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private void offer() throws IOException, GivenUpException {
        verify(Stage.CALIBRATE, CHALLENGER);
        verify(Stage.GATE, DRAFT);
        ModelVersion draft = ModelVersion.fromByteBuffer(ByteBuffer.wrap(Files.readAllBytes(run.file(DRAFT))));
        Handover handover = new Handover(environment, guard, run.id);
        handover.offer(run.file(CHALLENGER), draft);
        environment.faults().at(Stage.OFFER.name());
        run.done(Stage.OFFER, RunFolder.facts().put("version", draft.getVersion()));
        handover.reportDone(draft);
    }

    private void report(Kind kind, String message) {
        environment.events().info(kind, run.id, message);
    }
}
