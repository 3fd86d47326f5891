package io.linesight.trainer.learning;

import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GatedProduct;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import io.linesight.schemas.TrainingStage;
import io.linesight.schemas.TrainingStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What there is to say of the trainer and its run, from the run's folder and from what was said. Any thread. */
final class TrainingView {
    private static final int LOSSES = 200;

    private final TrainerConfig config;
    private final Clock clock;
    private final Supplier<Map<String, Long>> labels;
    private final IntSupplier newNormals;
    private @Nullable RunFolder run;
    private String trigger = "";
    private String message = "";
    private @Nullable Instant startedAt;
    private @Nullable Instant trainingSince;
    private @Nullable TrainingStage ended;
    private boolean waiting;

    /**
     * @param labels what became of labels and frames, by name
     * @param newNormals labelled since the last run
     */
    TrainingView(TrainerConfig config, Clock clock, Supplier<Map<String, Long>> labels, IntSupplier newNormals) {
        this.config = config;
        this.clock = clock;
        this.labels = labels;
        this.newNormals = newNormals;
    }

    /** Sets the run that the next events belong to. */
    synchronized void follow(RunFolder started) {
        run = started;
        ended = null;
        startedAt = now();
        trainingSince = null;
    }

    /** Takes notice of an event. */
    synchronized void see(TrainerEvent e) {
        message = e.message();
        waiting = e.kind() == TrainerEvent.Kind.WAITING;
        switch (e.kind()) {
            case RUN_STARTED -> trigger = e.message();
            case RUN_FINISHED ->
                ended = run != null
                                && run.of(Stage.GATE).path("outcome").asText().equals(GateOutcome.PASSED.name())
                        ? TrainingStage.PASSED
                        : TrainingStage.NOT_PASSED;
            case RUN_FAILED -> ended = TrainingStage.FAILED;
            // The run before is over and was said to be.
            case LABELS, WORKING, STANDBY -> {
                if (ended != null) run = null;
            }
            default -> {}
        }
    }

    /** Whether a run is in progress, so that its state changes without an event. */
    synchronized boolean isBusy() {
        return run != null && ended == null;
    }

    /** The trainer now. */
    TrainingStatus status() {
        // Outside the lock: they take those of counters and store.
        Map<String, Long> counts = labels.get();
        int fresh = newNormals.getAsInt();
        synchronized (this) {
            return status(counts, fresh);
        }
    }

    private TrainingStatus status(Map<String, Long> counts, int fresh) {
        TrainingStatus.Builder s = TrainingStatus.newBuilder()
                .setChannel(config.channel())
                .setTrainer(config.instance())
                .setRun(run == null ? "" : run.id)
                .setStage(stage())
                .setWaiting(waiting)
                .setLabels(counts)
                .setNewNormals(fresh)
                .setMessage(message)
                .setAt(now());
        if (run != null) describe(run, s);
        return s.build();
    }

    private TrainingStage stage() {
        if (run == null) return TrainingStage.IDLE;
        if (ended != null) return ended;
        Stage stage = Stream.of(Stage.values())
                .filter(candidate -> !run.done(candidate))
                .findFirst()
                .orElse(Stage.OFFER);
        return switch (stage) {
            case FETCH -> TrainingStage.CHOOSING;
            case TRAIN -> TrainingStage.TRAINING;
            case CALIBRATE -> TrainingStage.CALIBRATING;
            case GATE -> TrainingStage.JUDGING;
            case OFFER -> TrainingStage.PUBLISHING;
        };
    }

    private void describe(RunFolder r, TrainingStatus.Builder s) {
        s.setTrigger(trigger).setStartedAt(startedAt);
        String champion = r.of(Stage.FETCH).path("champion").asText("");
        if (!champion.isEmpty()) s.setChampion(champion);
        String version = r.of(Stage.CALIBRATE).path("version").asText("");
        if (!version.isEmpty()) s.setVersion(version);
        LatestStep.Curve curve = LatestStep.curve(r.file(TrainingRun.METRICS), LOSSES);
        s.setStep(curve.last().number())
                .setLoss(Double.isNaN(curve.last().loss()) ? null : curve.last().loss())
                .setLosses(curve.losses());
        if (s.getStage() == TrainingStage.TRAINING) time(s);
        if (r.done(Stage.GATE)) verdict(r, s);
    }

    /** A budget of time is the only one whose end is known beforehand. */
    private void time(TrainingStatus.Builder s) {
        if (trainingSince == null) trainingSince = now();
        long budget = Math.round(60 * config.tuning().minutes());
        if (budget <= 0) return;
        long passed = Duration.between(trainingSince, now()).toSeconds();
        s.setFraction((float) Math.max(0, Math.min(1, (double) passed / budget)));
        s.setSecondsLeft(Math.max(0, budget - passed));
    }

    private static void verdict(RunFolder r, TrainingStatus.Builder s) {
        try {
            ModelVersion draft =
                    ModelVersion.fromByteBuffer(ByteBuffer.wrap(Files.readAllBytes(r.file(TrainingRun.DRAFT))));
            s.setVerdict(draft.getGate().getOutcome() + ": " + draft.getGate().getReason());
            List<GatedProduct> products =
                    draft.getProducts().stream().map(TrainingView::product).toList();
            s.setProducts(products);
        } catch (IOException e) {
            // The run's folder is being removed; its verdict was published before.
        }
    }

    private static GatedProduct product(ProductMetrics p) {
        return GatedProduct.newBuilder()
                .setProduct(p.getProduct())
                .setNormals(p.getNormals())
                .setAnomalous(p.getAnomalous())
                .setImageAuroc(p.getImageAuroc())
                .setFalseAlarmRate(p.getFalseAlarmRate())
                .setMissRate(p.getMissRate())
                .setChampionImageAuroc(p.getParentImageAuroc())
                .setChampionFalseAlarmRate(p.getParentFalseAlarmRate())
                .setChampionMissRate(p.getParentMissRate())
                .build();
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MICROS);
    }
}
