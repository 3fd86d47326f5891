package io.linesight.trainer.learning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns from labels: takes them in, keeps their pictures, and when a trigger fires fine-tunes the channel's champion,
 * judges the challenger against it and hands it over.
 *
 * <p>Of all trainers in a consumer group one works, the others stand by: the group gives all partitions of the labels
 * topic to one member, and before a challenger is handed over the broker has to accept a commit of this member's
 * generation. One who was cut off, and does not know that another took over, is stopped by that.
 *
 * <p>The dataset store's journal says how far labels have been read; the group's offsets follow it and never lead. A
 * trainer that takes over on another machine therefore reads all labels again, into its own store.
 *
 * <p>A run is noted stage by stage in {@code <folder>/runs}; after a crash it goes on after the last stage noted. A
 * checkpoint is handed over only when it is the very file that was judged. Handing over may happen twice when the crash
 * comes between it and its note.
 *
 * <p>Threads: labels are read on one thread, runs on another; every method may be called from any. The listener is
 * called on both. Ownership: whoever makes it closes it; closing waits for the training step under way and lets the run
 * rest where it is.
 */
public final class TrainerService implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainerService.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS").withZone(ZoneOffset.UTC);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int LABELS_PER_POLL = 64;
    private static final int RUNS_KEPT = 3;
    private static final long CONFIRM_SECONDS = 60;
    /** The group takes a trainer that does not poll for dead, long after this. */
    private static final long MOST_REST_MILLIS = 5_000;

    private static final String TRIGGER_FILE = "train.now";

    private final TrainerConfig config;
    private final ChampionSource champions;
    private final ChallengerSink sink;
    private final Consumer<TrainerEvent> listener;
    private final FaultInjector faults;
    private final Timing timing;
    private final Topics topics;
    private final LabelCounters counts = new LabelCounters();
    private final ConcurrentLinkedQueue<Question> questions = new ConcurrentLinkedQueue<>();
    private final Path runs;
    private DatasetStore store;
    private FrameFetcher fetcher;
    private Serde<FrameLabel> serde;
    private KafkaConsumer<String, byte[]> consumer;
    private LabelConsumer intake;
    private ResultSampler sampler;
    private Thread loop;
    private volatile Thread runThread;
    /** 0 while another works; a new number every time this one begins to. */
    private volatile long lease;

    private long leases;
    private volatile boolean stop;
    private volatile boolean triggered;
    private volatile Throwable failure;
    /** Newest picture of the last run that was finished: what is younger is new to the network. */
    private volatile long trainedThrough;
    /**
     * Newest picture when the last run ended, however it did: triggers count from there, or one given up would begin
     * again at once.
     */
    private volatile long triggeredThrough;

    private volatile Instant lastRun = Instant.now();
    private volatile long notBefore = System.nanoTime();
    private volatile boolean labelsWait;
    private volatile boolean polled;
    private volatile RunFolder current;
    private final RunCounters tally = new RunCounters();
    private boolean closed;

    private record Question(long lease, CompletableFuture<Boolean> answer) {}

    /** Pauses between attempts. */
    record Timing(long retryMillis, long lateFrameMillis) {
        static final Timing NORMAL = new Timing(30_000, 5_000);
    }

    /** @param listener told what happens; must return soon and not throw */
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
        // A run that goes on after a restart may score before anything is trained.
        Fit.shareProcess();
        this.config = config;
        this.champions = champions;
        this.sink = sink;
        this.listener = tally.before(listener);
        this.faults = faults;
        this.timing = timing;
        this.topics = Topics.from(config.kafka());
        this.runs = config.folder().resolve("runs");
    }

    /**
     * Opens the store, joins the group and returns; labels are read from then on.
     *
     * @throws DatasetStoreException when the store cannot be used
     * @throws IOException when the folder cannot be used
     * @throws KafkaException when the broker does not answer or has no labels topic; nothing is left open
     */
    public synchronized void start() throws IOException {
        if (loop != null) throw new IllegalStateException("the trainer was started before");
        try {
            Files.createDirectories(runs);
            readState();
            store = DatasetStore.open(config.store());
            store.bind(identity());
            serde = SerdeFactory.create(FrameLabel.class, config.kafka(), false);
            fetcher = new FrameFetcher(config.kafka(), topics, ImageLimits.defaults(), Duration.ofSeconds(30));
            intake = new LabelConsumer(
                    store,
                    fetcher,
                    serde,
                    topics.labels().name(),
                    topics.frames().name(),
                    config.lateFrames(),
                    counts,
                    Clock.systemUTC());
            if (config.sampling().perHour() > 0) sampler = new ResultSampler(config, topics, store, fetcher, counts);
            consumer = consumer();
            consumer.subscribe(List.of(topics.labels().name()), new Ownership());
        } catch (IOException | RuntimeException e) {
            release();
            throw e;
        }
        loop = DaemonThreads.start("linesight-trainer", this::loop);
    }

    private String identity() {
        String topic = topics.labels().name();
        try (Admin admin = Admin.create(adminConfigs())) {
            String cluster = admin.describeCluster().clusterId().get(15, TimeUnit.SECONDS);
            return cluster + "/"
                    + admin.describeTopics(List.of(topic))
                            .topicNameValues()
                            .get(topic)
                            .get(15, TimeUnit.SECONDS)
                            .topicId();
        } catch (InterruptedException e) {
            throw new org.apache.kafka.common.errors.InterruptException(e);
        } catch (ExecutionException | TimeoutException e) {
            if (e.getCause() instanceof AuthorizationException refused) {
                throw new KafkaException(
                        "topic " + topic + " may not be read: " + refused.getMessage()
                                + "; 'linesight doctor --for train --acls' prints the kafka-acls commands of all that is needed",
                        refused);
            }
            throw new KafkaException(
                    "the broker at " + config.kafka().get("bootstrap.servers") + " does not answer, or it has no topic "
                            + topic
                            + "; start it, or create the topics with 'linesight topics', then start the trainer again",
                    e);
        }
    }

    private Map<String, Object> adminConfigs() {
        Map<String, Object> configs = ClientSettings.forAdmin(config.kafka());
        configs.put("default.api.timeout.ms", 15_000);
        configs.put("request.timeout.ms", 10_000);
        return configs;
    }

    private KafkaConsumer<String, byte[]> consumer() {
        Map<String, Object> configs = ClientSettings.forConsumer(config.kafka());
        configs.put(ConsumerConfig.GROUP_ID_CONFIG, config.group());
        configs.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "classic");
        configs.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, List.of(SoleOwnerAssignor.class));
        configs.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        configs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        configs.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, LABELS_PER_POLL);
        return new KafkaConsumer<>(configs, new StringDeserializer(), new ByteArrayDeserializer());
    }

    /** Begins a run as soon as this trainer works and none is under way. */
    public void trigger() {
        triggered = true;
    }

    /** Whether this trainer is the one that works. */
    public boolean working() {
        return lease != 0;
    }

    /** Whether a run is under way. */
    public boolean running() {
        Thread t = runThread;
        return t != null && t.isAlive();
    }

    /**
     * What ended the service; empty while all is well. Labels that it did not journal are read again by the next start.
     */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** Labels and frames by what became of them, since the start. */
    public Map<String, Long> counts() {
        return counts.snapshot();
    }

    /** What the trainer does now and has done since the start. Cheap; any thread. */
    public TrainerStatus status() {
        RunFolder run = running() ? current : null;
        String stage = run == null
                ? ""
                : Stream.of(Stage.values())
                        .filter(x -> !run.done(x))
                        .findFirst()
                        .orElse(Stage.OFFER)
                        .name();
        LatestStep.Step step = run == null ? LatestStep.Step.NONE : LatestStep.last(run.file(TrainingRun.METRICS));
        DatasetStore s = store;
        boolean open = s != null && loop != null && !closed;
        return new TrainerStatus(
                polled && !stop,
                working(),
                labelsWait || tally.runWaits(),
                stage,
                step.number(),
                step.loss(),
                open ? s.bytes() : 0,
                config.store().maxBytes(),
                open ? s.pending().size() : 0,
                counts.snapshot(),
                fetcher == null ? Map.of() : fetcher.counts(),
                tally.runs(),
                tally.verdicts());
    }

    /** The store, open while the service is; for looking and exporting. */
    public DatasetStore store() {
        return store;
    }

    private final class Ownership implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            seek(partitions);
            if (partitions.isEmpty() || lease != 0) return;
            lease = ++leases;
            say(Kind.WORKING, "", config.instance() + " works for group " + config.group());
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (partitions.isEmpty() || lease == 0) return;
            lease = 0;
            if (!stop)
                say(
                        Kind.STANDBY,
                        "",
                        config.instance() + " stands by: another trainer of group " + config.group() + " works");
        }
    }

    private void seek(Collection<TopicPartition> partitions) {
        Map<Integer, Long> positions = store.positions();
        for (TopicPartition p : partitions) consumer.seek(p, positions.getOrDefault(p.partition(), 0L));
    }

    private void loop() {
        long nextRetry = System.nanoTime();
        boolean waiting = false;
        try {
            while (!stop) {
                try {
                    ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
                    polled = true;
                    if (lease != 0) {
                        take(records);
                        if (System.nanoTime() - nextRetry >= 0) {
                            nextRetry = System.nanoTime() + timing.lateFrameMillis * 1_000_000;
                            if (!store.pending().isEmpty()) intake.retry();
                        }
                        if (sampler != null) sampler.poll();
                    }
                    // An empty poll says nothing: what is waited for may just not have been sent again yet.
                    if (waiting && (!records.isEmpty() || caughtUp())) {
                        waiting = false;
                        labelsWait = false;
                        if (lease != 0) say(Kind.WORKING, "", "labels are taken in again");
                    }
                    answer();
                    maybeRun();
                } catch (RegistryException | RetriableException e) {
                    if (e instanceof RegistryException r && !r.isRetriable()) throw e;
                    if (!waiting)
                        waits(
                                "",
                                "Kafka or the schema registry does not answer; labels wait in Kafka, none is lost or refused, and they are taken in when it does: "
                                        + e.getMessage());
                    waiting = true;
                    labelsWait = true;
                    again(500);
                } catch (IOException e) {
                    if (!waiting) {
                        waits(
                                "",
                                "the dataset store " + config.store().folder()
                                        + " cannot be written; labels wait in Kafka, none is lost, and they are taken in when it can, when there is room for instance: "
                                        + e);
                    }
                    waiting = true;
                    labelsWait = true;
                    again(Math.min(timing.retryMillis, MOST_REST_MILLIS));
                }
            }
        } catch (WakeupException e) {
            if (!stop) fail(e);
        } catch (RuntimeException | Error e) {
            fail(e);
        } finally {
            lease = 0;
            for (Question q; (q = questions.poll()) != null; ) q.answer.complete(false);
            try {
                consumer.close();
            } catch (RuntimeException e) {
                LOG.warn("The labels consumer did not close cleanly: {}", e.toString());
            }
        }
    }

    private void fail(Throwable e) {
        if (failure == null) failure = e;
        stop = true;
        LOG.error(
                "The trainer stopped: {}. What it had not journalled is read again when it is started next",
                e.getMessage(),
                e);
    }

    private void waits(String run, String message) {
        LOG.warn("{}{}", run.isEmpty() ? "" : "Run " + run + ": ", message);
        listener.accept(new TrainerEvent(Kind.WAITING, run, message));
    }

    /** What was polled and not stored is polled again, after a rest in which a run under way still gets its answers. */
    private void again(long millis) {
        seek(consumer.assignment());
        long until = System.nanoTime() + millis * 1_000_000;
        do {
            answer();
            try {
                Thread.sleep(Math.min(100, millis));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        } while (!stop && System.nanoTime() - until < 0);
    }

    private void take(ConsumerRecords<String, byte[]> records) throws IOException {
        if (records.isEmpty()) return;
        Map<Integer, Long> next = new HashMap<>();
        List<ConsumerRecord<String, byte[]>> list = new ArrayList<>();
        for (ConsumerRecord<String, byte[]> r : records) {
            list.add(r);
            next.merge(r.partition(), r.offset() + 1, Math::max);
        }
        int changed = intake.take(list);
        store.advance(next);
        commit();
        if (changed > 0)
            say(
                    Kind.LABELS,
                    "",
                    "took in " + changed + " labels; " + newNormals() + " normals are new since the last run");
    }

    /** Whether the broker accepts this member's generation. */
    private enum Accepted {
        YES,
        NO,
        UNKNOWN
    }

    private Accepted commit() {
        Map<Integer, Long> positions = store.positions();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition p : consumer.assignment())
            offsets.put(p, new OffsetAndMetadata(positions.getOrDefault(p.partition(), 0L)));
        if (offsets.isEmpty()) return Accepted.NO;
        try {
            consumer.commitSync(offsets, Duration.ofSeconds(15));
            return Accepted.YES;
        } catch (RebalanceInProgressException e) {
            // The store's journal has the positions; the group hears of them with the next commit.
            return Accepted.UNKNOWN;
        } catch (CommitFailedException | FencedInstanceIdException e) {
            LOG.warn(
                    "The group has gone on without this trainer; it stands by until the group calls: {}",
                    e.getMessage());
            lease = 0;
            return Accepted.NO;
        }
    }

    /** Answers whether this trainer still works; only here, because the consumer belongs to this thread. */
    private void answer() {
        List<Question> later = new ArrayList<>();
        for (Question q; (q = questions.poll()) != null; ) {
            Accepted accepted = Accepted.NO;
            try {
                if (q.lease == lease && lease != 0) accepted = commit();
            } catch (RetriableException e) {
                accepted = Accepted.UNKNOWN;
            }
            // In the middle of a rebalance nobody can tell; the next round can.
            if (accepted == Accepted.UNKNOWN) later.add(q);
            else q.answer.complete(accepted == Accepted.YES);
        }
        questions.addAll(later);
    }

    private boolean stillOwner(long asked) {
        Question q = new Question(asked, new CompletableFuture<>());
        questions.add(q);
        try {
            return q.answer.get(CONFIRM_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }

    private long newNormals() {
        return store.normalsSince(triggeredThrough);
    }

    private void maybeRun() {
        if (lease == 0 || running() || System.nanoTime() - notBefore < 0) return;
        try {
            begin();
        } catch (IOException e) {
            notBefore = System.nanoTime() + timing.retryMillis * 1_000_000;
            waits(
                    "",
                    "no run can begin in " + runs + " now, nor the last one go on; tried again every "
                            + timing.retryMillis / 1000.0 + " s: " + e);
        }
    }

    private void begin() throws IOException {
        RunFolder run = RunFolder.unfinished(runs);
        String why = run != null ? "goes on where it was" : null;
        if (run == null) {
            Path file = config.folder().resolve(TRIGGER_FILE);
            if (Files.exists(file)) triggered = true;
            // A run should not miss labels that have been given already.
            if (!caughtUp()) return;
            why = reason();
            if (why == null) return;
            RunFolder.prune(runs, RUNS_KEPT - 1);
            run = RunFolder.create(runs, STAMP.format(Instant.now()));
            // Not before the run is noted: neither a kill nor a full disk may take back what was asked for.
            triggered = false;
            Files.deleteIfExists(file);
        }
        current = run;
        tally.of(run);
        say(Kind.RUN_STARTED, run.id, why);
        long mine = lease;
        RunFolder chosen = run;
        Thread t = DaemonThreads.create("linesight-trainer-run", () -> run(chosen, mine));
        runThread = t;
        t.start();
    }

    private boolean caughtUp() {
        for (TopicPartition p : consumer.assignment()) {
            if (consumer.currentLag(p).orElse(1) > 0) return false;
        }
        return true;
    }

    private String reason() {
        if (triggered) return "asked for";
        TrainerConfig.Triggers t = config.triggers();
        if (t.afterNormals() > 0) {
            long fresh = newNormals();
            if (fresh >= t.afterNormals()) return fresh + " new normals";
        }
        if (t.every() != null
                && Duration.between(lastRun, Instant.now()).compareTo(t.every()) >= 0
                && store.lastSequence() > triggeredThrough) {
            return "on schedule";
        }
        return null;
    }

    private void run(RunFolder run, long mine) {
        try {
            long through = new TrainingRun(
                            config,
                            store,
                            champions,
                            sink,
                            listener,
                            () -> stop || lease != mine,
                            () -> stillOwner(mine),
                            faults,
                            timing.retryMillis,
                            trainedThrough,
                            run)
                    .execute();
            over(run, "finished", through);
        } catch (CancellationException e) {
            LOG.info("Run {} rests: {}", run.id, e.getMessage());
        } catch (TrainingRun.GivenUp e) {
            if (given(run, e) && e.anew) {
                notBefore = System.nanoTime() + timing.lateFrameMillis * 1_000_000;
                triggered = true;
            }
        } catch (IOException e) {
            rests(run, e);
        } catch (RuntimeException e) {
            LOG.error("Run {} failed", run.id, e);
            given(run, e);
        } catch (Error e) {
            fail(e);
        }
    }

    private void rests(RunFolder run, IOException e) {
        notBefore = System.nanoTime() + timing.retryMillis * 1_000_000;
        waits(
                run.id,
                "a file cannot be read or written; what is done stays done, and the run goes on after the last stage that was noted, tried again every "
                        + timing.retryMillis / 1000.0 + " s: " + e);
    }

    /** Whether it could be noted; if not, the run goes on later and ends the same way then. */
    private boolean given(RunFolder run, Exception e) {
        try {
            over(run, "given up: " + e.getMessage(), -1);
        } catch (IOException io) {
            rests(run, io);
            return false;
        }
        say(Kind.RUN_FAILED, run.id, e.getMessage());
        return true;
    }

    /** @param through newest picture that was trained on; -1 when nothing was */
    private void over(RunFolder run, String how, long through) throws IOException {
        Instant now = Instant.now();
        long trained = Math.max(trainedThrough, through);
        long counted = through >= 0 ? Math.max(triggeredThrough, through) : store.lastSequence();
        RunFolder.write(
                config.folder().resolve("state.json"),
                JSON.writeValueAsBytes(RunFolder.facts()
                        .put("trainedThrough", trained)
                        .put("triggeredThrough", counted)
                        .put("lastRun", now.toString())));
        trainedThrough = trained;
        triggeredThrough = counted;
        lastRun = now;
        run.over(how);
    }

    private void readState() throws IOException {
        Path file = config.folder().resolve("state.json");
        if (!Files.isRegularFile(file)) return;
        JsonNode state = JSON.readTree(file.toFile());
        trainedThrough = state.path("trainedThrough").asLong();
        triggeredThrough = state.path("triggeredThrough").asLong();
        lastRun = Instant.parse(state.path("lastRun").asText());
    }

    private void say(Kind kind, String run, String message) {
        LOG.info("{}{}", run.isEmpty() ? "" : "Run " + run + ": ", message);
        listener.accept(new TrainerEvent(kind, run, message));
    }

    /** Ends in order: labels taken in are committed, a run under way rests. Does nothing the second time. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) return;
            closed = true;
        }
        stop = true;
        join(loop);
        join(runThread);
        release();
    }

    private static void join(Thread t) {
        if (t == null) return;
        boolean interrupted = false;
        while (true) {
            try {
                t.join();
                break;
            } catch (InterruptedException e) {
                // The store must not be closed under a run.
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    private void release() {
        for (AutoCloseable c : new AutoCloseable[] {loop == null ? consumer : null, sampler, fetcher, serde, store}) {
            if (c == null) continue;
            try {
                c.close();
            } catch (Exception e) {
                LOG.warn("The trainer did not close cleanly: {}", e.toString());
            }
        }
    }
}
