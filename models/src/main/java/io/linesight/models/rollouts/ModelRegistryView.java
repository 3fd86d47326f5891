package io.linesight.models.rollouts;

import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.topics.TopicSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the topics of the model registry from their beginning and keeps their state in memory.
 *
 * <p>A state is shown only when everything that had been written before its newest rollout is in it: a rollout is never
 * shown before the manifests it names, and none of the past ones is shown while the topics are read for the first time.
 * Two views of the same topics show the same history, whatever they trust and whenever they started.
 *
 * <p>While the broker or the schema registry is unavailable, the last state stays, one warning is logged, and reading
 * resumes by itself. A record that cannot be read is left out with a warning; a rollout among them appears in the
 * history as rejected.
 *
 * <p>Threads: one of its own, which also calls the listeners; every method may be called from any thread. Ownership:
 * whoever opens it closes it.
 */
public final class ModelRegistryView implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelRegistryView.class);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration HEARTBEAT = Duration.ofSeconds(5);
    private static final Duration RETRY = Duration.ofMillis(500);

    /** Ends a listener's subscription. */
    public interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    private static final class Listener {
        private final Consumer<RegistryState> listener;
        private @Nullable RegistryState seen; // the view's thread only

        Listener(Consumer<RegistryState> listener) {
            this.listener = listener;
        }
    }

    private final ModelsConfig config;
    private final TrustedKeys trusted;
    private final RegistryRecords records;
    private final ConnectionMonitor connection = new ConnectionMonitor(System::nanoTime);
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final List<TopicPartition> partitions;
    private final Thread thread;
    private final long heartbeatNanos;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final ConcurrentLinkedQueue<CompletableFuture<Void>> requests = new ConcurrentLinkedQueue<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private volatile RegistryState state = RegistryState.EMPTY;
    private volatile boolean stop;

    // The view's thread only:
    private final List<CompletableFuture<Void>> waiting = new ArrayList<>();
    private RegistryFold fold;
    private @Nullable Map<TopicPartition, Long> target;
    private boolean rolloutSinceTarget;
    private boolean shown;
    private boolean unseen = true;
    private long lastHeard = System.nanoTime();

    private ModelRegistryView(ModelsConfig config, TrustedKeys trusted, Duration heartbeat) {
        this.config = config;
        heartbeatNanos = heartbeat.toNanos();
        this.trusted = trusted;
        fold = new RegistryFold(trusted);
        records = new RegistryRecords(config);
        consumer = ClientSettings.openConsumer(consumerConfigs(config));
        try {
            partitions = partitions();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
        } catch (RuntimeException e) {
            consumer.close();
            throw e;
        }
        thread = DaemonThreads.create("linesight-model-registry", this::run);
    }

    private static Map<String, Object> consumerConfigs(ModelsConfig config) {
        Map<String, Object> c = ClientSettings.forReader(config.settings());
        c.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none"); // a silent reset would count everything twice
        // A request for the ends of the topics waits behind a fetch: a caught-up reader takes this long to notice.
        c.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 100);
        c.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int)
                Math.min(Integer.MAX_VALUE, config.timeout().toMillis()));
        return c;
    }

    /**
     * Connects and starts to read; returns before everything is read, see {@link #awaitCaughtUp}.
     *
     * @throws KafkaException with a message for people when the broker does not answer or a topic is missing
     */
    public static ModelRegistryView open(ModelsConfig config, TrustedKeys trusted) {
        return open(config, trusted, HEARTBEAT);
    }

    /** @param heartbeat after how long a silent broker is asked whether it is there */
    static ModelRegistryView open(ModelsConfig config, TrustedKeys trusted, Duration heartbeat) {
        ModelRegistryView view = new ModelRegistryView(config, trusted, heartbeat);
        view.thread.start();
        return view;
    }

    private List<TopicPartition> partitions() {
        List<TopicPartition> out = new ArrayList<>();
        for (TopicSpec topic : List.of(
                config.topics().models(),
                config.topics().rollouts(),
                config.topics().modelStatus())) {
            List<PartitionInfo> found;
            try {
                found = consumer.partitionsFor(topic.name(), config.timeout());
            } catch (org.apache.kafka.common.errors.TimeoutException e) {
                throw new KafkaException(
                        "the broker at " + config.broker()
                                + " does not answer; check the address and that it runs, then do it again",
                        e);
            }
            if (found == null || found.isEmpty())
                throw new KafkaException("the broker at " + config.broker() + " has no topic " + topic.name()
                        + "; create it with 'linesight topics', then do it again");
            if (found.size() != 1)
                throw new KafkaException("topic " + topic.name() + " has " + found.size()
                        + " partitions, but its records need one order: make it again with 1 partition");
            out.add(new TopicPartition(topic.name(), 0));
        }
        return out;
    }

    /** The newest state; empty before everything has been read for the first time. */
    public RegistryState state() {
        return state;
    }

    /**
     * Whether broker and schema registry answered the last request; one is sent every few seconds. While false, the
     * state may be old.
     */
    public boolean connected() {
        return connection.isConnected();
    }

    /**
     * Why what is in the topics cannot be seen, as half a sentence for people: who does not answer, or what is not
     * allowed.
     */
    public String obstacle() {
        String obstacle = connection.obstacle();
        return obstacle != null ? obstacle : "they are long, or the broker at " + config.broker() + " is slow";
    }

    /**
     * Waits until everything that had been written when this was called is in {@link #state()}.
     *
     * @return false if that did not come about in time, because broker or registry are unavailable; or if the view was
     *     closed
     */
    public boolean awaitCaughtUp(Duration atMost) throws InterruptedException {
        CompletableFuture<Void> request = new CompletableFuture<>();
        requests.add(request);
        if (stop) return false;
        try {
            request.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } finally {
            request.cancel(false);
        }
    }

    /**
     * Calls the listener with the present state, once that is known, and with every later one; quick changes may come
     * as one. It runs on the view's thread and should be short; what it throws is logged.
     */
    public Subscription listen(Consumer<RegistryState> listener) {
        Listener l = new Listener(listener);
        listeners.add(l);
        return () -> listeners.remove(l);
    }

    private void run() {
        try {
            while (!stop) {
                try {
                    step();
                } catch (WakeupException e) {
                    // close() woke the consumer
                } catch (InvalidOffsetException e) {
                    LOG.warn(
                            "A topic of the model registry was recreated or truncated ({}). Everything is read "
                                    + "again; the last state stays until then",
                            e.getMessage());
                    fold = new RegistryFold(trusted);
                    target = null;
                    unseen = true;
                    consumer.seekToBeginning(partitions);
                } catch (KafkaException e) {
                    connection.lost("the broker at " + config.broker(), e);
                    pause();
                }
            }
        } catch (Throwable e) {
            if (!stop)
                LOG.error("Stopped following the model registry; the last state stays. Restart to follow it again", e);
            connection.stopped(e);
        } finally {
            consumer.close();
            waiting.forEach(w -> w.cancel(false));
            stopped.countDown();
        }
    }

    private void step() {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
        for (ConsumerRecord<byte[], byte[]> record : polled) apply(record);
        unseen |= !polled.isEmpty();
        if (target == null && (unseen || !requests.isEmpty() || System.nanoTime() - lastHeard > heartbeatNanos)) {
            for (CompletableFuture<Void> r = requests.poll(); r != null; r = requests.poll()) waiting.add(r);
            rolloutSinceTarget = false;
            target = consumer.endOffsets(partitions, shorter(config.timeout(), Duration.ofSeconds(5)));
            lastHeard = System.nanoTime();
            connection.answered();
        }
        if (target != null && partitions.stream().allMatch(p -> consumer.position(p) >= target.get(p))) {
            target = null;
            // A rollout that came after the ends were requested may name a manifest behind them.
            if (!rolloutSinceTarget) show();
        }
        deliver();
    }

    private void show() {
        unseen = false;
        shown = true;
        state = fold.snapshot();
        waiting.forEach(w -> w.complete(null));
        waiting.clear();
    }

    private void deliver() {
        if (!shown) return;
        RegistryState now = state;
        for (Listener l : listeners) {
            if (l.seen == now) continue;
            l.seen = now;
            try {
                l.listener.accept(now);
            } catch (RuntimeException e) {
                LOG.error("A listener to the model registry failed; it is called again at the next change", e);
            }
        }
    }

    /** Waits for the schema registry as long as it takes: a record that was left out would be missing for ever. */
    private void apply(ConsumerRecord<byte[], byte[]> record) {
        rolloutSinceTarget |= record.key() != null && records.isRollout(record);
        while (true) {
            try {
                records.apply(record, fold);
                if (record.value() != null) connection.answered();
                return;
            } catch (RegistryException e) {
                connection.lost("the schema registry", e);
                pause();
                if (stop) throw new WakeupException();
            }
        }
    }

    private void pause() {
        try {
            for (long waited = 0; waited < RETRY.toMillis() && !stop; waited += 50) Thread.sleep(50);
        } catch (InterruptedException e) {
            stop = true;
        }
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    /** Stops following; {@link #state} still returns the last state. */
    @Override
    public void close() {
        stop = true;
        consumer.wakeup();
        try {
            if (Thread.currentThread() != thread && !stopped.await(10, TimeUnit.SECONDS))
                LOG.warn("The view of the model registry does not stop; it is left behind");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (CompletableFuture<Void> r = requests.poll(); r != null; r = requests.poll()) r.cancel(false);
        records.close();
    }
}
