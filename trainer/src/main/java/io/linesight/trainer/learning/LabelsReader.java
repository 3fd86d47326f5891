package io.linesight.trainer.learning;

import io.linesight.schemas.clients.ClientSettings;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.learning.Lease.Acceptance;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the labels topic in the trainer's consumer group, from where the dataset store says; owning its partitions is
 * holding the lease. One thread.
 */
final class LabelsReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LabelsReader.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int LABELS_PER_POLL = 64;
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(15);

    private final TrainerConfig config;
    private final DatasetStore store;
    private final Lease lease;
    private final ServiceHealth health;
    private final EventLog events;
    private final KafkaConsumer<String, byte[]> consumer;

    /** Joins the group; records come with {@link #poll}. */
    LabelsReader(
            TrainerConfig config,
            String topic,
            DatasetStore store,
            Lease lease,
            ServiceHealth health,
            EventLog events) {
        this.config = config;
        this.store = store;
        this.lease = lease;
        this.health = health;
        this.events = events;
        consumer = openConsumer(config);
        consumer.subscribe(List.of(topic), new Ownership());
    }

    private static KafkaConsumer<String, byte[]> openConsumer(TrainerConfig config) {
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

    private final class Ownership implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            seekToStored(partitions);
            if (partitions.isEmpty() || lease.isHeld()) return;
            lease.acquire();
            events.info(
                    Kind.WORKING,
                    EventLog.NO_RUN,
                    config.instance() + " is the active trainer of group " + config.group());
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (partitions.isEmpty() || !lease.isHeld()) return;
            lease.release();
            if (health.isStopping()) return;
            events.info(
                    Kind.STANDBY,
                    EventLog.NO_RUN,
                    config.instance() + " stands by: another trainer of group " + config.group() + " is active");
        }
    }

    ConsumerRecords<String, byte[]> poll() {
        return consumer.poll(POLL);
    }

    /** Goes back to the stored positions, so that what was polled and not stored is polled again. */
    void rewind() {
        seekToStored(consumer.assignment());
    }

    private void seekToStored(Collection<TopicPartition> partitions) {
        Map<Integer, Long> positions = store.positions();
        for (TopicPartition partition : partitions)
            consumer.seek(partition, positions.getOrDefault(partition.partition(), 0L));
    }

    /**
     * Commits the stored positions, which tells whether the broker accepts this member's generation.
     *
     * @throws org.apache.kafka.common.errors.RetriableException when the broker does not answer
     */
    Acceptance commit() {
        Map<Integer, Long> positions = store.positions();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : consumer.assignment())
            offsets.put(partition, new OffsetAndMetadata(positions.getOrDefault(partition.partition(), 0L)));
        if (offsets.isEmpty()) return Acceptance.REJECTED;
        try {
            consumer.commitSync(offsets, COMMIT_TIMEOUT);
            return Acceptance.ACCEPTED;
        } catch (RebalanceInProgressException e) {
            // The store's journal has the positions; the group gets them with the next commit.
            return Acceptance.UNKNOWN;
        } catch (CommitFailedException | FencedInstanceIdException e) {
            LOG.warn(
                    "The group continued without this trainer, which stands by until the group assigns it: {}",
                    e.getMessage());
            lease.release();
            return Acceptance.REJECTED;
        }
    }

    /** Whether every record of the assigned partitions was read. */
    boolean isCaughtUp() {
        for (TopicPartition partition : consumer.assignment())
            if (consumer.currentLag(partition).orElse(1) > 0) return false;
        return true;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
