package io.linesight.schemas.topics;

import io.linesight.schemas.topics.TopicSpec.Cleanup;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;

/**
 * The topic catalogue. The key of every record about frames is the camera id, so all these topics have the same number
 * of partitions and the records of one camera stay in order. Labels are keyed by their frame. What concerns models is
 * low in volume and read whole by everyone: one partition, in one order for all.
 */
public final class Topics {

    /** Config keys under which applications accept the catalogue's settings. */
    public static final String PREFIX_CONFIG = "linesight.topics.prefix";

    public static final String PARTITIONS_CONFIG = "linesight.topics.partitions";
    public static final String REPLICATION_CONFIG = "linesight.topics.replication.factor";

    public static final String DEFAULT_PREFIX = "linesight";
    public static final int DEFAULT_PARTITIONS = 4;
    /** Largest chunk of a checkpoint: with key and headers it stays below Kafka's default message limit. */
    public static final int MODEL_CHUNK_BYTES = 900 << 10;

    private static final Duration FOR_EVER = Duration.ofDays(36_500);

    private static final ConfigDef DEFINITION = new ConfigDef()
            .define(
                    PREFIX_CONFIG,
                    Type.STRING,
                    DEFAULT_PREFIX,
                    new ConfigDef.NonEmptyString(),
                    Importance.MEDIUM,
                    "First part of every topic's name.")
            .define(
                    PARTITIONS_CONFIG,
                    Type.INT,
                    DEFAULT_PARTITIONS,
                    Range.atLeast(1),
                    Importance.MEDIUM,
                    "Partitions of topics that are made by the command topics; as many instances can work.")
            .define(
                    REPLICATION_CONFIG,
                    Type.INT,
                    (int) TopicSpec.BROKER_DEFAULT,
                    Range.between(TopicSpec.BROKER_DEFAULT, Short.MAX_VALUE),
                    Importance.MEDIUM,
                    "Copies of every partition of topics that are made; -1 for the broker's default.")
            .define(
                    SizeLimits.FRAME_BYTES_CONFIG,
                    Type.INT,
                    SizeLimits.DEFAULT_FRAME_BYTES,
                    Range.between(SizeLimits.MIN_FRAME_BYTES, SizeLimits.MAX_FRAME_BYTES),
                    Importance.MEDIUM,
                    "Largest serialised frame. Producer and consumer limits follow from it; topics and brokers must "
                            + "allow it too (command: topics).");

    private final SizeLimits limits;
    private final TopicSpec frames;
    private final TopicSpec results;
    private final TopicSpec anomalies;
    private final TopicSpec deadLetter;
    private final TopicSpec labels;
    private final TopicSpec models;
    private final TopicSpec modelChunks;
    private final TopicSpec rollouts;
    private final TopicSpec modelStatus;
    private final TopicSpec shadow;
    private final TopicSpec exemptions;
    private final TopicSpec settings;
    private final TopicSpec training;
    private final TopicSpec alerts;
    private final TopicSpec alertActions;

    private Topics(String prefix, int partitions, short replication, SizeLimits limits) {
        this.limits = Objects.requireNonNull(limits, "limits");
        if (prefix == null || prefix.isBlank()) {
            throw new IllegalArgumentException(PREFIX_CONFIG + " is empty; the default is " + DEFAULT_PREFIX);
        }
        Naming many = new Naming(prefix, partitions, replication);
        // Records whose order counts across keys: one partition.
        Naming one = new Naming(prefix, 1, replication);
        int small = limits.smallTopicBytes();
        frames = many.kept(
                "frames",
                Duration.ofHours(24),
                limits.frameTopicBytes(),
                "CameraFrame: raw frames; labels point here, so retention is how long they can be fetched");
        results = many.kept("results", Duration.ofDays(30), small, "InspectionResult: the verdict on every frame");
        anomalies = many.kept(
                "anomalies",
                Duration.ofDays(90),
                small,
                "AnomalyEvent: anomalous frames with map, regions and thumbnail");
        deadLetter = many.kept(
                "dead-letter",
                Duration.ofDays(14),
                limits.deadLetterTopicBytes(),
                "records that could not be inspected, bytes untouched, the reason in headers");
        labels = many.compacted("labels", small, "FrameLabel: people's verdicts on frames, the latest per frame");
        models = one.compacted("models", small, "ModelVersion: published checkpoints, one record per version");
        modelChunks = one.compacted(
                "model-chunks", MODEL_CHUNK_BYTES + (64 << 10), "bytes of checkpoints, in chunks of at most 900 KiB");
        rollouts = one.kept(
                "rollouts", FOR_EVER, small, "Rollout: which checkpoint a channel runs, with its whole history");
        modelStatus =
                one.compacted("model-status", small, "ModelStatus: what every instance does with every checkpoint");
        shadow = many.kept(
                "shadow", Duration.ofDays(7), small, "ShadowDifference: champion and challenger on the same frame");
        exemptions = one.compacted(
                "exemptions", small, "Exemption: false alarms that are forgotten at once, the latest word per frame");
        settings = one.kept(
                "settings",
                FOR_EVER,
                small,
                "ProductSettings: thresholds, review bands and alert policies that people set, with their history");
        training = one.logged(
                "training",
                Duration.ofDays(365),
                small,
                "TrainingStatus: what trainers do, and what became of their runs; the latest record of each run");
        alerts = many.logged(
                "alerts",
                Duration.ofDays(365),
                small,
                "Alert: every change of every alert; the latest record of each is its present state");
        alertActions = many.kept(
                "alert-actions",
                Duration.ofDays(90),
                small,
                "AlertAction: what people do about alerts: acknowledge, shelve, close, note, maintenance");
    }

    /** What topics have in common. */
    private record Naming(String prefix, int partitions, short replication) {
        TopicSpec kept(String name, Duration retention, int maxBytes, String doc) {
            return topic(name, Cleanup.DELETE, retention, maxBytes, doc);
        }

        TopicSpec compacted(String name, int maxBytes, String doc) {
            return topic(name, Cleanup.COMPACT, FOR_EVER, maxBytes, doc);
        }

        TopicSpec logged(String name, Duration retention, int maxBytes, String doc) {
            return topic(name, Cleanup.COMPACT_DELETE, retention, maxBytes, doc);
        }

        private TopicSpec topic(String name, Cleanup cleanup, Duration retention, int maxBytes, String doc) {
            return new TopicSpec(
                    prefix + "." + name + ".v1", partitions, replication, cleanup, retention, maxBytes, doc);
        }
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
        String prefix = Objects.toString(
                configs.get(PREFIX_CONFIG), (String) DEFINITION.defaultValues().get(PREFIX_CONFIG));
        int partitions = number(configs, PARTITIONS_CONFIG);
        int replication = number(configs, REPLICATION_CONFIG);
        if (replication != (short) replication) {
            throw new IllegalArgumentException(REPLICATION_CONFIG + "=" + replication + " is not a replication factor");
        }
        int frameBytes = number(configs, SizeLimits.FRAME_BYTES_CONFIG);
        return of(prefix, partitions, (short) replication, new SizeLimits(frameBytes));
    }

    /** Why {@link #from} would not take settings, by their key; empty where it would. */
    public static Map<String, String> problems(Map<String, ?> configs) {
        Map<String, String> problems = new TreeMap<>();
        for (String key : DEFINITION.names()) {
            Object value = configs.get(key);
            if (value == null) continue;
            try {
                from(Map.of(key, value));
            } catch (IllegalArgumentException e) {
                String why = String.valueOf(e.getMessage());
                problems.put(key, why.startsWith(key) ? why : key + "=" + value + " cannot be used: " + why);
            }
        }
        return problems;
    }

    private static int number(Map<String, ?> configs, String key) {
        Object value = configs.get(key);
        if (value == null) {
            return (Integer) DEFINITION.defaultValues().get(key);
        }
        try {
            return Integer.parseInt(value.toString().trim());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(key + "=" + value + " is not a whole number");
        }
    }

    /** Every key of {@link #from} with default, range and meaning; for the reference. */
    public static ConfigDef definition() {
        return new ConfigDef(DEFINITION);
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

    /** {@code FrameLabel}, keyed by {@code <topic>-<partition>-<offset>} of the frame. */
    public TopicSpec labels() {
        return labels;
    }

    /** {@code ModelVersion}, keyed by version. */
    public TopicSpec models() {
        return models;
    }

    /** Raw bytes, keyed by {@code <sha256>/<index>}. */
    public TopicSpec modelChunks() {
        return modelChunks;
    }

    /** {@code Rollout}, keyed by channel; never deleted. */
    public TopicSpec rollouts() {
        return rollouts;
    }

    /** {@code ModelStatus}, keyed by {@code <instance>/<version>}. */
    public TopicSpec modelStatus() {
        return modelStatus;
    }

    /** {@code ShadowDifference}, keyed by camera id. */
    public TopicSpec shadow() {
        return shadow;
    }

    /** {@code Exemption}, keyed by {@code <channel>/<product>/<frame>}. */
    public TopicSpec exemptions() {
        return exemptions;
    }

    /** {@code ProductSettings}, keyed by {@code <channel>/<product>}; never deleted. */
    public TopicSpec settings() {
        return settings;
    }

    /** {@code Alert}, keyed by alert id, in the partition of its camera. */
    public TopicSpec alerts() {
        return alerts;
    }

    /** {@code AlertAction}, keyed by camera id, so that it meets the results of its camera. */
    public TopicSpec alertActions() {
        return alertActions;
    }

    /** {@code TrainingStatus}, keyed by {@code <channel>/<run>}. */
    public TopicSpec training() {
        return training;
    }

    /** The limits the sizes were derived from. */
    public SizeLimits limits() {
        return limits;
    }

    /** Every topic, in the order of the data flow. */
    public List<TopicSpec> all() {
        return List.of(
                frames,
                results,
                anomalies,
                deadLetter,
                labels,
                models,
                modelChunks,
                rollouts,
                modelStatus,
                shadow,
                exemptions,
                settings,
                training,
                alerts,
                alertActions);
    }

    /** The topic of that full name, if it is in the catalogue. */
    public Optional<TopicSpec> byName(String name) {
        return all().stream().filter(t -> t.name().equals(name)).findFirst();
    }
}
