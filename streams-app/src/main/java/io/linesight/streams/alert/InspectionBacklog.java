package io.linesight.streams.alert;

import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.config.InspectionConfig;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks every few seconds whether the inspection has answered the frames that were there the time before. While it has
 * not, or nobody can say, a camera without results may well have sent frames.
 */
final class InspectionBacklog implements FrameBacklog, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(InspectionBacklog.class);
    private static final Duration PERIOD = Duration.ofSeconds(5);
    private static final long TIMEOUT_SECONDS = 15;

    private final InspectionConfig config;
    private final Thread thread;
    private volatile boolean waiting = true;

    private InspectionBacklog(InspectionConfig config) {
        this.config = config;
        thread = DaemonThreads.create("linesight-alerts-backlog", this::run);
    }

    static InspectionBacklog start(InspectionConfig config) {
        InspectionBacklog backlog = new InspectionBacklog(config);
        backlog.thread.start();
        return backlog;
    }

    @Override
    public boolean framesWait() {
        return waiting;
    }

    private void run() {
        try (Admin admin = Admin.create(config.adminProperties())) {
            Map<TopicPartition, Long> before = Map.of();
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    Map<TopicPartition, Long> ends = ends(admin);
                    waiting = before.isEmpty() || !isAnswered(before, committed(admin));
                    before = ends;
                } catch (ExecutionException | TimeoutException | KafkaException e) {
                    waiting = true;
                    LOG.debug("The inspection's progress cannot be read; no camera counts as silent meanwhile", e);
                }
                Thread.sleep(PERIOD.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    private static boolean isAnswered(
            Map<TopicPartition, Long> ends, Map<TopicPartition, OffsetAndMetadata> committed) {
        for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
            OffsetAndMetadata here = committed.get(end.getKey());
            if (end.getValue() > 0 && (here == null || here.offset() < end.getValue())) return false;
        }
        return true;
    }

    private Map<TopicPartition, Long> ends(Admin admin)
            throws InterruptedException, ExecutionException, TimeoutException {
        String topic = config.topics().frames().name();
        int partitions = admin.describeTopics(java.util.List.of(topic))
                .topicNameValues()
                .get(topic)
                .get(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .partitions()
                .size();
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int i = 0; i < partitions; i++) asked.put(new TopicPartition(topic, i), OffsetSpec.latest());
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(asked)
                .all()
                .get(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .forEach((partition, info) -> ends.put(partition, info.offset()));
        return ends;
    }

    private Map<TopicPartition, OffsetAndMetadata> committed(Admin admin)
            throws InterruptedException, ExecutionException, TimeoutException {
        return admin.listConsumerGroupOffsets(config.applicationId())
                .partitionsToOffsetAndMetadata()
                .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
