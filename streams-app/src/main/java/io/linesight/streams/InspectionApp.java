package io.linesight.streams;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.clients.BrokerFault;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.streams.batching.BatchListener;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.inspect.RegistryUnavailableException;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.monitoring.JvmMetrics;
import io.linesight.streams.monitoring.MetricsServer;
import io.linesight.streams.routing.FrameRouter;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.routing.RolloutGuard;
import io.linesight.streams.routing.ShadowLane;
import io.linesight.streams.routing.Verdicts;
import io.linesight.streams.serving.ModelLifecycle;
import io.linesight.streams.serving.ModelLoader;
import io.linesight.streams.serving.ServingModel;
import io.linesight.streams.serving.ServingPlan;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Inspects camera frames: reads {@code frames}, scores them with an MMAD checkpoint, writes {@code results},
 * {@code anomalies} and {@code dead-letter}. Every frame has exactly one result or one dead letter, in the order of its
 * camera.
 *
 * <p>Life: construct, {@link #start}, {@link #close}; an app cannot be started twice. Thread-safe.
 *
 * <p>What happens when things fail. A frame that cannot be read or decoded becomes a dead letter. A frame the model
 * fails on gets verdict REVIEW. A registry that is away makes frames wait, for as long as it takes. Anything else that
 * ends a stream thread (a scorer that hangs, a broker that drops the transaction) replaces the thread, and the frames
 * since the last commit are taken up again; when that happens more often than
 * {@value InspectionConfig#THREAD_REPLACEMENTS} within 10 minutes the app stops with {@link State#FAILED} and
 * {@link #failure}.
 */
public final class InspectionApp implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(InspectionApp.class);
    private static final long REPLACEMENT_WINDOW_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final long THREAD_GRACE_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int WARM_UP_BATCH = 4;

    /** Where the app is in its life. */
    public enum State {
        /** Constructed, not started. */
        CREATED,
        /** Opening the model, joining the group or rebalancing. */
        STARTING,
        /** Frames flow. */
        RUNNING,
        /** Stopped by itself; see {@link InspectionApp#failure}. */
        FAILED,
        /** Stopped by {@link InspectionApp#close}. */
        CLOSED
    }

    private final InspectionConfig config;
    private final MeterRegistry meters;
    private final PrometheusMeterRegistry prometheus;
    private final Scorer givenScorer;
    private final ModelControl control;

    private final Object life = new Object();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile State state = State.CREATED;
    private volatile Throwable failure;
    private volatile boolean closing;

    private volatile Scorer scorer;
    private volatile ModelLifecycle lifecycle;
    private TopicPublisher<ModelStatus> statuses;
    private TopicPublisher<ShadowDifference> differences;
    private ShadowLane shadow;
    private SharedBatcher challengerBatcher;
    private SharedBatcher batcher;
    private InspectionPipeline pipeline;
    private InspectionMetrics metrics;
    private MetricsServer server;
    private KafkaStreamsMetrics streamsMetrics;
    private JvmMetrics jvm;
    private volatile KafkaStreams streams;
    private volatile long threadMissingSince;
    private final Deque<Long> replacements = new ArrayDeque<>();

    /** Opens the configured checkpoint at {@link #start}; metrics go to a Prometheus registry of its own. */
    public InspectionApp(InspectionConfig config) {
        this(config, null, null);
    }

    /** As {@link #InspectionApp(InspectionConfig)}, with metrics to {@code meters}. */
    public InspectionApp(InspectionConfig config, MeterRegistry meters) {
        this(config, meters, null);
    }

    /**
     * @param meters receives the metrics; null for a Prometheus registry of the app's own
     * @param scorer scores instead of the configured checkpoint; the caller closes it after the app. Null to open the
     *     checkpoint
     */
    public InspectionApp(InspectionConfig config, MeterRegistry meters, Scorer scorer) {
        this(config, meters, scorer, null);
    }

    /**
     * @param scorer scores instead of the configured checkpoint while no decision names a champion; as above
     * @param control the rollouts to follow; null to serve one model for good
     */
    public InspectionApp(InspectionConfig config, MeterRegistry meters, Scorer scorer, ModelControl control) {
        this.control = control;
        this.config = Objects.requireNonNull(config, "config");
        this.givenScorer = scorer;
        if (meters instanceof PrometheusMeterRegistry given) {
            this.prometheus = given;
            this.meters = given;
        } else if (meters == null) {
            this.prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            this.meters = prometheus;
        } else if (config.metricsPort() != null) {
            this.prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            this.meters =
                    new CompositeMeterRegistry(io.micrometer.core.instrument.Clock.SYSTEM, List.of(meters, prometheus));
        } else {
            this.prometheus = null;
            this.meters = meters;
        }
    }

    /**
     * Checks broker, topics, registry and checkpoint, loads and warms the model, then starts the stream threads.
     * Returns before the first frame is scored: see {@link #awaitRunning}.
     *
     * @throws StartupException with every obstacle at once; nothing stays open
     */
    public void start() {
        synchronized (life) {
            if (state != State.CREATED)
                throw new IllegalStateException("an inspection app starts once; this one is " + state);
            state = State.STARTING;
            LOG.info("Starting with {}", config);
            try {
                // First, so that an orchestrator sees a start that takes long as one that lives and is not ready yet.
                if (config.metricsPort() != null) {
                    server = new MetricsServer(config.metricsPort(), prometheus, this::whyNotLive, this::whyNotReady);
                    LOG.info("Metrics at http://localhost:{}/metrics", server.port());
                }
                List<String> problems =
                        StartupChecks.problems(config, givenScorer == null && !championDecided(), control != null);
                if (!problems.isEmpty()) throw new StartupException(problems, null);
                open();
            } catch (StartupException e) {
                abandon(e);
                throw e;
            } catch (RuntimeException | LinkageError e) {
                StartupException wrapped =
                        new StartupException(List.of(Objects.toString(e.getMessage(), e.toString())), e);
                abandon(wrapped);
                throw wrapped;
            }
        }
    }

    /** Whether there is a champion that makes the configured checkpoint unnecessary. */
    private boolean championDecided() {
        return control != null
                && control.feed().current().map(Rollout::getChampion).isPresent();
    }

    private void abandon(StartupException e) {
        failure = e;
        closeParts(Duration.ofSeconds(5));
        state = State.FAILED;
        ended.countDown();
    }

    private void open() {
        metrics = new InspectionMetrics(meters);
        pipeline = new InspectionPipeline(config, control == null ? oneModel() : rollouts(), metrics);
        streams = new KafkaStreams(InspectionTopology.build(config, pipeline, metrics), config.streamsProperties());
        streams.setUncaughtExceptionHandler(this::onUncaught);
        streams.setStateListener((now, before) -> onStreamsState(now));
        streamsMetrics = new KafkaStreamsMetrics(streams);
        streamsMetrics.bindTo(meters);
        jvm = JvmMetrics.bindTo(meters);
        metrics.app(() -> whyNotLive().isEmpty(), () -> whyNotReady().isEmpty(), this::behind);
        String device = scorer != null ? scorer.device() : lifecycle.device();
        metrics.device(
                config.scorer().device(),
                device,
                config.scorer().device().equals("auto")
                        && DeviceChooser.builtWithCuda()
                        && device.equalsIgnoreCase("cpu"));
        streams.start();
    }

    private FrameRouter oneModel() {
        scorer = givenScorer == null ? OrtScorer.open(config.checkpoint(), config.scorer()) : givenScorer;
        metrics.serving(ModelRole.CHAMPION, scorer.info().version());
        long frameNanos = warmUp();
        LOG.info(
                "Model {} on {}: {} ms per frame in the warm-up",
                scorer.info().version(),
                scorer.device(),
                frameNanos / 1_000_000);
        InspectionConfig.Batching batching = config.batching();
        batcher = new SharedBatcher(
                ServingModel.fixed(scorer), batching.maxBatch(), batching.linger(), 2 * batching.maxBatch(), metrics);
        batcher.expectFrameNanos(frameNanos);
        return FrameRouter.single(batcher);
    }

    /** The champion is loaded here, before any frame is taken; a challenger follows while frames flow. */
    private FrameRouter rollouts() {
        InspectionConfig.Models models = config.models();
        InspectionConfig.Batching batching = config.batching();
        Map<String, Object> producer = config.producerProperties();
        statuses = new TopicPublisher<>(
                config.topics().modelStatus().name(),
                producer,
                SerdeFactory.create(ModelStatus.class, config.serdes(), false).serializer(),
                s -> s.getInstance() + "/" + s.getVersion(),
                Duration.ofSeconds(5));
        differences = new TopicPublisher<>(
                config.topics().shadow().name(),
                producer,
                SerdeFactory.create(ShadowDifference.class, config.serdes(), false)
                        .serializer(),
                ShadowDifference::getCameraId,
                Duration.ofSeconds(1));
        // A thread each: a batch that outlasts the app must find one when it gives its model back.
        Executor modelCloser = task -> DaemonThreads.start("linesight-model-close", task);
        ModelLoader loader = new ModelLoader(
                control.source(),
                control.trust(),
                path -> OrtScorer.open(path, config.scorer()),
                models.directory(),
                batching.maxBatch(),
                modelCloser);
        lifecycle = new ModelLifecycle(
                new ModelLifecycle.Identity(
                        models.instance(),
                        models.channel(),
                        models.stagger(),
                        models.guard().probation()),
                control.feed(),
                loader,
                base(),
                statuses::publish,
                control.decision(),
                metrics);
        lifecycle.start(config.recovery().startupTimeout());
        LOG.info(
                "Instance {} serves model {} on channel {}: {} ms per frame in the warm-up",
                models.instance(),
                lifecycle.plan().champion(),
                models.channel(),
                lifecycle.frameNanos() / 1_000_000);
        int capacity = 2 * batching.maxBatch();
        batcher = new SharedBatcher(
                lifecycle.championSlot(), batching.maxBatch(), batching.linger(), capacity, new BatchListener() {
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
                });
        batcher.expectFrameNanos(lifecycle.frameNanos());
        challengerBatcher = new SharedBatcher(
                "linesight-challenger",
                lifecycle.challengerModel(),
                batching.maxBatch(),
                batching.linger(),
                capacity,
                metrics.challengerBatches());
        challengerBatcher.expectFrameNanos(lifecycle.frameNanos());
        RolloutGuard guard = new RolloutGuard(lifecycle::plan, models.guard(), lifecycle::distrust);
        shadow = new ShadowLane(
                challengerBatcher,
                batcher::queued,
                batching.maxBatch(),
                models.shadowQueue(),
                new Verdicts(config.review().low(), config.review().high()),
                differences::publish,
                guard,
                metrics);
        return FrameRouter.of(
                batcher, challengerBatcher, lifecycle::plan, control.canary(), control.shadow(), guard, shadow);
    }

    private Supplier<Scorer> base() {
        if (givenScorer != null) return () -> new Unclosed(givenScorer);
        return config.checkpoint() == null ? null : () -> OrtScorer.open(config.checkpoint(), config.scorer());
    }

    /** A scorer that the caller of the constructor closes. */
    private record Unclosed(Scorer scorer) implements Scorer {
        @Override
        public CheckpointInfo info() {
            return scorer.info();
        }

        @Override
        public String device() {
            return scorer.device();
        }

        @Override
        public Scores score(List<byte[]> frames) {
            return scorer.score(frames);
        }

        @Override
        public void close() {}
    }

    /**
     * The first inference allocates and compiles; no frame should wait for that, and a model that cannot score should
     * not start.
     */
    private long warmUp() {
        byte[] black = new byte[3 * Preprocess.SIDE * Preprocess.SIDE];
        int batch = Math.min(WARM_UP_BATCH, config.batching().maxBatch());
        List<byte[]> frames = Collections.nCopies(batch, black);
        scorer.score(frames);
        long start = System.nanoTime();
        scorer.score(frames);
        return (System.nanoTime() - start) / batch;
    }

    private StreamThreadExceptionResponse onUncaught(Throwable e) {
        if (closing) return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        if (causedByRegistry(e)) {
            LOG.warn("The schema registry is away; a new stream thread goes on trying: {}", e.getMessage());
            metrics.threadReplaced();
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        }
        BrokerFault fault = BrokerFault.of(e);
        boolean plain = fault == BrokerFault.NOT_ALLOWED
                || fault == BrokerFault.WRONG_CREDENTIALS
                || fault == BrokerFault.EXPIRED_CERTIFICATE;
        if (plain) LOG.error("{}", BrokerFault.explain(config.bootstrapServers(), e));
        int allowed = config.recovery().threadReplacements();
        synchronized (replacements) {
            long now = System.nanoTime();
            while (!replacements.isEmpty() && now - replacements.peek() > REPLACEMENT_WINDOW_NANOS) replacements.poll();
            if (replacements.size() < allowed) {
                replacements.add(now);
                metrics.threadReplaced();
                LOG.error(
                        "A stream thread failed; it is replaced and its uncommitted frames are taken up again ({} of at most {} in 10 minutes)",
                        replacements.size(),
                        allowed,
                        e);
                return StreamThreadExceptionResponse.REPLACE_THREAD;
            }
        }
        failure = plain ? new IllegalStateException(BrokerFault.explain(config.bootstrapServers(), e), e) : e;
        LOG.error(
                "Stream threads failed more than {} times in 10 minutes; the app stops. Uncommitted frames stay in Kafka for the next start",
                allowed,
                e);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }

    private static boolean causedByRegistry(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof RegistryUnavailableException) return true;
        }
        return false;
    }

    private void onStreamsState(KafkaStreams.State now) {
        if (closing) return;
        switch (now) {
            case RUNNING -> state = State.RUNNING;
            case REBALANCING -> state = State.STARTING;
            case ERROR -> {
                if (failure == null)
                    failure = new IllegalStateException("Kafka Streams stopped by itself; its log says why");
                state = State.FAILED;
                ended.countDown();
            }
            default -> {}
        }
    }

    /**
     * Waits until partitions are assigned and frames flow.
     *
     * @return false when that did not happen in time, or when the app failed or was closed
     */
    public boolean awaitRunning(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (state == State.CREATED || state == State.STARTING) {
            if (System.nanoTime() >= deadline) return false;
            Thread.sleep(20);
        }
        return state == State.RUNNING;
    }

    /** Waits until the app has failed or was closed; false when the time is over first. */
    public boolean awaitEnd(Duration patience) throws InterruptedException {
        return ended.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    public State state() {
        return state;
    }

    /**
     * Why only a restart helps; empty while the app lives. A stream thread that died without being replaced counts
     * after a minute.
     */
    public Optional<String> whyNotLive() {
        if (state == State.FAILED)
            return Optional.of(
                    "the app stopped: " + failure().map(Throwable::getMessage).orElse("see its log"));
        KafkaStreams running = streams;
        if (running == null || closing || state != State.RUNNING) {
            threadMissingSince = 0;
            return Optional.empty();
        }
        int alive = running.metadataForLocalThreads().size();
        int wanted = config.streams().threads();
        long now = System.nanoTime();
        if (alive >= wanted) threadMissingSince = 0;
        else if (threadMissingSince == 0) threadMissingSince = now;
        return alive >= wanted || alive > 0 && now - threadMissingSince < THREAD_GRACE_NANOS
                ? Optional.empty()
                : Optional.of(wanted - alive + " of " + wanted + " stream threads have died and were not replaced");
    }

    /** Why frames do not flow through this instance now; empty while they do. */
    public Optional<String> whyNotReady() {
        if (closing) return Optional.of("the app is stopping: what is pending is scored and committed");
        if (state != State.RUNNING) {
            return Optional.of(
                    switch (state) {
                        case CREATED -> "the app was not started";
                        case STARTING -> "the app opens its model, joins the group or waits for partitions";
                        case FAILED ->
                            "the app stopped: "
                                    + failure().map(Throwable::getMessage).orElse("see its log");
                        default -> "the app is closed";
                    });
        }
        ModelLifecycle models = lifecycle;
        boolean serves = models == null ? scorer != null : models.plan().champion() != null;
        return serves ? whyNotLive() : Optional.of("no model serves");
    }

    /** Whether the channel has decided for another champion than the one in service. */
    private boolean behind() {
        ModelLifecycle models = lifecycle;
        if (models == null || control == null) return false;
        String decided = control.feed().current().map(Rollout::getChampion).orElse(null);
        return decided != null && !decided.equals(models.plan().champion());
    }

    /** Why the app is {@link State#FAILED}. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** Where the metrics of {@link InspectionMetrics} are. */
    public MeterRegistry meters() {
        return meters;
    }

    /** The port that {@code /metrics} is served on, once started with one. */
    public OptionalInt metricsPort() {
        synchronized (life) {
            return server == null ? OptionalInt.empty() : OptionalInt.of(server.port());
        }
    }

    /** What this instance serves, when it follows rollouts; empty before the start. */
    public Optional<ServingPlan> servingPlan() {
        synchronized (life) {
            return Optional.ofNullable(lifecycle).map(ModelLifecycle::plan);
        }
    }

    /** Version of the model that decides, canaries apart; empty before the start. */
    public Optional<String> modelVersion() {
        synchronized (life) {
            if (lifecycle != null) return Optional.ofNullable(lifecycle.plan().champion());
            return Optional.ofNullable(scorer).map(s -> s.info().version());
        }
    }

    /** Scores and commits what is pending, leaves the group, closes the model; waits up to a minute. Idempotent. */
    @Override
    public void close() {
        close(Duration.ofSeconds(60));
    }

    /**
     * As {@link #close()}.
     *
     * @return true when everything pending was committed in time; otherwise it is scored again after the next start
     */
    public boolean close(Duration patience) {
        synchronized (life) {
            if (state == State.CLOSED) return true;
            closing = true;
            boolean clean = closeParts(patience);
            state = State.CLOSED;
            ended.countDown();
            return clean;
        }
    }

    /**
     * In the order of the data flow: nobody is left waiting for a part that is gone, and the scorer goes after its last
     * batch.
     */
    private boolean closeParts(Duration patience) {
        boolean clean = true;
        // No swap while the last frames are scored; the models stay until that is done.
        if (lifecycle != null) lifecycle.stop();
        if (streams != null) {
            // Leaving tells the group at once; otherwise the cameras of this instance would wait for its session to
            // expire.
            clean = streams.close(CloseOptions.timeout(patience)
                    .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
            if (!clean)
                LOG.warn(
                        "The stream threads did not end within {} ms; what they hold stays uncommitted",
                        patience.toMillis());
            streams = null;
        }
        if (streamsMetrics != null) streamsMetrics.close();
        if (jvm != null) jvm.close();
        if (pipeline != null) pipeline.close();
        boolean idle = batcher == null || batcher.close(Duration.ofSeconds(30));
        if (shadow != null) shadow.close();
        idle &= challengerBatcher == null || challengerBatcher.close(Duration.ofSeconds(30));
        // A model that is still busy closes itself after its batch.
        idle &= lifecycle == null || lifecycle.close(Duration.ofSeconds(30));
        if (statuses != null) statuses.close();
        if (differences != null) differences.close();
        if (server != null) server.close();
        if (scorer != null && scorer != givenScorer) {
            // Memory of a native session must not go away under a running inference.
            if (idle) scorer.close();
            else LOG.warn("The model is still busy and is not closed; its memory goes with the process");
        }
        return clean && idle;
    }
}
