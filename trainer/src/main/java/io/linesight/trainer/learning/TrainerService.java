package io.linesight.trainer.learning;

import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns from labels: stores them with their images, and when a trigger fires fine-tunes the channel's champion, judges
 * the challenger against it and hands it over.
 *
 * <p>Of all trainers in a consumer group one is active, the others stand by: the group assigns all partitions of the
 * labels topic to one member, and before a challenger is handed over the broker must accept a commit of this member's
 * generation. That stops a trainer that was cut off and does not know that another one took over.
 *
 * <p>The dataset store's journal says how far labels have been read; the group's offsets follow it and never lead. A
 * trainer that takes over on another machine therefore reads all labels again, into its own store.
 *
 * <p>A run is recorded stage by stage in {@code <folder>/runs}; after a crash it resumes after the last recorded stage.
 * A checkpoint is handed over only when it is the very file that was judged. It may be handed over twice when the crash
 * comes between the handover and its record.
 *
 * <p>Threads: labels are read on one thread, runs on another; every method may be called from any. The listener is
 * called on both. Ownership: whoever makes it closes it; closing waits for the training step in progress and suspends
 * the run.
 */
public final class TrainerService implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainerService.class);
    private static final Duration FRAME_TIMEOUT = Duration.ofSeconds(30);
    private static final int ADMIN_TIMEOUT_SECONDS = 15;

    private final TrainerConfig config;
    private final ChampionSource champions;
    private final ChallengerSink sink;
    private final FaultInjector faults;
    private final Timing timing;
    private final Topics topics;
    private final LabelCounters counters = new LabelCounters();
    private final RunCounters runCounters = new RunCounters();
    private final ServiceHealth health = new ServiceHealth();
    private final Lease lease = new Lease();
    private final EventLog events;
    private final TrainingView view;
    private volatile @Nullable TrainingReports reports;
    private @Nullable DatasetStore store;
    private @Nullable FrameFetcher fetcher;
    private @Nullable RecordDecoder<FrameLabel> decoder;
    private @Nullable LabelsReader labels;
    private @Nullable ResultSampler sampler;
    private @Nullable RunScheduler runs;
    private @Nullable TrainerLoop loop;
    private @Nullable Thread thread;
    private volatile boolean triggeredEarly;
    private boolean closed;

    /**
     * Delays between attempts.
     *
     * @param retry after a file could not be written, or a challenger not handed over
     * @param lateFrame between requests for frames that labels wait for
     */
    record Timing(Duration retry, Duration lateFrame) {
        static final Timing NORMAL = new Timing(Duration.ofSeconds(30), Duration.ofSeconds(5));
    }

    /** @param listener gets every event; must return soon and not throw */
    public TrainerService(
            TrainerConfig config, ChampionSource champions, ChallengerSink sink, Consumer<TrainerEvent> listener) {
        this(config, champions, sink, listener, FaultInjector.NONE, Timing.NORMAL);
    }

    TrainerService(
            TrainerConfig config,
            ChampionSource champions,
            ChallengerSink sink,
            Consumer<TrainerEvent> listener,
            FaultInjector faults,
            Timing timing) {
        // A run that resumes after a restart may score before anything is trained.
        Fit.shareProcess();
        this.config = config;
        this.champions = champions;
        this.sink = sink;
        this.faults = faults;
        this.timing = timing;
        view = new TrainingView(config, Clock.systemUTC(), counters::snapshot, this::newNormals);
        events = new EventLog(runCounters.countBefore(event -> {
            view.see(event);
            TrainingReports open = reports;
            if (open != null) open.on(event);
            listener.accept(event);
        }));
        topics = Topics.from(config.kafka());
    }

    /**
     * Opens the store, joins the group and returns; labels are read from then on.
     *
     * @throws DatasetStoreException when the store cannot be used
     * @throws IOException when the folder cannot be used
     * @throws KafkaException when the broker does not answer or has no labels topic; nothing is left open
     */
    public synchronized void start() throws IOException {
        if (thread != null) throw new IllegalStateException("the trainer was started before");
        try {
            loop = open();
        } catch (IOException | RuntimeException e) {
            release();
            throw e;
        }
        thread = DaemonThreads.start("linesight-trainer", loop);
    }

    private TrainerLoop open() throws IOException {
        store = DatasetStore.open(config.store());
        store.bind(identity());
        TrainingRun.Environment environment =
                new TrainingRun.Environment(config, store, champions, sink, events, faults, timing.retry);
        runs = new RunScheduler(
                environment, runCounters, view, lease, health, timing, Clock.systemUTC(), System::nanoTime);
        if (triggeredEarly) runs.trigger();
        reports = TrainingReports.open(config.kafka(), topics.training().name(), view);
        decoder = RecordDecoder.of(FrameLabel.class, config.kafka());
        fetcher = new FrameFetcher(config.kafka(), topics, store.decoding(), FRAME_TIMEOUT);
        LabelConsumer consumer = new LabelConsumer(
                store,
                fetcher,
                new LabelDecoder(
                        decoder, topics.labels().name(), topics.frames().name(), fetcher::topicId),
                config.lateFrames(),
                counters,
                Clock.systemUTC());
        if (config.sampling().perHour() > 0) sampler = new ResultSampler(config, topics, store, fetcher, counters);
        labels = new LabelsReader(config, topics.labels().name(), store, lease, health, events);
        return new TrainerLoop(
                config,
                new TrainerLoop.Parts(store, labels, consumer, sampler, runs),
                lease,
                health,
                events,
                timing,
                System::nanoTime);
    }

    /** Cluster and topic that positions belong to. */
    private String identity() {
        String topic = topics.labels().name();
        Map<String, Object> configs = ClientSettings.forAdmin(config.kafka());
        configs.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_SECONDS * 1000);
        configs.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        try (Admin admin = Admin.create(configs)) {
            String cluster = admin.describeCluster().clusterId().get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
            return cluster + "/"
                    + admin.describeTopics(List.of(topic))
                            .topicNameValues()
                            .get(topic)
                            .get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                            .topicId();
        } catch (InterruptedException e) {
            throw new org.apache.kafka.common.errors.InterruptException(e);
        } catch (ExecutionException | TimeoutException e) {
            if (e.getCause() instanceof AuthorizationException denied) {
                throw new KafkaException(
                        "topic " + topic + " may not be read: " + denied.getMessage()
                                + "; 'linesight doctor --for train --acls' prints the kafka-acls commands of all "
                                + "that is needed",
                        denied);
            }
            throw new KafkaException(
                    "the broker at " + config.kafka().get("bootstrap.servers") + " does not answer, or it has no topic "
                            + topic
                            + "; start it, or create the topics with 'linesight topics', then start the trainer again",
                    e);
        }
    }

    /** Starts a run as soon as this trainer is active and no run is in progress. */
    public void trigger() {
        triggeredEarly = true;
        RunScheduler r = runs;
        if (r != null) r.trigger();
    }

    /** Whether this trainer is the active one of its group. */
    public boolean working() {
        return lease.isHeld();
    }

    private int newNormals() {
        RunScheduler r = runs;
        DatasetStore s = store;
        return r == null || s == null || closed ? 0 : r.newNormals();
    }

    /** Whether a run is in progress. */
    public boolean running() {
        RunScheduler r = runs;
        return r != null && r.isRunning();
    }

    /** What ended the service; empty while it works. The next start reads labels again that it did not journal. */
    public Optional<Throwable> failure() {
        return health.failure();
    }

    /** Labels and frames by what became of them, since the start. */
    public Map<String, Long> counts() {
        return counters.snapshot();
    }

    /** What the trainer does now and has done since the start. Cheap; any thread. */
    public TrainerStatus status() {
        TrainerLoop l = loop;
        Optional<RunFolder> run = runs == null ? Optional.empty() : runs.running();
        LatestStep.Step step =
                run.map(r -> LatestStep.last(r.file(TrainingRun.METRICS))).orElse(LatestStep.Step.NONE);
        DatasetStore s = store;
        boolean open = s != null && thread != null && !closed;
        return new TrainerStatus(
                l != null && l.hasPolled() && !health.isStopping(),
                working(),
                l != null && l.isWaiting() || runCounters.isRunWaiting(),
                run.map(TrainerService::stageOf).orElse(""),
                step.number(),
                step.loss(),
                open ? s.bytes() : 0,
                config.store().maxBytes(),
                open ? s.pending().size() : 0,
                counters.snapshot(),
                fetcher == null ? Map.of() : fetcher.counts(),
                runCounters.runs(),
                runCounters.verdicts());
    }

    private static String stageOf(RunFolder run) {
        return Stream.of(Stage.values())
                .filter(stage -> !run.done(stage))
                .findFirst()
                .orElse(Stage.OFFER)
                .name();
    }

    /** The store, open while the service is; for reading and exporting. */
    public DatasetStore store() {
        return store;
    }

    /** Stops in order: stored labels are committed, a run in progress is suspended. Does nothing the second time. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) return;
            closed = true;
        }
        health.stop();
        join(thread);
        if (runs != null) runs.awaitEnd();
        release();
    }

    /** Waits for a thread whatever interrupts: the store must not be closed under a run. */
    static void join(@Nullable Thread thread) {
        if (thread == null) return;
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    private void release() {
        // Once the loop runs, it closes the reader itself: a consumer belongs to one thread.
        AutoCloseable[] parts = {reports, thread == null ? labels : null, sampler, fetcher, decoder, store};
        for (AutoCloseable part : parts) {
            if (part == null) continue;
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("The trainer did not close cleanly: {}", e.toString());
            }
        }
    }
}
