package io.linesight.streams.offsets;

import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.offsets.OffsetRule.Correction;
import io.linesight.streams.offsets.OffsetRule.Topic;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets the group's offsets where they cannot be right, before stream threads start: {@link OffsetRule}. Results and
 * offsets are committed in one transaction, so the frame behind the newest answered one is where the inspection was.
 *
 * <p>A group with members decides for itself: offsets are only set while it has none. One thread.
 */
public final class OffsetRecovery {

    private static final Logger LOG = LoggerFactory.getLogger(OffsetRecovery.class);
    /** How long other instances may take to see that the topic was made again, and to leave the group. */
    private static final Duration GROUP_TIMEOUT = Duration.ofSeconds(60);

    private static final long RETRY_MILLIS = 500;
    private static final long CALL_SECONDS = 30;
    /** Slack for clocks that differ, where answers are searched by the time of their frames. */
    private static final long SKEW_MILLIS = Duration.ofHours(1).toMillis();

    private final InspectionConfig config;
    private final InspectionMetrics metrics;
    private final BooleanSupplier stopping;

    /** @param stopping ends the wait for other instances */
    public OffsetRecovery(InspectionConfig config, InspectionMetrics metrics, BooleanSupplier stopping) {
        this.config = config;
        this.metrics = metrics;
        this.stopping = stopping;
    }

    /**
     * Looks, and sets offsets where needed. What cannot be found out is left as it is, and the log says so.
     *
     * @param framesId id of the topic of frames
     * @param recreated whether this instance saw that the topic was made again; otherwise the answers tell
     */
    public void run(Uuid framesId, boolean recreated) throws InterruptedException {
        try (Admin admin = Admin.create(config.adminProperties());
                AnswerReader reader = new AnswerReader(config)) {
            long deadline = System.nanoTime() + GROUP_TIMEOUT.toNanos();
            boolean said = false;
            while (!stopping.getAsBoolean()) {
                Map<TopicPartition, Correction> corrections = corrections(admin, reader, framesId, recreated);
                if (corrections.isEmpty()) return;
                if (isEmpty(admin)) {
                    set(admin, corrections);
                    return;
                }
                // Others run: without a new topic the offsets are theirs to keep.
                if (!recreated
                        && corrections.values().stream().noneMatch(c -> c.reason() == OffsetRule.Reason.RECREATED))
                    return;
                if (!said)
                    LOG.info(
                            "The topic of frames was created again; waiting up to {} s for the other instances of {} "
                                    + "to leave the group, so that its offsets can be set",
                            GROUP_TIMEOUT.toSeconds(),
                            config.applicationId());
                said = true;
                if (System.nanoTime() > deadline) {
                    LOG.warn(
                            "Other instances of {} are still in the group; the offsets stay as they are, and frames "
                                    + "of the new topic may be passed over. Stop all instances and start them again",
                            config.applicationId());
                    return;
                }
                Thread.sleep(RETRY_MILLIS);
            }
        } catch (KafkaException | ExecutionException | TimeoutException e) {
            LOG.warn(
                    "Whether the group's offsets fit the topic of frames could not be found out, so they count as they "
                            + "are: {}",
                    e.getMessage());
        }
    }

    private Map<TopicPartition, Correction> corrections(
            Admin admin, AnswerReader reader, Uuid framesId, boolean recreated)
            throws ExecutionException, InterruptedException, TimeoutException {
        AnsweredFrames answered = new AnsweredFrames(config.topics().frames().name(), framesId);
        reader.readNewest(answered);
        Topic topic = recreated && !answered.isNamed() ? Topic.RECREATED : answered.topic();
        Map<TopicPartition, Range> frames = reader.frames();
        Map<TopicPartition, Long> committed = committed(admin);
        if (topic == Topic.SAME && answered.isNamed()) readMore(reader, frames, committed, answered);
        Map<TopicPartition, Correction> corrections =
                new TreeMap<>((a, b) -> Integer.compare(a.partition(), b.partition()));
        frames.forEach((p, range) -> {
            PartitionState state =
                    new PartitionState(range.from(), range.until(), committed.get(p), answered.newest(p.partition()));
            Correction correction = OffsetRule.correct(topic, state);
            if (correction != null) corrections.put(p, correction);
        });
        return corrections;
    }

    /** The newest answers of a quiet camera may lie further back than a look at the end goes. */
    private void readMore(
            AnswerReader reader,
            Map<TopicPartition, Range> frames,
            Map<TopicPartition, Long> committed,
            AnsweredFrames answered) {
        Map<TopicPartition, Long> doubtful = new HashMap<>();
        frames.forEach((p, range) -> {
            Long offset = committed.get(p);
            if (range.from() < range.until() && (offset == null || offset > range.until()))
                doubtful.put(p, range.from());
        });
        if (doubtful.isEmpty()) return;
        LOG.info(
                "The group {} has no offsets for {} partitions of {} though frames were inspected before; looking for "
                        + "the last answers",
                config.applicationId(),
                doubtful.size(),
                config.topics().frames().name());
        reader.readSince(reader.oldestMillis(doubtful) - SKEW_MILLIS, answered);
    }

    private Map<TopicPartition, Long> committed(Admin admin)
            throws ExecutionException, InterruptedException, TimeoutException {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        admin.listConsumerGroupOffsets(Map.of(config.applicationId(), new ListConsumerGroupOffsetsSpec()))
                .partitionsToOffsetAndMetadata(config.applicationId())
                .get(CALL_SECONDS, TimeUnit.SECONDS)
                .forEach((p, o) -> {
                    if (o != null) offsets.put(p, o.offset());
                });
        return offsets;
    }

    private boolean isEmpty(Admin admin) throws ExecutionException, InterruptedException, TimeoutException {
        try {
            ConsumerGroupDescription group = admin.describeConsumerGroups(List.of(config.applicationId()))
                    .describedGroups()
                    .get(config.applicationId())
                    .get(CALL_SECONDS, TimeUnit.SECONDS);
            return group.members().isEmpty();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) return true;
            throw e;
        }
    }

    private void set(Admin admin, Map<TopicPartition, Correction> corrections)
            throws ExecutionException, InterruptedException, TimeoutException {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        corrections.forEach((p, c) -> offsets.put(p, new OffsetAndMetadata(c.offset())));
        admin.alterConsumerGroupOffsets(config.applicationId(), offsets).all().get(CALL_SECONDS, TimeUnit.SECONDS);
        Map<OffsetRule.Reason, StringBuilder> byReason = new TreeMap<>();
        corrections.forEach((p, c) -> byReason.computeIfAbsent(c.reason(), r -> new StringBuilder())
                .append(' ')
                .append(p.partition())
                .append(" from ")
                .append(c.offset())
                .append(c.passed() > 0 ? " (" + c.passed() + " deleted before)" : "")
                .append(','));
        byReason.forEach((reason, places) -> {
            places.setLength(places.length() - 1);
            LOG.warn("{}: {}. Partitions:{}", config.topics().frames().name(), reason.text(), places);
        });
        if (byReason.containsKey(OffsetRule.Reason.RECREATED)) metrics.framesTopicRecreated();
        metrics.offsetsRestored(corrections.size());
    }
}
