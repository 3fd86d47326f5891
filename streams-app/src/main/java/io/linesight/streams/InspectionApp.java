package io.linesight.streams;

import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.models.settings.SettingsFeed;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.Rollout;
import io.linesight.streams.batching.FrameViews;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.ReviewSettings;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.decision.LiveRules;
import io.linesight.streams.exemption.ExemptionService;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.inspect.RegistryAccess;
import io.linesight.streams.monitoring.AppMeters;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.monitoring.JvmMetrics;
import io.linesight.streams.monitoring.MetricsServer;
import io.linesight.streams.offsets.FramesTopic;
import io.linesight.streams.offsets.OffsetRecovery;
import io.linesight.streams.routing.FrameRouter;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.serving.ServingPlan;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jspecify.annotations.Nullable;
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
 * fails on gets verdict REVIEW. A registry that is unavailable makes frames wait in Kafka, for as long as it takes, and
 * the app is not ready meanwhile; frames of schemas that are known flow on. Anything else that ends a stream thread (a
 * scorer that hangs, a broker that drops the transaction) replaces the thread, and the frames since the last commit are
 * processed again; when that happens more often than {@value InspectionConfig#THREAD_REPLACEMENTS} within 10 minutes
 * the app stops with {@link State#FAILED} and {@link #failure}.
 */
public final class InspectionApp implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(InspectionApp.class);
    /** What is pending may still be answered, but its offsets cannot be committed any more. */
    private static final Duration RESTART_TIMEOUT = Duration.ofSeconds(20);

    /** Frames that people have labelled wait beside those of the cameras, in turns. */
    private static final String EXEMPTION_LANE = "linesight.exemptions";

    private static final long THREAD_GRACE_NANOS = TimeUnit.MINUTES.toNanos(1);

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
    private final ModelControl models;
    private final AppMeters meters;

    private final Object life = new Object();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile State state = State.CREATED;
    private volatile @Nullable Throwable failure;
    private volatile boolean closing;

    private volatile @Nullable ModelServing serving;
    private volatile @Nullable SettingsFeed settings;
    private @Nullable ExemptionService exemptions;
    private @Nullable InspectionPipeline pipeline;
    private volatile @Nullable RegistryAccess registry;
    private @Nullable MetricsServer server;
    private @Nullable KafkaStreamsMetrics streamsMetrics;
    private @Nullable JvmMetrics jvm;
    private volatile @Nullable KafkaStreams streams;
    private volatile long threadMissingSince;
    private @Nullable InspectionMetrics metrics;
    private @Nullable FramesTopic framesTopic;
    private @Nullable TopicWatch watch;
    /** Why the stream threads are stopped for now; null while they should run. */
    private volatile @Nullable String pausedBecause;

    /**
     * @param models which models are served: those of a channel, or the configured checkpoint for good
     * @param meters receives the metrics; null for a Prometheus registry of the app's own
     */
    public InspectionApp(InspectionConfig config, ModelControl models, @Nullable MeterRegistry meters) {
        this.config = Objects.requireNonNull(config, "config");
        this.models = Objects.requireNonNull(models, "models");
        this.meters = AppMeters.of(meters, config.metricsPort() != null);
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
            config.summary().forEach(line -> LOG.info("{}", line));
            LOG.debug("All settings: {}", config);
            try {
                // First, so that an orchestrator sees a start that takes long as one that lives and is not ready yet.
                openServer();
                boolean needsCheckpoint = models.scorer() == null && !championDecided();
                List<String> problems = StartupChecks.problems(config, needsCheckpoint, models.followsChannel());
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

    private void openServer() {
        Integer port = config.metricsPort();
        if (port == null) return;
        server = new MetricsServer(port, meters.prometheus(), this::whyNotLive, this::whyNotReady);
        LOG.info("Metrics at http://localhost:{}/metrics", server.port());
    }

    /** Whether there is a champion that makes the configured checkpoint unnecessary. */
    private boolean championDecided() {
        return models.feed().current().map(Rollout::getChampion).isPresent();
    }

    private void abandon(StartupException e) {
        failure = e;
        closeParts(Duration.ofSeconds(5));
        state = State.FAILED;
        ended.countDown();
    }

    private void open() {
        InspectionMetrics opening = new InspectionMetrics(meters.registry());
        metrics = opening;
        DecisionRules rules = openRules(opening);
        ExemptionService exempting = ExemptionService.open(config, models.followsChannel(), rules, opening);
        exemptions = exempting;
        ModelServing opened = new ModelServing(config, models, exempting::wantsFeatures, rules, opening);
        serving = opened;
        pipeline = new InspectionPipeline(config, opened.router(), rules, exempting.frames(), opening);
        pipeline.warmUp();
        exempting.start(opened::championInfo, planar -> opened.router()
                .submit(FrameRouter.Route.CHAMPION, EXEMPTION_LANE, FrameViews.whole(planar)));
        RegistryAccess access = RegistryAccess.of(config, opening);
        registry = access;
        access.prime();
        jvm = JvmMetrics.bindTo(meters.registry());
        opening.app(() -> whyNotLive().isEmpty(), () -> whyNotReady().isEmpty(), opened::isBehind);
        opening.device(config.scorer().device(), opened.device(), opened.fellBackToCpu());
        FramesTopic topic = new FramesTopic(config);
        framesTopic = topic;
        Uuid id = identify(topic);
        startStreams(id);
        watch = new TopicWatch(topic, id, new Rereading());
    }

    /** Where decisions lie: before the first frame is judged, all that people have set is known. */
    private DecisionRules openRules(InspectionMetrics opening) {
        ReviewSettings review = config.review();
        if (!config.live().follows(models.followsChannel())) return DecisionRules.fixed(review.low(), review.high());
        SettingsFeed feed = SettingsFeed.open(
                config.models().channel(),
                config.adminProperties(),
                config.serdes(),
                config.topics().settings().name());
        settings = feed;
        LiveRules rules = new LiveRules(new VerdictRule(review.low(), review.high()), feed::state);
        opening.settings(() -> feed.state().end(), rules::notCarried);
        return rules;
    }

    /** Id of the topic of frames, with the group's offsets set right; null where the broker does not tell ids. */
    private @Nullable Uuid identify(FramesTopic topic) {
        try {
            Uuid id = topic.id().orElse(null);
            if (id != null) new OffsetRecovery(config, metrics, () -> closing).run(id, false);
            return id;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the topic of frames was looked at", e);
        }
    }

    private void startStreams(@Nullable Uuid framesId) {
        KafkaStreams created = InspectionTopology.streams(config, pipeline, metrics, framesId, registry);
        streams = created;
        FailedThreads failedThreads = new FailedThreads(config, metrics, e -> failure = e);
        created.setUncaughtExceptionHandler(e -> handle(e, failedThreads));
        created.setStateListener((now, before) -> {
            if (streams == created) onStreamsState(now);
        });
        streamsMetrics = new KafkaStreamsMetrics(created);
        streamsMetrics.bindTo(meters.registry());
        created.start();
    }

    private StreamThreadExceptionResponse handle(Throwable e, FailedThreads failedThreads) {
        if (closing || pausedBecause != null) return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        TopicWatch watching = watch;
        if (isMissingTopic(e) && watching != null) {
            // Not a fault of the thread's: the watch starts new ones when the topic is there.
            pausedBecause = "the topic of frames was deleted";
            watching.threadsEnded();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        return failedThreads.handle(e);
    }

    private static boolean isMissingTopic(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause())
            if (cause instanceof MissingSourceTopicException) return true;
        return false;
    }

    /** Stops and starts the stream threads when the topic of frames goes and comes. */
    private final class Rereading implements TopicWatch.Listener {
        @Override
        public void stopReading(String why) {
            synchronized (life) {
                if (closing || state == State.FAILED) return;
                pausedBecause = why;
                state = State.STARTING;
                LOG.warn(
                        "Stopped reading: {}. Frames that were deleted without an answer are lost. The inspection "
                                + "continues once the topic is there, a new one from its beginning",
                        why);
                closeStreams(RESTART_TIMEOUT);
                if (streamsMetrics != null) streamsMetrics.close();
            }
        }

        @Override
        public void startReading(Uuid id, boolean recreated) throws InterruptedException {
            new OffsetRecovery(config, metrics, () -> closing).run(id, recreated);
            synchronized (life) {
                if (closing || state == State.FAILED) return;
                pausedBecause = null;
                startStreams(id);
                LOG.info("Reading topic {} with id {}", config.topics().frames().name(), id);
            }
        }
    }

    private void onStreamsState(KafkaStreams.State now) {
        if (closing || pausedBecause != null) return;
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
    public boolean awaitRunning(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (state == State.CREATED || state == State.STARTING) {
            if (System.nanoTime() >= deadline) return false;
            Thread.sleep(20);
        }
        return state == State.RUNNING;
    }

    /** Waits until the app has failed or was closed; false when the time is over first. */
    public boolean awaitEnd(Duration timeout) throws InterruptedException {
        return ended.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
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
                        case STARTING ->
                            pausedBecause != null
                                    ? pausedBecause + "; waiting for it to be there"
                                    : "the app opens its model, joins the group or waits for partitions";
                        case FAILED ->
                            "the app stopped: "
                                    + failure().map(Throwable::getMessage).orElse("see its log");
                        default -> "the app is closed";
                    });
        }
        if (modelVersion().isEmpty()) return Optional.of("no model serves");
        RegistryAccess access = registry;
        return whyNotLive().or(() -> access == null ? Optional.empty() : access.whyWaiting());
    }

    /** Why the app is {@link State#FAILED}. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** What people have set for the products of the channel; empty before the start, and where it is not followed. */
    public Optional<SettingsState> settings() {
        return Optional.ofNullable(settings).map(SettingsFeed::state);
    }

    /**
     * How a model in service here says that raw scores of normal images are distributed; empty where it does not, or is
     * not in service. Never waits.
     */
    public Optional<ScoreQuantiles> normals(String version, @Nullable String product) {
        ModelServing running = serving;
        return running == null ? Optional.empty() : running.normals(version, product);
    }

    /** Where the metrics of {@link InspectionMetrics} are. */
    public MeterRegistry meters() {
        return meters.registry();
    }

    /** The port that {@code /metrics} is served on, once started with one. */
    public OptionalInt metricsPort() {
        synchronized (life) {
            return server == null ? OptionalInt.empty() : OptionalInt.of(server.port());
        }
    }

    /** What this instance serves; empty before the start. */
    public Optional<ServingPlan> servingPlan() {
        return Optional.ofNullable(serving).map(ModelServing::plan);
    }

    /** Version of the model that decides, canaries apart; empty before the start. */
    public Optional<String> modelVersion() {
        return servingPlan().map(ServingPlan::champion);
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
    public boolean close(Duration timeout) {
        synchronized (life) {
            if (state == State.CLOSED) return true;
            closing = true;
            boolean clean = closeParts(timeout);
            state = State.CLOSED;
            ended.countDown();
            return clean;
        }
    }

    /**
     * In the order of the data flow: nobody is left waiting for a part that is gone, and the models go after their last
     * batch.
     */
    private boolean closeParts(Duration timeout) {
        ModelServing served = serving;
        // No swap while the last frames are scored; the models stay until that is done.
        if (served != null) served.stop();
        if (watch != null) watch.close();
        if (framesTopic != null) framesTopic.close();
        boolean clean = closeStreams(timeout);
        if (registry != null) registry.close();
        if (streamsMetrics != null) streamsMetrics.close();
        if (jvm != null) jvm.close();
        if (pipeline != null) pipeline.close();
        if (exemptions != null) exemptions.close();
        SettingsFeed feed = settings;
        if (feed != null) feed.close();
        clean &= served == null || served.closeAfterLastBatch();
        if (server != null) server.close();
        return clean;
    }

    private boolean closeStreams(Duration timeout) {
        KafkaStreams running = streams;
        if (running == null) return true;
        // Leaving tells the group at once; otherwise the cameras of this instance would wait for its session to expire.
        boolean clean = running.close(CloseOptions.timeout(timeout)
                .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        if (!clean)
            LOG.warn(
                    "The stream threads did not end within {} ms; what they hold stays uncommitted",
                    timeout.toMillis());
        streams = null;
        return clean;
    }
}
