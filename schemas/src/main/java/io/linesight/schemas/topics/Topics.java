package io.linesight.schemas.topics;

import io.linesight.schemas.topics.TopicSpec.Cleanup;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The topic catalogue. The key of every record is the camera id, so all topics have the same number of partitions and
 * the records of one camera stay in order.
 */
public final class Topics {

    /** Config keys under which applications accept the catalogue's settings. */
    public static final String PREFIX_CONFIG = "linesight.topics.prefix";
    public static final String PARTITIONS_CONFIG = "linesight.topics.partitions";
    public static final String REPLICATION_CONFIG = "linesight.topics.replication.factor";

    public static final String DEFAULT_PREFIX = "linesight";
    public static final int DEFAULT_PARTITIONS = 4;

    private final SizeLimits limits;
    private final TopicSpec frames;
    private final TopicSpec results;
    private final TopicSpec anomalies;
    private final TopicSpec deadLetter;

    private Topics(String prefix, int partitions, short replication, SizeLimits limits) {
        this.limits = Objects.requireNonNull(limits, "limits");
        if (prefix == null || prefix.isBlank()) {
            throw new IllegalArgumentException(PREFIX_CONFIG + " is empty; the default is " + DEFAULT_PREFIX);
        }
        frames = new TopicSpec(prefix + ".frames.v1", partitions, replication, Cleanup.DELETE, Duration.ofHours(24),
                limits.frameTopicBytes(), "CameraFrame: raw frames; labels point here, so retention is how long they can be fetched");
        results = new TopicSpec(prefix + ".results.v1", partitions, replication, Cleanup.DELETE, Duration.ofDays(30),
                limits.smallTopicBytes(), "InspectionResult: the verdict on every frame");
        anomalies = new TopicSpec(prefix + ".anomalies.v1", partitions, replication, Cleanup.DELETE, Duration.ofDays(90),
                limits.smallTopicBytes(), "AnomalyEvent: anomalous frames with map, regions and thumbnail");
        deadLetter = new TopicSpec(prefix + ".dead-letter.v1", partitions, replication, Cleanup.DELETE, Duration.ofDays(14),
                limits.deadLetterTopicBytes(), "records that could not be inspected, bytes untouched, the reason in headers");
    }

    /** Prefix {@code linesight}, 4 partitions, the broker's replication factor, 8 MiB frames. */
    public static Topics defaults() {
        return of(DEFAULT_PREFIX, DEFAULT_PARTITIONS, TopicSpec.BROKER_DEFAULT, SizeLimits.defaults());
    }

    /**
     * @param prefix first part of every topic name
     * @param partitions the same for every topic
     * @param replication copies per partition, or {@link TopicSpec#BROKER_DEFAULT}
     */
    public static Topics of(String prefix, int partitions, short replication, SizeLimits limits) {
        return new Topics(prefix, partitions, replication, limits);
    }

    /**
     * Reads {@link #PREFIX_CONFIG}, {@link #PARTITIONS_CONFIG}, {@link #REPLICATION_CONFIG} and
     * {@link SizeLimits#FRAME_BYTES_CONFIG}; what is absent keeps its default.
     *
     * @throws IllegalArgumentException naming the key where a value is not usable
     */
    public static Topics from(Map<String, ?> configs) {
        String prefix = Objects.toString(configs.get(PREFIX_CONFIG), DEFAULT_PREFIX);
        int partitions = number(configs, PARTITIONS_CONFIG, DEFAULT_PARTITIONS);
        int replication = number(configs, REPLICATION_CONFIG, TopicSpec.BROKER_DEFAULT);
        if (replication != (short) replication) {
            throw new IllegalArgumentException(REPLICATION_CONFIG + "=" + replication + " is not a replication factor");
        }
        int frameBytes = number(configs, SizeLimits.FRAME_BYTES_CONFIG, SizeLimits.DEFAULT_FRAME_BYTES);
        return of(prefix, partitions, (short) replication, new SizeLimits(frameBytes));
    }

    private static int number(Map<String, ?> configs, String key, int otherwise) {
        Object value = configs.get(key);
        if (value == null) {
            return otherwise;
        }
        try {
            return Integer.parseInt(value.toString().trim());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(key + "=" + value + " is not a whole number");
        }
    }

    /** {@code CameraFrame}: raw frames. */
    public TopicSpec frames() {
        return frames;
    }

    /** {@code InspectionResult}: one per frame. */
    public TopicSpec results() {
        return results;
    }

    /** {@code AnomalyEvent}: only anomalous frames. */
    public TopicSpec anomalies() {
        return anomalies;
    }

    /** Original bytes of records that could not be inspected; see {@code DeadLetterHeaders}. */
    public TopicSpec deadLetter() {
        return deadLetter;
    }

    /** The limits the sizes were derived from. */
    public SizeLimits limits() {
        return limits;
    }

    /** Every topic, in the order of the data flow. */
    public List<TopicSpec> all() {
        return List.of(frames, results, anomalies, deadLetter);
    }

    /** The topic of that full name, if it is in the catalogue. */
    public Optional<TopicSpec> byName(String name) {
        return all().stream().filter(t -> t.name().equals(name)).findFirst();
    }
}
