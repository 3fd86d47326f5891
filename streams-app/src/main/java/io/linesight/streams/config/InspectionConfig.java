package io.linesight.streams.config;

import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.schemas.clients.Setting;
import io.linesight.schemas.clients.SettingNames;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.Topics;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Configuration of the inspection app, checked as a whole. {@link #reference()} documents every key.
 *
 * <p>Keys of Kafka and of the schema registry keep their own names; ours begin with {@code linesight.}. Any setting of
 * Kafka Streams and its clients is passed on, with or without the prefix {@code kafka.}.
 *
 * @param bootstrapServers Kafka brokers
 * @param applicationId consumer group and transactional id prefix
 * @param topics names and size limits of the topics
 * @param checkpoint the model file; null only when the app is given a scorer
 * @param scorer device, threads and scan implementation
 * @param batching how frames are gathered
 * @param review where the verdicts lie on the calibrated score
 * @param events what anomaly events carry
 * @param images how images are decoded, and the largest
 * @param streams Kafka Streams settings the app depends on
 * @param recovery how long the app waits for others
 * @param models which rollouts are followed, and how
 * @param exemptions what is done with false alarms that are to be forgotten
 * @param live whether what people set while the app runs is followed
 * @param alerts when alerts open and clear
 * @param metricsPort port of {@code /metrics}, {@code /live} and {@code /ready}; null for none, 0 for any free one
 * @param serdes settings of the Avro serde, registry address included
 * @param overrides Kafka settings passed through, prefix removed
 * @param changed settings of ours that are not what they are by default, as they were set, secrets hidden
 */
public record InspectionConfig(
        String bootstrapServers,
        String applicationId,
        Topics topics,
        @Nullable Path checkpoint,
        ScorerOptions scorer,
        BatchingSettings batching,
        ReviewSettings review,
        EventSettings events,
        DecodeSettings images,
        StreamsSettings streams,
        RecoverySettings recovery,
        RolloutSettings models,
        ExemptionSettings exemptions,
        LiveSettings live,
        AlertSettings alerts,
        @Nullable Integer metricsPort,
        Map<String, String> serdes,
        Map<String, String> overrides,
        Map<String, String> changed) {

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
    public static final String IMAGE_MAX_SIDE = DecodeSettings.MAX_SIDE;
    public static final String IMAGE_MAX_PIXELS = DecodeSettings.MAX_PIXELS;
    public static final String IMAGE_SAMPLE_BITS = DecodeSettings.SAMPLE_BITS;
    public static final String STREAM_THREADS = "num.stream.threads";
    public static final String PROCESSING_GUARANTEE = "processing.guarantee";
    public static final String COMMIT_INTERVAL_MS = "commit.interval.ms";
    public static final String TRANSACTION_TIMEOUT_MS = "transaction.timeout.ms";
    public static final String MAX_POLL_INTERVAL_MS = "max.poll.interval.ms";
    public static final String AUTO_OFFSET_RESET = "auto.offset.reset";
    public static final String STATE_DIR = "state.dir";
    public static final String REGISTRY_RETRY_MS = "linesight.registry.retry.ms";
    public static final String UNKNOWN_SCHEMA_MS = RecordDecoder.UNKNOWN_SCHEMA_MS;
    public static final String STARTUP_TIMEOUT_MS = "linesight.startup.timeout.ms";
    public static final String THREAD_REPLACEMENTS = "linesight.thread.replacements";
    public static final String CHANNEL = "linesight.models.channel";
    public static final String INSTANCE = "linesight.models.instance";
    public static final String MODELS_DIR = "linesight.models.dir";
    public static final String STAGGER_MS = "linesight.rollout.stagger.ms";
    public static final String PROBATION_MS = "linesight.rollout.probation.ms";
    public static final String SHADOW_QUEUE = "linesight.shadow.queue";
    public static final String GUARD_WINDOW = "linesight.guard.window.frames";
    public static final String GUARD_MINIMUM = "linesight.guard.min.frames";
    public static final String GUARD_ERROR_RATE = "linesight.guard.error.rate";
    public static final String GUARD_NAN_RATE = "linesight.guard.nan.rate";
    public static final String GUARD_LATENCY_RATIO = "linesight.guard.latency.ratio";
    public static final String GUARD_ANOMALY_JUMP = "linesight.guard.anomaly.jump";
    public static final String EXEMPTIONS = "linesight.exemptions";
    public static final String EXEMPTIONS_MAX = "linesight.exemptions.max";
    public static final String SETTINGS = "linesight.settings";
    public static final String ALERTS = "linesight.alerts";
    public static final String METRICS_PORT = "linesight.metrics.port";
    /** Prefix of settings handed to the Kafka clients and to Kafka Streams as they are. */
    public static final String KAFKA_PREFIX = SettingNames.KAFKA_PREFIX;

    private static final Logger LOG = LoggerFactory.getLogger(InspectionConfig.class);
    private static final int NO_PORT = -1;
    private static final ConfigDef DEFINITION = define();

    public InspectionConfig {
        serdes = Map.copyOf(serdes);
        overrides = Map.copyOf(overrides);
        changed = Map.copyOf(changed);
    }

    private static ConfigDef define() {
        ConfigDef definition = new ConfigDef();
        // In the order in which the reference shows them.
        ConnectionSettings.define(definition);
        ScorerSettings.define(definition);
        BatchingSettings.define(definition);
        ReviewSettings.define(definition);
        EventSettings.define(definition);
        FrameLimitSettings.define(definition);
        StreamsSettings.define(definition);
        RecoverySettings.define(definition);
        RolloutSettings.define(definition);
        GuardLimits.define(definition);
        ExemptionSettings.define(definition);
        LiveSettings.define(definition);
        AlertSettings.define(definition);
        return definition.define(
                METRICS_PORT,
                Type.INT,
                NO_PORT,
                Range.between(NO_PORT, 65_535),
                Importance.LOW,
                "Port of /metrics (Prometheus), /live and /ready; -1 for none, 0 for any free one.");
    }

    /**
     * Reads and checks settings. What {@link SettingsCheck} warns of is logged, and ignored.
     *
     * @throws InvalidConfigException with every problem at once
     */
    public static InspectionConfig of(Map<String, ?> settings) {
        SettingsCheck check = SettingsCheck.of(settings);
        check.warnings().forEach(warning -> LOG.warn("{}", warning));
        return of(check);
    }

    /** Every problem for which {@link #of(Map)} would refuse the settings; empty when there is none. */
    public static List<String> problems(SettingsCheck check) {
        try {
            of(check);
            return List.of();
        } catch (InvalidConfigException e) {
            return e.problems();
        }
    }

    private static InspectionConfig of(SettingsCheck check) {
        Sorted sorted = Sorted.of(check);
        SettingsReader reader = new SettingsReader(DEFINITION, sorted.known, check.names());
        check.problems().forEach(reader::reject);
        rejectOwned(sorted.overrides, check.names(), reader);
        KafkaProperties.rejectGroupProtocol(sorted.overrides, check.names(), reader);
        BatchingSettings.check(reader);
        RecoverySettings.check(reader);
        StreamsSettings.check(reader);
        GuardLimits.check(reader);
        AlertSettings.check(reader);
        Topics.problems(sorted.known).values().forEach(reader::reject);
        reader.throwIfAny();
        return read(reader, Topics.from(sorted.known), sorted);
    }

    private static InspectionConfig read(SettingsReader reader, Topics topics, Sorted sorted) {
        int port = reader.integer(METRICS_PORT);
        return new InspectionConfig(
                reader.text(BOOTSTRAP_SERVERS),
                reader.text(APPLICATION_ID),
                topics,
                ScorerSettings.checkpoint(reader),
                ScorerSettings.read(reader),
                BatchingSettings.read(reader),
                ReviewSettings.read(reader),
                EventSettings.read(reader),
                FrameLimitSettings.read(reader, topics),
                StreamsSettings.read(reader),
                RecoverySettings.read(reader),
                RolloutSettings.read(reader),
                ExemptionSettings.read(reader),
                LiveSettings.read(reader),
                AlertSettings.read(reader),
                port == NO_PORT ? null : port,
                serdes(reader, sorted.serdes),
                sorted.overrides,
                Redaction.of(reader.changed()));
    }

    private static Map<String, String> serdes(SettingsReader reader, Map<String, String> given) {
        Map<String, String> serdes = new TreeMap<>(given);
        serdes.put(SERDE_CLASS, reader.text(SERDE_CLASS));
        serdes.put(UNKNOWN_SCHEMA_MS, "" + reader.integer(UNKNOWN_SCHEMA_MS));
        // Retries are the app's (linesight.registry.retry.ms): a client that retries by itself could outlast the
        // transaction.
        serdes.putIfAbsent("max.retries", "0");
        serdes.putIfAbsent("http.read.timeout.ms", "5000");
        return serdes;
    }

    private static void rejectOwned(Map<String, String> overrides, Map<String, String> names, SettingsReader reader) {
        for (String key : overrides.keySet()) {
            KafkaProperties.ownedBy(key)
                    .ifPresent(ours -> reader.reject(names.get(key)
                            + " would get past the checks that keep timeouts consistent; set " + ours + " instead"));
        }
    }

    /** Settings by whom they are for; a serde's key may be one of ours or one of Kafka's as well. */
    private record Sorted(Map<String, String> known, Map<String, String> serdes, Map<String, String> overrides) {

        static Sorted of(SettingsCheck check) {
            Sorted sorted = new Sorted(new LinkedHashMap<>(), new TreeMap<>(), new TreeMap<>());
            new TreeMap<>(check.settings()).forEach((key, value) -> {
                if (DEFINITION.names().contains(key)) sorted.known.put(key, value);
                else if (check.isForKafka(key)) sorted.overrides.put(key, value);
                if (SettingsCheck.isSerde(key)) sorted.serdes.put(key, value);
            });
            return sorted;
        }
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

    /** Settings for {@code KafkaStreams}; the caller's pass-through settings included, ours on top. */
    public Properties streamsProperties() {
        return KafkaProperties.forStreams(this);
    }

    /** Settings for an {@code Admin} client of the same cluster. */
    public Map<String, Object> adminProperties() {
        return KafkaProperties.forAdmin(this);
    }

    /** Settings for a producer beside the stream: of {@code producer.} and of what is said for all clients. */
    public Map<String, Object> producerProperties() {
        return KafkaProperties.forProducer(this);
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
                .append("*\n    Any setting of Kafka Streams or its clients, for instance security.protocol or "
                        + "consumer.fetch.max.wait.ms; the prefix may be left out.\n");
        return out.toString();
    }

    /** Names of every key that {@link #reference()} documents. */
    public static Set<String> keys() {
        return new TreeSet<>(DEFINITION.names());
    }

    /**
     * What an operator looks for when the app starts, one line a subject: where it connects and how, what differs from
     * the defaults. Secrets are hidden; {@link #toString} has everything.
     */
    public List<String> summary() {
        return Summary.of(this);
    }

    /** Fit for a log: everything in one line; secrets are hidden. */
    @Override
    public String toString() {
        return "InspectionConfig[bootstrapServers=" + bootstrapServers + ", applicationId=" + applicationId
                + ", topics=" + topics.all().stream().map(t -> t.name()).toList() + ", checkpoint=" + checkpoint
                + ", scorer=" + scorer
                + ", batching=" + batching + ", review=" + review + ", events=" + events + ", images="
                + images
                + ", streams=" + streams + ", recovery=" + recovery + ", models=" + models + ", metricsPort="
                + metricsPort
                + ", serdes=" + Redaction.of(serdes) + ", overrides=" + Redaction.of(overrides) + "]";
    }
}
