package io.linesight.streams.config;

import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.Setting;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.Topics;
import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.streams.StreamsConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Configuration of the inspection app, checked as a whole. {@link #reference()} documents every key.
 *
 * <p>Keys of Kafka and of the schema registry keep their own names; ours begin with {@code linesight.}. Any client or
 * Streams setting can be passed with the prefix {@code kafka.}.
 *
 * @param bootstrapServers Kafka brokers
 * @param applicationId consumer group and transactional id prefix
 * @param topics names and size limits of the topics
 * @param checkpoint the model file; null only when the app is given a scorer
 * @param scorer device, threads and scan implementation
 * @param batching how frames are gathered
 * @param review where the verdicts lie on the calibrated score
 * @param events what anomaly events carry
 * @param imageLimits largest picture that is decoded
 * @param streams Kafka Streams settings the app depends on
 * @param recovery patience with the outside world
 * @param models which rollouts are followed, and how
 * @param metricsPort port of {@code /metrics}, {@code /live} and {@code /ready}; null for none, 0 for any free one
 * @param serdes settings of the Avro serde, registry address included
 * @param overrides Kafka settings passed through, prefix removed
 */
public record InspectionConfig(
        String bootstrapServers,
        String applicationId,
        Topics topics,
        Path checkpoint,
        ScorerOptions scorer,
        Batching batching,
        Review review,
        Events events,
        ImageLimits imageLimits,
        Streams streams,
        Recovery recovery,
        Models models,
        Integer metricsPort,
        Map<String, String> serdes,
        Map<String, String> overrides) {

    /**
     * @param maxBatch most frames in one inference
     * @param linger longest wait for a batch to fill
     * @param maxPending most frames a task keeps while they are scored
     * @param decodeThreads threads that decode and resize
     * @param drainBudget wait before a commit that back-pressure aims to stay below
     * @param drainTimeout wait before a commit after which the thread gives up and its frames are taken up again
     */
    public record Batching(
            int maxBatch,
            Duration linger,
            int maxPending,
            int decodeThreads,
            Duration drainBudget,
            Duration drainTimeout) {}

    /**
     * Calibrated scores below {@code low} are PASS, from {@code high} on FAIL, between them REVIEW; null where it was
     * left to the checkpoint.
     */
    public record Review(Double low, Double high) {}

    /** Content of {@code AnomalyEvent}. */
    public record Events(boolean thumbnail, int thumbnailQuality, MapRange mapRange, int maxRegions) {}

    /** Kafka Streams settings that depend on each other. */
    public record Streams(
            int threads,
            String guarantee,
            Duration commitInterval,
            Duration transactionTimeout,
            Duration maxPollInterval,
            String autoOffsetReset,
            Path stateDir) {}

    /**
     * Patience: with the registry while running, with everything at the start, and how often a failed thread is
     * replaced.
     */
    public record Recovery(Duration registryRetry, Duration startupTimeout, int threadReplacements) {}

    /**
     * What matters only to an app that follows rollouts.
     *
     * @param channel whose decisions are followed
     * @param instance name of this instance on the model-status topic
     * @param directory for downloads
     * @param follow whether it was said whose checkpoints are served; without that there are no rollouts to follow. Who
     *     makes the {@code ModelControl} reads those settings
     * @param stagger pause between the swaps of two instances
     * @param shadowQueue most frames that wait for a shadow's score
     * @param guard when a new model is taken out of service
     */
    public record Models(
            String channel,
            String instance,
            Path directory,
            boolean follow,
            Duration stagger,
            int shadowQueue,
            GuardLimits guard) {}

    public static final String BOOTSTRAP_SERVERS = "bootstrap.servers";
    public static final String APPLICATION_ID = "application.id";
    public static final String REGISTRY_URL = "schema.registry.url";
    public static final String SERDE_CLASS = SerdeFactory.SERDE_CLASS_CONFIG;
    public static final String TOPICS_PREFIX = Topics.PREFIX_CONFIG;
    public static final String MAX_FRAME_BYTES = SizeLimits.FRAME_BYTES_CONFIG;
    public static final String CHECKPOINT = "linesight.checkpoint";
    public static final String DEVICE = "linesight.device";
    public static final String SCORER_THREADS = "linesight.scorer.threads";
    public static final String SCAN = "linesight.scan";
    public static final String MAX_BATCH = "linesight.batch.max";
    public static final String LINGER_MS = "linesight.batch.linger.ms";
    public static final String MAX_PENDING = "linesight.pending.max";
    public static final String DECODE_THREADS = "linesight.decode.threads";
    public static final String DRAIN_BUDGET_MS = "linesight.drain.budget.ms";
    public static final String DRAIN_TIMEOUT_MS = "linesight.drain.timeout.ms";
    public static final String REVIEW_LOW = "linesight.review.low";
    public static final String REVIEW_HIGH = "linesight.review.high";
    public static final String THUMBNAIL = "linesight.thumbnail";
    public static final String THUMBNAIL_QUALITY = "linesight.thumbnail.quality";
    public static final String MAP_RANGE = "linesight.map.range";
    public static final String MAX_REGIONS = "linesight.regions.max";
    public static final String IMAGE_MAX_SIDE = "linesight.image.max.side";
    public static final String IMAGE_MAX_PIXELS = "linesight.image.max.pixels";
    public static final String STREAM_THREADS = "num.stream.threads";
    public static final String PROCESSING_GUARANTEE = "processing.guarantee";
    public static final String COMMIT_INTERVAL_MS = "commit.interval.ms";
    public static final String TRANSACTION_TIMEOUT_MS = "transaction.timeout.ms";
    public static final String MAX_POLL_INTERVAL_MS = "max.poll.interval.ms";
    public static final String AUTO_OFFSET_RESET = "auto.offset.reset";
    public static final String STATE_DIR = "state.dir";
    public static final String REGISTRY_RETRY_MS = "linesight.registry.retry.ms";
    public static final String STARTUP_TIMEOUT_MS = "linesight.startup.timeout.ms";
    public static final String THREAD_REPLACEMENTS = "linesight.thread.replacements";
    public static final String CHANNEL = "linesight.models.channel";
    public static final String INSTANCE = "linesight.models.instance";
    public static final String MODELS_DIR = "linesight.models.dir";
    public static final String TRUSTED_KEYS = "linesight.models.trusted.keys";
    public static final String UNSIGNED = "linesight.models.unsigned";
    public static final String MODELS_PATIENCE_MS = "linesight.models.patience.ms";
    public static final String MODELS_MAX_BYTES = "linesight.models.max.bytes";
    public static final String MODELS_HTTP_AUTHORIZATION = "linesight.models.http.authorization";
    public static final String STAGGER_MS = "linesight.rollout.stagger.ms";
    public static final String PROBATION_MS = "linesight.rollout.probation.ms";
    public static final String SHADOW_QUEUE = "linesight.shadow.queue";
    public static final String GUARD_WINDOW = "linesight.guard.window.frames";
    public static final String GUARD_MINIMUM = "linesight.guard.min.frames";
    public static final String GUARD_ERROR_RATE = "linesight.guard.error.rate";
    public static final String GUARD_NAN_RATE = "linesight.guard.nan.rate";
    public static final String GUARD_LATENCY_RATIO = "linesight.guard.latency.ratio";
    public static final String GUARD_ANOMALY_JUMP = "linesight.guard.anomaly.jump";
    public static final String METRICS_PORT = "linesight.metrics.port";
    /** Prefix of settings handed to the Kafka clients and to Kafka Streams as they are. */
    public static final String KAFKA_PREFIX = "kafka.";

    private static final Logger LOG = LoggerFactory.getLogger(InspectionConfig.class);
    private static final int NO_PORT = -1;
    private static final Pattern SECRET = Pattern.compile(
            "password|secret|token|user\\.info|jaas|credential|private|\\.key$|ssl\\..*\\.pem",
            Pattern.CASE_INSENSITIVE);
    /** Keys of Confluent's serdes, which any serde chosen by class name understands. */
    private static final Pattern SERDE_KEY = Pattern.compile(
            "(schema\\.registry|basic\\.auth|bearer\\.auth|sasl\\.oauthbearer|avro)\\..*"
                    + "|auto\\.register\\.schemas|use\\.latest\\.version|latest\\.compatibility\\.strict|normalize\\.schemas"
                    + "|(value|key)\\.subject\\.name\\.strategy|specific\\.avro\\.reader|max\\.schemas\\.per\\.subject|http\\.(connect|read)\\.timeout\\.ms|max\\.retries|retries\\.(max\\.)?wait\\.ms");

    /** Of no use to the app, but one file may well serve it and the topics command. */
    private static final Set<String> CATALOGUE_KEYS = Set.of(Topics.PARTITIONS_CONFIG, Topics.REPLICATION_CONFIG);

    private static final ConfigDef DEFINITION = define();

    public InspectionConfig {
        serdes = Map.copyOf(serdes);
        overrides = Map.copyOf(overrides);
    }

    private static ConfigDef define() {
        return new ConfigDef()
                .define(
                        BOOTSTRAP_SERVERS,
                        Type.STRING,
                        ConfigDef.NO_DEFAULT_VALUE,
                        new ConfigDef.NonEmptyString(),
                        Importance.HIGH,
                        "Kafka brokers, host:port,host:port.")
                .define(
                        APPLICATION_ID,
                        Type.STRING,
                        "linesight-inspection",
                        new ConfigDef.NonEmptyString(),
                        Importance.HIGH,
                        "Consumer group and prefix of the transactional ids. Instances with the same id share the cameras.")
                .define(
                        REGISTRY_URL,
                        Type.STRING,
                        ConfigDef.NO_DEFAULT_VALUE,
                        new ConfigDef.NonEmptyString(),
                        Importance.HIGH,
                        "Schema registry, several addresses separated by commas. All other keys of Confluent's serdes (basic.auth.user.info, auto.register.schemas, ...) are passed to the serdes as they are.")
                .define(
                        SERDE_CLASS,
                        Type.STRING,
                        AvroSerde.class.getName(),
                        new ConfigDef.NonEmptyString(),
                        Importance.LOW,
                        "Class of the Avro serde: ours, or any Confluent-compatible one on the class path.")
                .define(CHECKPOINT, Type.STRING, null, Importance.HIGH, "The model: a checkpoint file written by fit.")
                .define(
                        DEVICE,
                        Type.STRING,
                        "auto",
                        ConfigDef.LambdaValidator.with(InspectionConfig::checkDevice, () -> "auto, cpu or cuda:N"),
                        Importance.HIGH,
                        "Where the model runs. auto takes CUDA where it works and says what it chose; cuda:N fails where it does not.")
                .define(
                        SCORER_THREADS,
                        Type.INT,
                        0,
                        Range.atLeast(0),
                        Importance.LOW,
                        "CPU threads of the model; 0 lets the runtime choose.")
                .define(
                        SCAN,
                        Type.STRING,
                        "auto",
                        choice("auto", "operator", "function"),
                        Importance.LOW,
                        "How the selective scan runs: our operator, the portable function inside the file, or the best available.")
                .define(
                        MAX_BATCH,
                        Type.INT,
                        16,
                        Range.between(1, 1024),
                        Importance.MEDIUM,
                        "Most frames in one inference.")
                .define(
                        LINGER_MS,
                        Type.INT,
                        5,
                        Range.between(0, 10_000),
                        Importance.MEDIUM,
                        "Longest wait of a frame for its batch to fill.")
                .define(
                        MAX_PENDING,
                        Type.INT,
                        64,
                        Range.between(1, 100_000),
                        Importance.MEDIUM,
                        "Most frames one task (partition) keeps while they are decoded and scored; more block, which is the back-pressure.")
                .define(
                        DECODE_THREADS,
                        Type.INT,
                        0,
                        Range.between(0, 256),
                        Importance.LOW,
                        "Threads that decode and resize frames for all tasks; 0 means half the processors.")
                .define(
                        DRAIN_BUDGET_MS,
                        Type.INT,
                        5_000,
                        Range.atLeast(1),
                        Importance.LOW,
                        "A commit waits for every pending frame. A task takes no new frame while the frames pending in this instance need longer than this at the measured speed.")
                .define(
                        DRAIN_TIMEOUT_MS,
                        Type.INT,
                        25_000,
                        Range.atLeast(10),
                        Importance.LOW,
                        "Longest wait for a score. Then the stream thread is replaced and its uncommitted frames are scored again. Must be below transaction.timeout.ms.")
                .define(
                        REVIEW_LOW,
                        Type.DOUBLE,
                        0.4,
                        Range.between(0, 0.5),
                        Importance.MEDIUM,
                        "Calibrated scores below this are PASS, from here to linesight.review.high REVIEW. Where it is set, it counts for every product; where not, the checkpoint's own band of the product comes first.")
                .define(
                        REVIEW_HIGH,
                        Type.DOUBLE,
                        0.6,
                        Range.between(0.5, 1),
                        Importance.MEDIUM,
                        "Calibrated scores from this on are FAIL. Anomaly events are written from 0.5 on, whatever the band. Where it is set, it counts for every product; where not, the checkpoint's own band of the product comes first.")
                .define(
                        THUMBNAIL,
                        Type.BOOLEAN,
                        true,
                        Importance.LOW,
                        "Whether anomaly events carry the frame as a JPEG at model resolution.")
                .define(
                        THUMBNAIL_QUALITY,
                        Type.INT,
                        85,
                        Range.between(1, 100),
                        Importance.LOW,
                        "JPEG quality of thumbnails.")
                .define(
                        MAP_RANGE,
                        Type.STRING,
                        "auto",
                        ConfigDef.LambdaValidator.with(InspectionConfig::checkMapRange, () -> "auto or low,high"),
                        Importance.LOW,
                        "Raw values of black and white in the anomaly map's PNG. auto takes each map's own smallest and largest value; mapLow and mapHigh of the event always say which.")
                .define(
                        MAX_REGIONS,
                        Type.INT,
                        10,
                        Range.between(0, 10),
                        Importance.LOW,
                        "Most regions per result, highest peaks first.")
                .define(
                        TOPICS_PREFIX,
                        Type.STRING,
                        Topics.DEFAULT_PREFIX,
                        new ConfigDef.NonEmptyString(),
                        Importance.MEDIUM,
                        "First part of every topic's name.")
                .define(
                        MAX_FRAME_BYTES,
                        Type.INT,
                        SizeLimits.DEFAULT_FRAME_BYTES,
                        Importance.MEDIUM,
                        "Largest serialised frame. Producer and consumer limits follow from it; topics and brokers must allow it too (command: topics).")
                .define(
                        IMAGE_MAX_SIDE,
                        Type.INT,
                        ImageLimits.defaults().maxSide(),
                        Range.atLeast(1),
                        Importance.LOW,
                        "Pictures with a longer side go to the dead-letter topic; read from the header before any pixel is decoded.")
                .define(
                        IMAGE_MAX_PIXELS,
                        Type.LONG,
                        ImageLimits.defaults().maxPixels(),
                        Range.atLeast(1),
                        Importance.LOW,
                        "Pictures with more pixels go to the dead-letter topic.")
                .define(
                        STREAM_THREADS,
                        Type.INT,
                        2,
                        Range.between(1, 256),
                        Importance.MEDIUM,
                        "Stream threads of this instance. Decoding and scoring have threads of their own, so few are enough.")
                .define(
                        PROCESSING_GUARANTEE,
                        Type.STRING,
                        StreamsConfig.EXACTLY_ONCE_V2,
                        choice(StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE),
                        Importance.MEDIUM,
                        "exactly_once_v2 writes every result once for read_committed consumers; at_least_once shows results sooner and may repeat some after a crash (same resultId).")
                .define(
                        COMMIT_INTERVAL_MS,
                        Type.INT,
                        100,
                        Range.between(1, 600_000),
                        Importance.LOW,
                        "Time between commits. With exactly_once_v2 results become visible at a commit; every commit first waits for the pending frames.")
                .define(
                        TRANSACTION_TIMEOUT_MS,
                        Type.INT,
                        30_000,
                        Range.between(1_000, 900_000),
                        Importance.LOW,
                        "Kafka aborts a transaction that lasts longer. After a crash its partitions wait this long before they go on.")
                .define(
                        MAX_POLL_INTERVAL_MS,
                        Type.INT,
                        300_000,
                        Range.between(1_000, Integer.MAX_VALUE),
                        Importance.LOW,
                        "A stream thread that takes longer between polls loses its partitions. Must be above transaction.timeout.ms.")
                .define(
                        AUTO_OFFSET_RESET,
                        Type.STRING,
                        "earliest",
                        choice("earliest", "latest"),
                        Importance.LOW,
                        "Where the very first start begins: with the oldest frame still there, or with the next new one.")
                .define(
                        STATE_DIR,
                        Type.STRING,
                        Path.of(System.getProperty("java.io.tmpdir"), "linesight-streams")
                                .toString(),
                        Importance.LOW,
                        "Folder for Kafka Streams. The app keeps no state of its own, so any folder does.")
                .define(
                        REGISTRY_RETRY_MS,
                        Type.INT,
                        15_000,
                        Range.between(0, 600_000),
                        Importance.LOW,
                        "How long a frame waits, with growing pauses, for a registry that does not answer. Then the stream thread is replaced and tries again, for ever: a frame is never a dead letter because the registry is away.")
                .define(
                        STARTUP_TIMEOUT_MS,
                        Type.INT,
                        15_000,
                        Range.between(100, 600_000),
                        Importance.LOW,
                        "How long the start waits for broker and registry before it gives up with a message.")
                .define(
                        THREAD_REPLACEMENTS,
                        Type.INT,
                        10,
                        Range.between(0, 1_000_000),
                        Importance.LOW,
                        "Stream threads that may fail and be replaced within 10 minutes before the app stops. Threads that fail because the registry is away do not count.")
                .define(
                        CHANNEL,
                        Type.STRING,
                        "default",
                        new ConfigDef.NonEmptyString(),
                        Importance.MEDIUM,
                        "Rollout channel whose champion and challenger this instance serves. While the channel has no champion, linesight.checkpoint is served.")
                .define(
                        INSTANCE,
                        Type.STRING,
                        null,
                        Importance.MEDIUM,
                        "Name of this instance on the model-status topic: the same after a restart, different from every other instance. Without it the host's name; several instances on one host need names of their own. A number at its end is its place in a staggered rollout.")
                .define(
                        MODELS_DIR,
                        Type.STRING,
                        Path.of(System.getProperty("java.io.tmpdir"), "linesight-models")
                                .toString(),
                        Importance.LOW,
                        "Folder for checkpoints while they are downloaded and checked. Nothing stays there.")
                .define(
                        TRUSTED_KEYS,
                        Type.LIST,
                        "",
                        Importance.HIGH,
                        "Files with the public keys of those whose published checkpoints are served, separated by commas. With keys, or with linesight.models.unsigned=accept, 'serve' follows the rollouts of its channel; without, it serves linesight.checkpoint for good.")
                .define(
                        UNSIGNED,
                        Type.STRING,
                        "refuse",
                        choice("refuse", "accept"),
                        Importance.HIGH,
                        "Whether published checkpoints without a signature are served. A wrong signature is always refused.")
                .define(
                        MODELS_PATIENCE_MS,
                        Type.INT,
                        30_000,
                        Range.atLeast(1),
                        Importance.LOW,
                        "How long a broker or a web server that keeps checkpoints may stay silent before a download fails and is tried again.")
                .define(
                        MODELS_MAX_BYTES,
                        Type.LONG,
                        (long) Integer.MAX_VALUE,
                        Range.atLeast(1),
                        Importance.LOW,
                        "Largest published checkpoint that is downloaded.")
                .define(
                        MODELS_HTTP_AUTHORIZATION,
                        Type.PASSWORD,
                        null,
                        Importance.LOW,
                        "Authorization header for checkpoints on a web server; a secret.")
                .define(
                        STAGGER_MS,
                        Type.INT,
                        0,
                        Range.between(0, 3_600_000),
                        Importance.LOW,
                        "Rolling updates: an instance swaps its champion this long after the one before it in order. The order is the number at the end of linesight.models.instance, or a hash of the name. 0 swaps as soon as the model is ready; a rollback never waits.")
                .define(
                        PROBATION_MS,
                        Type.INT,
                        600_000,
                        Range.between(0, 86_400_000),
                        Importance.LOW,
                        "How long after a promotion the guards compare the new champion with the one before, which stays in memory meanwhile. 0 for not at all.")
                .define(
                        SHADOW_QUEUE,
                        Type.INT,
                        32,
                        Range.between(1, 10_000),
                        Importance.LOW,
                        "Most frames that wait for a shadow's score, 200 kB each. More are dropped and counted; results are not affected.")
                .define(
                        GUARD_WINDOW,
                        Type.INT,
                        500,
                        Range.between(1, 1_000_000),
                        Importance.LOW,
                        "Guards: rates are taken over this many of a model's newest frames.")
                .define(
                        GUARD_MINIMUM,
                        Type.INT,
                        100,
                        Range.between(1, 1_000_000),
                        Importance.LOW,
                        "Guards: frames of a new model before it is judged. At most linesight.guard.window.frames.")
                .define(
                        GUARD_ERROR_RATE,
                        Type.DOUBLE,
                        0.02,
                        Range.between(0, 1),
                        Importance.LOW,
                        "Guards: a new model goes when inference fails on so much larger a share of its frames than with the model before. 1 for no limit.")
                .define(
                        GUARD_NAN_RATE,
                        Type.DOUBLE,
                        0.01,
                        Range.between(0, 1),
                        Importance.LOW,
                        "Guards: the same for NaN. 1 for no limit.")
                .define(
                        GUARD_LATENCY_RATIO,
                        Type.DOUBLE,
                        3.0,
                        Range.between(0, 1_000),
                        Importance.LOW,
                        "Guards: a new model goes when its p95 inference time per frame, in batches of like size, is more than this many times the other's. 0 for no limit.")
                .define(
                        GUARD_ANOMALY_JUMP,
                        Type.DOUBLE,
                        0.2,
                        Range.between(0, 1),
                        Importance.LOW,
                        "Guards: a new model goes when the share of frames it calls anomalous is so much larger than what the model before would call so. 1 for no limit.")
                .define(
                        METRICS_PORT,
                        Type.INT,
                        NO_PORT,
                        Range.between(NO_PORT, 65_535),
                        Importance.LOW,
                        "Port of /metrics (Prometheus), /live and /ready; -1 for none, 0 for any free one.");
    }

    private static ValidString choice(String... values) {
        return ValidString.in(values);
    }

    private static void checkDevice(String key, Object value) {
        if (!String.valueOf(value).matches("auto|cpu|cuda(:\\d+)?")) {
            throw new ConfigException(key, value, "expected auto, cpu or cuda:N");
        }
    }

    private static void checkMapRange(String key, Object value) {
        try {
            MapRange.parse(String.valueOf(value));
        } catch (IllegalArgumentException e) {
            throw new ConfigException(key, value, e.getMessage());
        }
    }

    /**
     * Reads and checks settings. Unknown keys are logged as warnings with the key that was probably meant, and ignored.
     *
     * @throws InvalidConfigException with every problem at once
     */
    public static InspectionConfig of(Map<String, ?> settings) {
        Map<String, String> known = new LinkedHashMap<>();
        Map<String, String> serdes = new TreeMap<>();
        Map<String, String> overrides = new TreeMap<>();
        List<String> problems = new ArrayList<>();
        new TreeMap<String, Object>(settings).forEach((key, value) -> {
            if (value == null) return;
            String text = value.toString().trim();
            if (CATALOGUE_KEYS.contains(key)) return;
            if (key.startsWith(KAFKA_PREFIX)) overrides.put(key.substring(KAFKA_PREFIX.length()), text);
            else if (DEFINITION.names().contains(key)) known.put(key, text);
            else if (!SERDE_KEY.matcher(key).matches()) LOG.warn("{}", unknown(key));
            if (SERDE_KEY.matcher(key).matches()) serdes.put(key, text);
        });
        overrides.keySet().forEach(key -> owned(key)
                .ifPresent(ours -> problems.add(KAFKA_PREFIX + key
                        + " would get past the checks that keep timeouts consistent; set " + ours + " instead")));

        Map<String, Object> values = new HashMap<>();
        for (ConfigValue value : DEFINITION.validate(known)) {
            if (value.errorMessages().isEmpty()) values.put(value.name(), value.value());
            else
                problems.add(
                        explain(value.name(), value.errorMessages().get(0))); // what follows follows from the first
        }
        Values v = new Values(values, problems);
        crossCheck(v, problems);
        Topics topics = null;
        try {
            topics = Topics.from(known);
        } catch (RuntimeException e) {
            problems.add(e.getMessage());
        }
        if (!problems.isEmpty()) throw new InvalidConfigException(problems);

        int decodeThreads = v.integer(DECODE_THREADS) > 0
                ? v.integer(DECODE_THREADS)
                : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        serdes.put(SERDE_CLASS, v.text(SERDE_CLASS));
        // Patience is the app's (linesight.registry.retry.ms): a client that retries on its own could outlast the
        // transaction.
        serdes.putIfAbsent("max.retries", "0");
        serdes.putIfAbsent("http.read.timeout.ms", "5000");
        int port = v.integer(METRICS_PORT);
        String checkpoint = v.text(CHECKPOINT);
        return new InspectionConfig(
                v.text(BOOTSTRAP_SERVERS),
                v.text(APPLICATION_ID),
                topics,
                checkpoint == null || checkpoint.isEmpty() ? null : Path.of(checkpoint),
                new ScorerOptions(
                        v.text(DEVICE),
                        v.integer(SCORER_THREADS),
                        ScanMode.valueOf(v.text(SCAN).toUpperCase(Locale.ROOT))),
                new Batching(
                        v.integer(MAX_BATCH),
                        v.millis(LINGER_MS),
                        v.integer(MAX_PENDING),
                        decodeThreads,
                        v.millis(DRAIN_BUDGET_MS),
                        v.millis(DRAIN_TIMEOUT_MS)),
                // What nobody set must not get in the way of what the checkpoint says.
                new Review(
                        known.containsKey(REVIEW_LOW) ? v.real(REVIEW_LOW) : null,
                        known.containsKey(REVIEW_HIGH) ? v.real(REVIEW_HIGH) : null),
                new Events(
                        v.bool(THUMBNAIL),
                        v.integer(THUMBNAIL_QUALITY),
                        MapRange.parse(v.text(MAP_RANGE)),
                        v.integer(MAX_REGIONS)),
                new ImageLimits(
                        v.integer(IMAGE_MAX_SIDE),
                        v.longInteger(IMAGE_MAX_PIXELS),
                        topics.limits().frameBytes()),
                new Streams(
                        v.integer(STREAM_THREADS),
                        v.text(PROCESSING_GUARANTEE),
                        v.millis(COMMIT_INTERVAL_MS),
                        v.millis(TRANSACTION_TIMEOUT_MS),
                        v.millis(MAX_POLL_INTERVAL_MS),
                        v.text(AUTO_OFFSET_RESET),
                        Path.of(v.text(STATE_DIR))),
                recovery(v),
                models(v),
                port == NO_PORT ? null : port,
                serdes,
                overrides);
    }

    /** As {@link #of(Map)}. */
    public static InspectionConfig of(Properties settings) {
        Map<String, String> map = new HashMap<>();
        settings.stringPropertyNames().forEach(name -> map.put(name, settings.getProperty(name)));
        return of(map);
    }

    /**
     * Reads a Java properties file (UTF-8).
     *
     * @throws InvalidConfigException also when the file cannot be read
     */
    public static InspectionConfig ofFile(Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(reader);
        } catch (IOException | IllegalArgumentException e) {
            throw new InvalidConfigException(
                    List.of("cannot read the configuration file " + file.toAbsolutePath() + ": " + e));
        }
        return of(properties);
    }

    private static Recovery recovery(Values v) {
        return new Recovery(v.millis(REGISTRY_RETRY_MS), v.millis(STARTUP_TIMEOUT_MS), v.integer(THREAD_REPLACEMENTS));
    }

    private static Models models(Values v) {
        String instance = v.text(INSTANCE);
        GuardLimits guard = new GuardLimits(
                v.integer(GUARD_WINDOW),
                v.integer(GUARD_MINIMUM),
                v.real(GUARD_ERROR_RATE),
                v.real(GUARD_NAN_RATE),
                v.real(GUARD_LATENCY_RATIO),
                v.real(GUARD_ANOMALY_JUMP),
                v.millis(PROBATION_MS));
        return new Models(
                v.text(CHANNEL),
                instance == null || instance.isEmpty() ? hostName() : instance,
                Path.of(v.text(MODELS_DIR)),
                !v.list(TRUSTED_KEYS).isEmpty() || v.text(UNSIGNED).equals("accept"),
                v.millis(STAGGER_MS),
                v.integer(SHADOW_QUEUE),
                guard);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            String name = System.getenv("HOSTNAME");
            return name == null || name.isBlank() ? "localhost" : name;
        }
    }

    private static void crossCheck(Values v, List<String> problems) {
        v.ordered(DRAIN_BUDGET_MS, DRAIN_TIMEOUT_MS, "a commit that stays within its budget must not time out");
        v.ordered(
                DRAIN_TIMEOUT_MS,
                TRANSACTION_TIMEOUT_MS,
                "Kafka would abort the transaction while frames are still awaited");
        v.ordered(
                REGISTRY_RETRY_MS,
                TRANSACTION_TIMEOUT_MS,
                "Kafka would abort the transaction while the registry is still awaited");
        v.ordered(
                TRANSACTION_TIMEOUT_MS,
                MAX_POLL_INTERVAL_MS,
                "the thread would lose its partitions before the transaction ends");
        if (v.values.get(GUARD_MINIMUM) instanceof Integer minimum
                && v.values.get(GUARD_WINDOW) instanceof Integer window
                && minimum > window) {
            problems.add(GUARD_MINIMUM + "=" + minimum + " must not be above " + GUARD_WINDOW + "=" + window
                    + ": nothing would ever be judged");
        }
        v.ordered(COMMIT_INTERVAL_MS, TRANSACTION_TIMEOUT_MS, "no transaction would ever be committed in time");
    }

    /** The key of ours that a passed-through Kafka setting would get past. */
    private static Optional<String> owned(String kafkaKey) {
        String plain = kafkaKey;
        for (String prefix : List.of("main.consumer.", "restore.consumer.", "consumer.", "producer.")) {
            if (plain.startsWith(prefix)) plain = plain.substring(prefix.length());
        }
        Set<String> ours = Set.of(
                BOOTSTRAP_SERVERS,
                APPLICATION_ID,
                STREAM_THREADS,
                PROCESSING_GUARANTEE,
                COMMIT_INTERVAL_MS,
                TRANSACTION_TIMEOUT_MS,
                MAX_POLL_INTERVAL_MS,
                AUTO_OFFSET_RESET,
                STATE_DIR);
        return ours.contains(plain) ? Optional.of(plain) : Optional.empty();
    }

    private static String unknown(String key) {
        return "Unknown setting " + key + " is ignored"
                + NearMiss.of(key, DEFINITION.names())
                        .map(k -> "; did you mean " + k + "?")
                        .orElse("") + " (settings for Kafka itself take the prefix " + KAFKA_PREFIX + ")";
    }

    private static String explain(String key, String message) {
        return message.contains("Missing required configuration")
                ? key + " is missing: " + DEFINITION.configKeys().get(key).documentation
                : message;
    }

    /** Settings for {@code KafkaStreams}; the caller's pass-through settings included, ours on top. */
    public Properties streamsProperties() {
        Properties p = new Properties();
        // Defaults that a pass-through setting may replace.
        p.put(StreamsConfig.POLL_MS_CONFIG, "10"); // finished frames are forwarded between polls
        p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "32"); // a record is a whole picture
        p.put(StreamsConfig.consumerPrefix("max.poll.records"), "32");
        // With the newer group protocols the broker decides.
        if (!overrides.containsKey(StreamsConfig.GROUP_PROTOCOL_CONFIG))
            p.put(StreamsConfig.consumerPrefix("session.timeout.ms"), "15000");
        p.put(StreamsConfig.producerPrefix("linger.ms"), "5");
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        topics.limits()
                .producerConfigs()
                .forEach((k, value) -> p.put(StreamsConfig.producerPrefix(k), value.toString()));
        topics.limits()
                .consumerConfigs()
                .forEach((k, value) -> p.put(StreamsConfig.consumerPrefix(k), value.toString()));
        p.put(StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG, LenientTimestamps.class.getName());
        p.putAll(overrides);
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, streams.guarantee);
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "" + streams.threads);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, "" + streams.commitInterval.toMillis());
        p.put(StreamsConfig.STATE_DIR_CONFIG, streams.stateDir.toString());
        p.put(StreamsConfig.consumerPrefix(MAX_POLL_INTERVAL_MS), "" + streams.maxPollInterval.toMillis());
        p.put(StreamsConfig.consumerPrefix(AUTO_OFFSET_RESET), streams.autoOffsetReset);
        if (streams.guarantee.equals(StreamsConfig.EXACTLY_ONCE_V2)) {
            p.put(StreamsConfig.producerPrefix(TRANSACTION_TIMEOUT_MS), "" + streams.transactionTimeout.toMillis());
        }
        return p;
    }

    /** Settings for an {@code Admin} client of the same cluster. */
    public Map<String, Object> adminProperties() {
        Map<String, Object> p = new HashMap<>();
        overrides.forEach((key, value) -> {
            if (!key.matches("(main\\.consumer|restore\\.consumer|consumer|producer|admin)\\..*")) p.put(key, value);
        });
        overrides.forEach((key, value) -> {
            if (key.startsWith("admin.")) p.put(key.substring("admin.".length()), value);
        });
        p.put(BOOTSTRAP_SERVERS, bootstrapServers);
        return ClientSettings.forAdmin(p);
    }

    /** Settings for a producer beside the stream: of {@code producer.} and of what is said for all clients. */
    public Map<String, Object> producerProperties() {
        Map<String, Object> p = new HashMap<>(topics.limits().producerConfigs());
        overrides.forEach((key, value) -> {
            if (!key.matches("(main\\.consumer|restore\\.consumer|consumer|producer|admin)\\..*")) p.put(key, value);
        });
        overrides.forEach((key, value) -> {
            if (key.startsWith("producer.")) p.put(key.substring("producer.".length()), value);
        });
        p.put(BOOTSTRAP_SERVERS, bootstrapServers);
        return ClientSettings.forProducer(p);
    }

    /** The registry's address, as configured. */
    public String registryUrl() {
        return serdes.get(REGISTRY_URL);
    }

    /** Port of the metrics server, if there is to be one. */
    public OptionalInt metricsServerPort() {
        return metricsPort == null ? OptionalInt.empty() : OptionalInt.of(metricsPort);
    }

    /** Every key with type, default, range and meaning. */
    public static List<Setting> settings() {
        return Setting.of(
                DEFINITION,
                Map.of(
                        STATE_DIR,
                        "linesight-streams in the temporary folder",
                        MODELS_DIR,
                        "linesight-models in the temporary folder",
                        INSTANCE,
                        "the host's name"));
    }

    /** Every key with type, default and meaning, as text for people. */
    public static String reference() {
        StringBuilder out = new StringBuilder();
        for (Setting s : settings()) {
            out.append(s.name())
                    .append(" (")
                    .append(s.type())
                    .append(s.required() ? ", required" : ", default: " + s.defaultValue());
            if (!s.valid().isEmpty()) out.append(", valid: ").append(s.valid());
            out.append(")\n").append("    ").append(s.doc()).append('\n');
        }
        out.append(KAFKA_PREFIX)
                .append(
                        "*\n    Any setting of Kafka Streams or its clients, for instance kafka.security.protocol or kafka.consumer.fetch.max.wait.ms.\n");
        return out.toString();
    }

    /** Names of every key that {@link #reference()} documents. */
    public static Set<String> keys() {
        return new TreeSet<>(DEFINITION.names());
    }

    /** Fit for a log: secrets are hidden. */
    @Override
    public String toString() {
        return "InspectionConfig[bootstrapServers=" + bootstrapServers + ", applicationId=" + applicationId
                + ", topics=" + topics.all().stream().map(t -> t.name()).toList() + ", checkpoint=" + checkpoint
                + ", scorer=" + scorer
                + ", batching=" + batching + ", review=" + review + ", events=" + events + ", imageLimits="
                + imageLimits
                + ", streams=" + streams + ", recovery=" + recovery + ", models=" + models + ", metricsPort="
                + metricsPort
                + ", serdes=" + redacted(serdes) + ", overrides=" + redacted(overrides) + "]";
    }

    private static Map<String, String> redacted(Map<String, String> settings) {
        Map<String, String> shown = new TreeMap<>();
        settings.forEach(
                (key, value) -> shown.put(key, SECRET.matcher(key).find() ? "[hidden]" : withoutUserInfo(value)));
        return shown;
    }

    /** An address may carry its password: {@code http://user:password@host}. */
    private static String withoutUserInfo(String value) {
        return value.replaceAll("://[^/@,]*@", "://[hidden]@");
    }

    /** Typed access to what was valid; problems were already collected for the rest. */
    private record Values(Map<String, Object> values, List<String> problems) {
        int integer(String key) {
            return (Integer) Objects.requireNonNull(values.get(key), key);
        }

        long longInteger(String key) {
            return (Long) Objects.requireNonNull(values.get(key), key);
        }

        double real(String key) {
            return (Double) Objects.requireNonNull(values.get(key), key);
        }

        boolean bool(String key) {
            return (Boolean) Objects.requireNonNull(values.get(key), key);
        }

        List<String> list(String key) {
            return ((List<?>) values.get(key))
                    .stream().map(String::valueOf).filter(s -> !s.isBlank()).toList();
        }

        String text(String key) {
            return (String) values.get(key);
        }

        Duration millis(String key) {
            return Duration.ofMillis(integer(key));
        }

        void ordered(String smaller, String larger, String why) {
            if (values.get(smaller) instanceof Integer a && values.get(larger) instanceof Integer b && a >= b) {
                problems.add(smaller + "=" + a + " must be below " + larger + "=" + b + ": " + why);
            }
        }
    }
}
