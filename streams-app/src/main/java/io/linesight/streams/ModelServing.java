package io.linesight.streams;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.batching.BatchLimits;
import io.linesight.streams.batching.BatchListener;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.BatchingSettings;
import io.linesight.streams.config.ExemptionSettings;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.RolloutSettings;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.routing.FrameRouter;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.routing.RolloutGuard;
import io.linesight.streams.routing.ShadowLane;
import io.linesight.streams.routing.Verdicts;
import io.linesight.streams.serving.ModelLifecycle;
import io.linesight.streams.serving.ModelLoader;
import io.linesight.streams.serving.ServingModel;
import io.linesight.streams.serving.ServingPlan;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models of one app: the lifecycle that loads them, the batchers that score with them, and the router that says
 * which of them decides a frame. A fixed checkpoint is served the same way; only nobody is told about it. Thread-safe.
 */
final class ModelServing implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ModelServing.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

    private final InspectionConfig config;
    private final ModelControl control;
    private final BooleanSupplier features;
    private final ModelReports reports;
    private final ModelLifecycle lifecycle;
    private final SharedBatcher champion;
    private final SharedBatcher challenger;
    private final ShadowLane shadow;
    private final FrameRouter router;

    /**
     * Loads the champion, before any frame is taken; a challenger follows while frames flow.
     *
     * @param features asked before every batch: whether its answers are to say what the encoder saw
     * @param rules say where a challenger's decision on a frame lies
     * @throws IllegalStateException saying why there is no model to serve; nothing stays open
     */
    ModelServing(
            InspectionConfig config,
            ModelControl control,
            BooleanSupplier features,
            DecisionRules rules,
            InspectionMetrics metrics) {
        this.features = features;
        this.config = config;
        this.control = control;
        reports = control.followsChannel() ? ModelReports.toTopics(config) : ModelReports.none();
        Deque<Runnable> opened = new ArrayDeque<>();
        opened.push(reports::close);
        try {
            lifecycle = lifecycle(metrics);
            opened.push(lifecycle::close);
            lifecycle.start(config.recovery().startupTimeout());
            logStart();
            champion = batcher("linesight-inference", lifecycle.championModel(), listener(metrics));
            opened.push(champion::close);
            challenger = batcher("linesight-challenger", lifecycle.challengerModel(), metrics.challengerBatches());
            opened.push(challenger::close);
            RolloutGuard guard =
                    new RolloutGuard(lifecycle::plan, config.models().guard(), lifecycle::distrust);
            shadow = shadowLane(guard, rules, metrics);
            opened.push(shadow::close);
            router = FrameRouter.of(
                    champion, challenger, lifecycle::plan, control.canary(), control.shadow(), guard, shadow);
        } catch (RuntimeException | Error e) {
            closeAll(opened, e);
            throw e;
        }
    }

    /** Closes what was opened before a failure, the last one first. */
    private static void closeAll(Deque<Runnable> opened, Throwable failure) {
        for (Runnable close : opened) {
            try {
                close.run();
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    private ModelLifecycle lifecycle(InspectionMetrics metrics) {
        RolloutSettings models = config.models();
        ModelLoader loader = new ModelLoader(
                control.source(),
                control.trust(),
                checkpoint -> OrtScorer.open(checkpoint, scorerOptions()),
                models.directory(),
                config.batching().maxBatch(),
                // A thread each: a batch that outlasts the app must find one when it gives its model back.
                task -> DaemonThreads.start("linesight-model-close", task));
        return new ModelLifecycle(
                new ModelLifecycle.Identity(
                        models.instance(),
                        models.channel(),
                        models.stagger(),
                        models.guard().probation()),
                control.feed(),
                loader,
                checkpoint(),
                new ModelLifecycle.Callbacks(reports.statuses(), control.decision(), metrics));
    }

    private @Nullable Supplier<Scorer> checkpoint() {
        if (control.scorer() != null) return control.scorer();
        Path file = config.checkpoint();
        return file == null ? null : () -> OrtScorer.open(file, scorerOptions());
    }

    private ScorerOptions scorerOptions() {
        boolean exempts = config.exemptions().mode(control.followsChannel()) != ExemptionSettings.Mode.OFF;
        return config.scorer().withFeatures(exempts);
    }

    private void logStart() {
        LOG.info(
                "Model {} serves on {}{}: {} ms per frame in the warm-up",
                lifecycle.plan().champion(),
                lifecycle.device(),
                control.followsChannel()
                        ? ", instance " + config.models().instance() + " of channel "
                                + config.models().channel()
                        : "",
                lifecycle.frameNanos() / 1_000_000);
    }

    private SharedBatcher batcher(String thread, ServingModel model, BatchListener listener) {
        BatchingSettings batching = config.batching();
        long frameNanos = lifecycle.frameNanos();
        SharedBatcher batcher = new SharedBatcher(
                thread, model, BatchLimits.of(batching.maxBatch(), batching.linger()), listener, features);
        batcher.expectFrameNanos(frameNanos);
        return batcher;
    }

    private ShadowLane shadowLane(RolloutGuard guard, DecisionRules rules, InspectionMetrics metrics) {
        return new ShadowLane(
                challenger,
                champion::queued,
                config.batching().maxBatch(),
                config.models().shadowQueue(),
                new Verdicts(rules),
                reports.differences(),
                guard,
                metrics);
    }

    /** The metrics' listener, which also lets the lifecycle know when the champion's batches change their model. */
    private BatchListener listener(InspectionMetrics metrics) {
        return new BatchListener() {
            @Override
            public void onStart(IntSupplier queued) {
                metrics.onStart(queued);
            }

            @Override
            public void onBatch(int size, int failed, long inferenceNanos) {
                metrics.onBatch(size, failed, inferenceNanos);
            }

            @Override
            public void onRetry(int size, RuntimeException cause) {
                metrics.onRetry(size, cause);
            }

            @Override
            public void onModel(CheckpointInfo model, long pauseNanos) {
                metrics.onModel(model, pauseNanos);
                lifecycle.firstBatch(model.version(), pauseNanos);
            }
        };
    }

    /** Says which model decides a frame. */
    FrameRouter router() {
        return router;
    }

    /** What is served now. */
    ServingPlan plan() {
        return lifecycle.plan();
    }

    /** The model that decides, canaries apart. */
    CheckpointInfo championInfo() {
        try (ServingModel.Lease lease = lifecycle.championModel().acquire()) {
            return lease.scorer().info();
        }
    }

    /** How a model in service says that scores of normal images are distributed. */
    Optional<ScoreQuantiles> normals(String version, @Nullable String product) {
        return Stream.of(lifecycle.championModel(), lifecycle.challengerModel())
                .map(ModelServing::info)
                .flatMap(Optional::stream)
                .filter(info -> info.version().equals(version))
                // The fallback's images are of other products.
                .filter(info -> product == null || info.calibration().knows(product))
                .map(info -> info.calibration().forProduct(product).normals())
                .filter(Objects::nonNull)
                .findFirst();
    }

    private static Optional<CheckpointInfo> info(ServingModel model) {
        try (ServingModel.Lease lease = model.acquire()) {
            return Optional.of(lease.scorer().info());
        } catch (IllegalStateException none) {
            return Optional.empty();
        }
    }

    /** The device that the champion runs on. */
    String device() {
        return lifecycle.device();
    }

    /** Whether a GPU was looked for in vain. */
    boolean fellBackToCpu() {
        return config.scorer().device().equals("auto")
                && DeviceChooser.builtWithCuda()
                && device().equalsIgnoreCase("cpu");
    }

    /** Whether the channel has decided for another champion than the one in service. */
    boolean isBehind() {
        String decided = control.feed().current().map(Rollout::getChampion).orElse(null);
        return decided != null && !decided.equals(plan().champion());
    }

    /** No further swaps; the models stay for the frames that are still to be scored. */
    void stop() {
        lifecycle.stop();
    }

    @Override
    public void close() {
        closeAfterLastBatch();
    }

    /**
     * In the order of the data flow, so that nobody is left waiting for a part that is gone.
     *
     * @return true when every model is closed; false when one is still busy, which is closed after its batch
     */
    boolean closeAfterLastBatch() {
        boolean idle = champion.close(CLOSE_TIMEOUT);
        shadow.close();
        idle &= challenger.close(CLOSE_TIMEOUT);
        idle &= lifecycle.close(CLOSE_TIMEOUT);
        reports.close();
        return idle;
    }
}
