package io.linesight.streams.exemption;

import io.linesight.schemas.Exemption;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.streams.exemption.ExemptionDesk.RejectedException;
import io.linesight.streams.exemption.ExemptionRecords.Word;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what labels mean for exemptions, on a thread of its own. The instances of an app share the labels as a
 * consumer group, so each label is carried out by one. A label's offset is committed after its exemption is on the
 * topic: after a crash it is carried out again, to the same record.
 *
 * <p>The group begins at the end of the topic: labels that were given before it existed change nothing.
 */
final class LabelFollower implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LabelFollower.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration CATCH_UP = Duration.ofSeconds(10);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(500), Duration.ofSeconds(15));

    /** Told of what labels came to. */
    interface Listener {
        /** An exemption is on the topic: a new one, or one that was taken back or revoked. */
        void written(Exemption e);

        /** A label could not be carried out. */
        void rejected(String why);
    }

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final String topic;
    private final RecordDecoder<FrameLabel> decoder;
    private final String exemptionsTopic;
    private final ExemptionBook book;
    private final ExemptionDesk desk;
    private final ExemptionWriter writer;
    private final Listener listener;
    private final Thread thread;
    private volatile boolean stopped;

    /**
     * Starts to follow.
     *
     * @param clients settings of Kafka's clients
     * @param group consumer group
     * @param exemptionsTopic where the writer writes
     * @param book what is read of it
     */
    LabelFollower(
            Map<String, ?> clients,
            Map<String, String> serdes,
            String topic,
            String group,
            String exemptionsTopic,
            ExemptionBook book,
            ExemptionDesk desk,
            ExemptionWriter writer,
            Listener listener) {
        this.topic = topic;
        this.exemptionsTopic = exemptionsTopic;
        this.book = book;
        this.desk = desk;
        this.writer = writer;
        this.listener = listener;
        decoder = RecordDecoder.of(FrameLabel.class, serdes);
        Map<String, Object> configs = ClientSettings.forReader(clients);
        configs.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        configs.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10);
        consumer = ClientSettings.openConsumer(configs);
        thread = DaemonThreads.start("linesight-exemption-labels", this::run);
    }

    private void run() {
        int failures = 0;
        boolean again = false;
        try (consumer;
                decoder) {
            consumer.subscribe(List.of(topic), new CommitsWhereItBegins());
            while (!stopped) {
                try {
                    if (again) repeat();
                    again = false;
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) carryOut(record);
                    failures = 0;
                } catch (RegistryException | KafkaRetry e) {
                    failures++;
                    LOG.warn("Exemptions cannot be made from labels now: {}. It is tried again", e.getMessage());
                    again = true;
                    Thread.sleep(BACKOFF.delay(failures).toMillis());
                } catch (WakeupException e) {
                    // close() woke it.
                } catch (KafkaException e) {
                    failures++;
                    LOG.warn("Labels cannot be read now: {}. It is tried again", e.getMessage());
                    Thread.sleep(BACKOFF.delay(failures).toMillis());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            LOG.error("No more exemptions are made from labels until the next start; those that are there count", e);
        }
    }

    /** Goes back to the first label that is not carried out. */
    private void repeat() {
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
        committed.forEach((partition, offset) -> {
            if (offset != null) consumer.seek(partition, offset);
        });
    }

    /** Broker trouble while a label was carried out: the label is still to be done. */
    private static final class KafkaRetry extends RuntimeException {
        private static final long serialVersionUID = 1L;

        KafkaRetry(KafkaException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private void carryOut(ConsumerRecord<byte[], byte[]> record) throws InterruptedException {
        try {
            awaitOwnWords();
            if (!stopped) carryOut(decoder.decode(record));
        } catch (RejectedException e) {
            LOG.warn("No exemption: {}", e.getMessage());
            listener.rejected(e.getMessage());
        } catch (BadRecordException e) {
            LOG.debug("Label at offset {} cannot be read; the trainer says why", record.offset(), e);
        } catch (RegistryException e) {
            if (e.mayPass()) throw e;
            LOG.debug("The schema of the label at offset {} is not to be had", record.offset(), e);
        } catch (KafkaException e) {
            throw new KafkaRetry(e);
        }
        if (stopped) return;
        consumer.commitSync(Map.of(
                new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1)));
    }

    /**
     * What was written before, here or by another instance, is in the book first: a label that is taken back at once
     * must find its exemption.
     */
    private void awaitOwnWords() throws InterruptedException {
        TopicPartition only = new TopicPartition(exemptionsTopic, 0);
        long end = consumer.endOffsets(List.of(only)).get(only);
        if (!book.awaitRevision(end, CATCH_UP))
            LOG.warn("The exemptions are read slowly; a label is carried out by what is known of them so far");
    }

    private void carryOut(@Nullable FrameLabel label) throws RejectedException, InterruptedException {
        if (label == null) return;
        Word word = new Word(label.getAnnotator(), label.getNote());
        if (label.getLabel() == LabelKind.NORMAL) {
            write(desk.forgive(label.getFrameRef(), word));
            return;
        }
        // Called anomalous, or nothing any more: the frame itself is no false alarm then.
        Exemption own = desk.takeBack(
                label.getFrameRef(),
                new Word(
                        word.by(),
                        label.getLabel() == LabelKind.ANOMALOUS
                                ? "the frame is labelled anomalous now"
                                : "the label was taken back"));
        if (own != null) write(own);
        if (label.getLabel() == LabelKind.ANOMALOUS)
            for (Exemption revoked : desk.guard(label.getFrameRef(), word)) {
                LOG.warn(
                        "Exemption of frame {} is revoked: {}",
                        FrameKeys.of(revoked.getFrameRef()),
                        revoked.getReason());
                write(revoked);
            }
    }

    private void write(Exemption e) throws InterruptedException {
        writer.write(e);
        listener.written(e);
    }

    /**
     * A partition without an offset begins at its end. That place is committed at once, or labels that come before the
     * first commit would be skipped after a crash.
     */
    private final class CommitsWhereItBegins implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            Map<TopicPartition, OffsetAndMetadata> begin = new HashMap<>();
            consumer.committed(new HashSet<>(partitions)).forEach((partition, offset) -> {
                if (offset == null) begin.put(partition, new OffsetAndMetadata(consumer.position(partition)));
            });
            if (!begin.isEmpty()) consumer.commitSync(begin);
        }
    }

    @Override
    public void close() {
        stopped = true;
        consumer.wakeup();
        try {
            thread.join(STOP_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
