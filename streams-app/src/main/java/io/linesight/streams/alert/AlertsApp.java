package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.clients.BrokerFault;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.MissingSourceTopicException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes alerts out of results: an app beside the inspection, with a consumer group, transactions and state of its own,
 * so that whatever happens to it holds no frame up.
 *
 * <p>It never ends by itself. What stops it (a topic that is missing, a registry that does not answer, a right that is
 * lacking) is logged with what to do, and tried again; results and actions wait in Kafka meanwhile, and no alert is
 * lost or made twice.
 *
 * <p>Life: construct, {@link #start}, {@link #close}. Thread-safe.
 */
public final class AlertsApp implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AlertsApp.class);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofSeconds(1), Duration.ofMinutes(1));
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration THREAD_PAUSE = Duration.ofSeconds(1);
    private static final int COMMIT_INTERVAL_MS = 200;
    private static final int CACHE_BYTES = 16 << 20;
    private static final long ASK_SECONDS = 15;

    private final InspectionConfig config;
    private final AlertPolicies policies;
    private final ServedModels models;
    private final AlertMetrics metrics;
    private final Thread supervisor;
    private volatile boolean closing;
    private volatile @Nullable KafkaStreams streams;
    private volatile @Nullable String trouble = "it was not started";

    /**
     * @param config of the inspection: brokers, registry, topics, {@code linesight.alerts.*}
     * @param policies which policy holds for a camera and product
     * @param models what is known of the models that make the results
     * @param meters receives the metrics
     */
    public AlertsApp(InspectionConfig config, AlertPolicies policies, ServedModels models, MeterRegistry meters) {
        this.config = Objects.requireNonNull(config, "config");
        this.policies = Objects.requireNonNull(policies, "policies");
        this.models = Objects.requireNonNull(models, "models");
        // Without alerts there is nothing to say about them, and nobody is to be woken for it.
        metrics = new AlertMetrics(config.alerts().on() ? meters : new SimpleMeterRegistry(), this::isRunning);
        supervisor = DaemonThreads.create("linesight-alerts", this::supervise);
    }

    /** As above, with the policy of the configuration for all and without what is known of models. */
    public AlertsApp(InspectionConfig config, MeterRegistry meters) {
        this(config, always(AlertPolicy.of(config.alerts())), ServedModels.UNKNOWN, meters);
    }

    private static AlertPolicies always(AlertPolicy policy) {
        return (camera, product) -> policy;
    }

    /** The consumer group and prefix of transactional ids of the alerts of an inspection. */
    public static String applicationId(String inspection) {
        return inspection + "-alerts";
    }

    /** Begins; returns at once. Does nothing where {@code linesight.alerts=off}. */
    public void start() {
        if (config.alerts().on()) supervisor.start();
        else trouble = InspectionConfig.ALERTS + "=off";
    }

    /** Whether alerts are made now. */
    public boolean isRunning() {
        KafkaStreams running = streams;
        return running != null && running.state() == KafkaStreams.State.RUNNING;
    }

    /** Why alerts are not made now; empty while they are. */
    public Optional<String> whyNotRunning() {
        if (isRunning()) return Optional.empty();
        String why = trouble;
        return Optional.of(why == null ? "it joins its group or restores its state" : why);
    }

    /** Waits until alerts are made; false when that did not happen in time. */
    public boolean awaitRunning(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!isRunning()) {
            if (System.nanoTime() - deadline > 0) return false;
            Thread.sleep(20);
        }
        return true;
    }

    private void supervise() {
        int retry = 0;
        while (!closing) {
            long begin = System.nanoTime();
            try {
                runOnce();
            } catch (RuntimeException e) {
                explain(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            if (closing) return;
            if (System.nanoTime() - begin > TimeUnit.MINUTES.toNanos(5)) retry = 0;
            try {
                Thread.sleep(BACKOFF.delay(++retry).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void explain(Exception e) {
        String why = e instanceof KafkaException && BrokerFault.of(e) != BrokerFault.OTHER
                ? BrokerFault.explain(config.bootstrapServers(), e)
                : String.valueOf(e.getMessage());
        if (!why.equals(trouble))
            LOG.error("No alerts are made: {}. Frames are inspected all the same; this is tried again", why);
        trouble = why;
    }

    /** Runs until something ends it. */
    private void runOnce() throws InterruptedException {
        checkTopics();
        CountDownLatch ended = new CountDownLatch(1);
        try (InspectionBacklog backlog = InspectionBacklog.start(config);
                RecordDecoder<InspectionResult> results = RecordDecoder.of(InspectionResult.class, config.serdes());
                RecordDecoder<AlertAction> actions = RecordDecoder.of(AlertAction.class, config.serdes());
                Serde<Alert> alerts = SerdeFactory.create(Alert.class, config.serdes(), false)) {
            // Registers or finds the schema while no transaction is open.
            prime(alerts.serializer());
            AlertProcessor.Shared shared = new AlertProcessor.Shared(
                    config.topics().results().name(),
                    config.topics().alerts().name(),
                    config.alerts(),
                    new AlertRules(config.alerts(), policies, models.normals()),
                    results,
                    actions,
                    alerts.serializer(),
                    backlog,
                    config.models().channel(),
                    models.registry(),
                    metrics);
            run(new KafkaStreams(AlertTopology.build(config.topics(), shared), properties(config)), ended);
        }
    }

    private void run(KafkaStreams created, CountDownLatch ended) throws InterruptedException {
        try {
            created.setUncaughtExceptionHandler(this::handle);
            created.setStateListener((now, before) -> {
                if (now == KafkaStreams.State.RUNNING) trouble = null;
                if (now == KafkaStreams.State.ERROR || now == KafkaStreams.State.NOT_RUNNING) ended.countDown();
            });
            streams = created;
            trouble = null;
            created.start();
            ended.await();
        } finally {
            streams = null;
            created.close(CloseOptions.timeout(CLOSE_TIMEOUT)
                    .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        }
    }

    private StreamThreadExceptionResponse handle(Throwable e) {
        if (closing) return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (!(cause instanceof MissingSourceTopicException)) continue;
            trouble = "a topic that it reads was deleted";
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        metrics.threadReplaced();
        LOG.error("A stream thread of the alerts failed; a new one reads again what was not committed", e);
        try {
            // On the thread that ends: a fault that stays must not keep the machine busy.
            Thread.sleep(THREAD_PAUSE.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return StreamThreadExceptionResponse.REPLACE_THREAD;
    }

    private void prime(Serializer<Alert> alerts) {
        alerts.serialize(config.topics().alerts().name(), AlertRecords.sample());
    }

    /** Results and actions of a camera must meet in one task. */
    private void checkTopics() throws InterruptedException {
        Topics topics = config.topics();
        Map<String, TopicDescription> found;
        List<String> names = List.of(
                topics.results().name(),
                topics.alerts().name(),
                topics.alertActions().name());
        try (Admin admin = Admin.create(config.adminProperties())) {
            found = admin.describeTopics(names, new DescribeTopicsOptions().includeAuthorizedOperations(true))
                    .allTopicNames()
                    .get(ASK_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(
                    e.getCause() instanceof org.apache.kafka.common.errors.UnknownTopicOrPartitionException
                            ? "one of the topics " + String.join(", ", names)
                                    + " does not exist. Create the topics with: linesight topics; or do without "
                                    + "alerts: " + InspectionConfig.ALERTS + "=off"
                            : BrokerFault.explain(config.bootstrapServers(), e),
                    e);
        }
        checkRight(found.get(topics.results().name()), AclOperation.READ);
        checkRight(found.get(topics.alertActions().name()), AclOperation.READ);
        checkRight(found.get(topics.alerts().name()), AclOperation.WRITE);
        int results = partitions(found, topics.results());
        int actions = partitions(found, topics.alertActions());
        if (results != actions)
            throw new IllegalStateException("topic " + topics.alertActions().name() + " has " + actions
                    + " partitions and topic " + topics.results().name() + " has " + results
                    + ": what people do would not meet the alerts of their camera. Give both the same number");
    }

    private static void checkRight(TopicDescription topic, AclOperation right) {
        Set<AclOperation> allowed = topic.authorizedOperations();
        // Null: a broker that does not tell.
        if (allowed == null || allowed.contains(AclOperation.ALL) || allowed.contains(right)) return;
        throw new IllegalStateException("this user may not " + right + " topic " + topic.name()
                + ". 'linesight doctor --acls' prints the kafka-acls commands of all it needs");
    }

    private static int partitions(Map<String, TopicDescription> found, TopicSpec topic) {
        return found.get(topic.name()).partitions().size();
    }

    /** As the inspection's, with what is different for small records and a state. */
    static Properties properties(InspectionConfig config) {
        Properties p = config.streamsProperties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId(config.applicationId()));
        // Whatever the inspection does: a repeated result is recognised, a repeated alert would not be.
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(
                StreamsConfig.producerPrefix(InspectionConfig.TRANSACTION_TIMEOUT_MS),
                "" + config.streams().transactionTimeout().toMillis());
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "1");
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, "" + COMMIT_INTERVAL_MS);
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "" + CACHE_BYTES);
        p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "1000");
        p.put(StreamsConfig.consumerPrefix("max.poll.records"), "500");
        p.put(StreamsConfig.POLL_MS_CONFIG, "100");
        p.remove(StreamsConfig.consumerPrefix(InspectionConfig.AUTO_OFFSET_RESET));
        return p;
    }

    /** Commits what was read and leaves the group; waits up to 20 s. Idempotent. */
    @Override
    public void close() {
        closing = true;
        trouble = "it is closed";
        KafkaStreams running = streams;
        if (running != null)
            running.close(CloseOptions.timeout(CLOSE_TIMEOUT)
                    .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        supervisor.interrupt();
        if (Thread.currentThread() == supervisor) return;
        try {
            supervisor.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
