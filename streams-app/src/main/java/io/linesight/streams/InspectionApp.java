package io.linesight.streams;

import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.inspect.RegistryUnavailableException;
import io.linesight.streams.metrics.InspectionMetrics;
import io.linesight.streams.metrics.MetricsServer;
import io.linesight.streams.model.ServingModel;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Inspects camera frames: reads {@code frames}, scores them with an MMAD checkpoint, writes {@code results}, {@code anomalies} and
 * {@code dead-letter}. Every frame has exactly one result or one dead letter, in the order of its camera.
 *
 * <p>Life: construct, {@link #start}, {@link #close}; an app cannot be started twice. Thread-safe.
 *
 * <p>What happens when things fail. A frame that cannot be read or decoded becomes a dead letter. A frame the model fails on gets verdict
 * REVIEW. A registry that is away makes frames wait, for as long as it takes. Anything else that ends a stream thread (a scorer that hangs,
 * a broker that drops the transaction) replaces the thread, and the frames since the last commit are taken up again; when that happens more
 * often than {@value InspectionConfig#THREAD_REPLACEMENTS} within 10 minutes the app stops with {@link State#FAILED} and {@link #failure}.
 */
public final class InspectionApp implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(InspectionApp.class);
    private static final long REPLACEMENT_WINDOW_NANOS = TimeUnit.MINUTES.toNanos(10);
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

    private final Object lifecycle = new Object();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile State state = State.CREATED;
    private volatile Throwable failure;
    private volatile boolean closing;

    private Scorer scorer;
    private SharedBatcher batcher;
    private InspectionPipeline pipeline;
    private InspectionMetrics metrics;
    private MetricsServer server;
    private KafkaStreamsMetrics streamsMetrics;
    private KafkaStreams streams;
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
     * @param scorer scores instead of the configured checkpoint; the caller closes it after the app. Null to open the checkpoint
     */
    public InspectionApp(InspectionConfig config, MeterRegistry meters, Scorer scorer) {
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
            this.meters = new CompositeMeterRegistry(io.micrometer.core.instrument.Clock.SYSTEM, List.of(meters, prometheus));
        } else {
            this.prometheus = null;
            this.meters = meters;
        }
    }

    /**
     * Checks broker, topics, registry and checkpoint, loads and warms the model, then starts the stream threads. Returns before the first
     * frame is scored: see {@link #awaitRunning}.
     *
     * @throws StartupException with every obstacle at once; nothing stays open
     */
    public void start() {
        synchronized (lifecycle) {
            if (state != State.CREATED) throw new IllegalStateException("an inspection app starts once; this one is " + state);
            state = State.STARTING;
            LOG.info("Starting with {}", config);
            try {
                List<String> problems = StartupChecks.problems(config, givenScorer == null);
                if (!problems.isEmpty()) throw new StartupException(problems, null);
                open();
            } catch (StartupException e) {
                abandon(e);
                throw e;
            } catch (RuntimeException | LinkageError e) {
                StartupException wrapped = new StartupException(List.of(Objects.toString(e.getMessage(), e.toString())), e);
                abandon(wrapped);
                throw wrapped;
            }
        }
    }

    private void abandon(StartupException e) {
        failure = e;
        closeParts(Duration.ofSeconds(5));
        state = State.FAILED;
        ended.countDown();
    }

    private void open() {
        scorer = givenScorer == null ? OrtScorer.open(config.checkpoint(), config.scorer()) : givenScorer;
        long frameNanos = warmUp();
        LOG.info("Model {} on {}: {} ms per frame in the warm-up", scorer.info().version(), scorer.device(), frameNanos / 1_000_000);
        metrics = new InspectionMetrics(meters);
        InspectionConfig.Batching batching = config.batching();
        batcher = new SharedBatcher(ServingModel.fixed(scorer), batching.maxBatch(), batching.linger(), 2 * batching.maxBatch(), metrics);
        batcher.expectFrameNanos(frameNanos);
        pipeline = new InspectionPipeline(config, batcher, metrics);
        streams = new KafkaStreams(InspectionTopology.build(config, pipeline, metrics), config.streamsProperties());
        streams.setUncaughtExceptionHandler(this::onUncaught);
        streams.setStateListener((now, before) -> onStreamsState(now));
        streamsMetrics = new KafkaStreamsMetrics(streams);
        streamsMetrics.bindTo(meters);
        if (config.metricsPort() != null) {
            server = new MetricsServer(config.metricsPort(), prometheus, () -> state != State.FAILED, () -> state == State.RUNNING);
            LOG.info("Metrics at http://localhost:{}/metrics", server.port());
        }
        streams.start();
    }

    /** The first inference allocates and compiles; no frame should wait for that, and a model that cannot score should not start. */
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
        int allowed = config.recovery().threadReplacements();
        synchronized (replacements) {
            long now = System.nanoTime();
            while (!replacements.isEmpty() && now - replacements.peek() > REPLACEMENT_WINDOW_NANOS) replacements.poll();
            if (replacements.size() < allowed) {
                replacements.add(now);
                metrics.threadReplaced();
                LOG.error("A stream thread failed; it is replaced and its uncommitted frames are taken up again ({} of at most {} in 10 minutes)",
                        replacements.size(), allowed, e);
                return StreamThreadExceptionResponse.REPLACE_THREAD;
            }
        }
        failure = e;
        LOG.error("Stream threads failed more than {} times in 10 minutes; the app stops. Uncommitted frames stay in Kafka for the next start", allowed, e);
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
                if (failure == null) failure = new IllegalStateException("Kafka Streams stopped by itself; its log says why");
                state = State.FAILED;
                ended.countDown();
            }
            default -> { }
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
        synchronized (lifecycle) {
            return server == null ? OptionalInt.empty() : OptionalInt.of(server.port());
        }
    }

    /** Version of the model that scores; empty before the start. */
    public Optional<String> modelVersion() {
        synchronized (lifecycle) {
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
        synchronized (lifecycle) {
            if (state == State.CLOSED) return true;
            closing = true;
            boolean clean = closeParts(patience);
            state = State.CLOSED;
            ended.countDown();
            return clean;
        }
    }

    /** In the order of the data flow: nobody is left waiting for a part that is gone, and the scorer goes after its last batch. */
    private boolean closeParts(Duration patience) {
        boolean clean = true;
        if (streams != null) {
            // Leaving tells the group at once; otherwise the cameras of this instance would wait for its session to expire.
            clean = streams.close(CloseOptions.timeout(patience).withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
            if (!clean) LOG.warn("The stream threads did not end within {} ms; what they hold stays uncommitted", patience.toMillis());
            streams = null;
        }
        if (streamsMetrics != null) streamsMetrics.close();
        if (pipeline != null) pipeline.close();
        boolean idle = batcher == null || batcher.close(Duration.ofSeconds(30));
        if (server != null) server.close();
        if (scorer != null && scorer != givenScorer) {
            // Memory of a native session must not go away under a running inference.
            if (idle) scorer.close();
            else LOG.warn("The model is still busy and is not closed; its memory goes with the process");
        }
        return clean && idle;
    }
}
