package io.linesight.trainer.learning;

import io.linesight.schemas.TrainingStatus;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Serde;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what the trainer does: at every event, and every few seconds while a run is in progress. Nobody waits for
 * it: a status that cannot be written is said once and tried again with the next one, and training goes on.
 *
 * <p>Threads: one of its own; every method may be called from any. Ownership: whoever opens it closes it, which writes
 * what is left.
 */
final class TrainingReports implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingReports.class);
    private static final Duration PERIOD = Duration.ofSeconds(5);
    /** Events come a few a minute; where nothing can be written for hours the oldest are of no use. */
    private static final int MAX_WAITING = 256;

    private static final int TIMEOUT_MS = 10_000;

    private final String topic;
    private final TrainingView view;
    private final Serde<TrainingStatus> serde;
    private final KafkaProducer<byte[], byte[]> producer;
    private final LinkedBlockingQueue<TrainingStatus> waiting = new LinkedBlockingQueue<>(MAX_WAITING);
    private final Thread thread;
    private volatile boolean closed;
    /** A status that could not be written; a newer one of the same run takes its place. */
    private @Nullable TrainingStatus unsent;

    private TrainingReports(Map<String, String> kafka, String topic, TrainingView view) {
        this.topic = topic;
        this.view = view;
        serde = SerdeFactory.create(TrainingStatus.class, kafka, false);
        Map<String, Object> configs = ClientSettings.forWriter(kafka);
        configs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, TIMEOUT_MS);
        configs.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        configs.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        configs.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        producer = ClientSettings.openProducer(configs);
        thread = DaemonThreads.create("linesight-training-status", this::run);
    }

    /** Starts; contacts nothing before the first status. */
    static TrainingReports open(Map<String, String> kafka, String topic, TrainingView view) {
        TrainingReports reports = new TrainingReports(kafka, topic, view);
        reports.thread.start();
        return reports;
    }

    /** Something happened, and the view knows it. */
    void on(TrainerEvent event) {
        if (event.kind() == Kind.STANDBY) return;
        TrainingStatus status = view.status();
        while (!waiting.offer(status)) waiting.poll();
    }

    private void run() {
        while (!closed || !waiting.isEmpty()) {
            try {
                TrainingStatus next = waiting.poll(PERIOD.toMillis(), TimeUnit.MILLISECONDS);
                if (next != null) writeLast(next);
                else if (view.isBusy()) writeLast(view.status());
                else if (unsent != null) write(unsent);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.warn("A status of the training cannot be made; it goes on", e);
            }
        }
    }

    /** Writes a status, after what is left of the run before. */
    private void writeLast(TrainingStatus status) throws InterruptedException {
        if (unsent != null && !unsent.getRun().equals(status.getRun())) write(unsent);
        write(status);
    }

    private void write(TrainingStatus status) throws InterruptedException {
        byte[] key = (status.getChannel() + "/" + status.getRun()).getBytes(StandardCharsets.UTF_8);
        try {
            producer.send(new ProducerRecord<>(topic, 0, key, serde.serializer().serialize(topic, status)))
                    .get();
            if (unsent != null) LOG.info("What the trainer does is published again");
            unsent = null;
        } catch (ExecutionException e) {
            fail(status, e.getCause());
        } catch (KafkaException e) {
            fail(status, e);
        }
    }

    private void fail(TrainingStatus status, @Nullable Throwable e) {
        if (unsent == null)
            LOG.warn(
                    "What the trainer does cannot be published to {}: {}. It trains all the same, and publishes again "
                            + "when it can; 'linesight topics' makes a topic that is missing",
                    topic,
                    e == null ? "unknown" : e.getMessage());
        unsent = status;
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join(2L * TIMEOUT_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        thread.interrupt();
        producer.close(Duration.ofSeconds(2));
        serde.close();
    }
}
