package io.linesight.models.storage;

import io.linesight.schemas.clients.SettingNames;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;

/**
 * Settings of everything in this module.
 *
 * @param settings settings of Kafka's clients and of the serdes under their own names ({@code bootstrap.servers},
 *     {@code schema.registry.url}, {@code security.protocol}, ...); what a client does not know is not passed to it
 * @param topics names of the topics
 * @param timeout how long a broker or a web server may stay silent before a call fails; a slow transfer that moves on
 *     is no failure
 * @param maxBytes largest checkpoint that is fetched or published
 * @param trustedKeys files with public keys whose signatures count; see {@code TrustedKeys}
 * @param unsignedAllowed whether versions without a signature are accepted
 * @param httpAuthorization value of the {@code Authorization} header of http stores; a secret
 */
public record ModelsConfig(
        Map<String, Object> settings,
        Topics topics,
        Duration timeout,
        long maxBytes,
        List<String> trustedKeys,
        boolean unsignedAllowed,
        Optional<String> httpAuthorization) {

    /** Milliseconds, default 30000: see {@link #timeout()}. */
    public static final String TIMEOUT_MS = "linesight.models.timeout.ms";
    /** Default 2147483647, the limit of ONNX files: see {@link #maxBytes()}. */
    public static final String MAX_BYTES = "linesight.models.max.bytes";
    /** Comma-separated PEM files of public keys; default none: see {@link #trustedKeys()}. */
    public static final String TRUSTED_KEYS = "linesight.models.trusted.keys";
    /** {@code accept} or {@code refuse}, the default: see {@link #unsignedAllowed()}. */
    public static final String UNSIGNED = "linesight.models.unsigned";
    /** Secret, default none: see {@link #httpAuthorization()}. */
    public static final String HTTP_AUTHORIZATION = "linesight.models.http.authorization";

    private static final ConfigDef DEFINITION = new ConfigDef()
            .define(
                    TRUSTED_KEYS,
                    Type.LIST,
                    "",
                    Importance.HIGH,
                    "Files with the public keys of those whose published checkpoints are served, separated by "
                            + "commas. With keys, or with linesight.models.unsigned=accept, 'serve' follows the "
                            + "rollouts of its channel; without, it serves linesight.checkpoint for good.")
            .define(
                    UNSIGNED,
                    Type.STRING,
                    "refuse",
                    ValidString.in("refuse", "accept"),
                    Importance.HIGH,
                    "Whether published checkpoints without a signature are served. A wrong signature is always "
                            + "refused.")
            .define(
                    TIMEOUT_MS,
                    Type.INT,
                    30_000,
                    Range.atLeast(1),
                    Importance.LOW,
                    "How long a broker or a web server that keeps checkpoints may stay silent before a download "
                            + "fails and is tried again.")
            .define(
                    MAX_BYTES,
                    Type.LONG,
                    (long) Integer.MAX_VALUE,
                    Range.atLeast(1),
                    Importance.LOW,
                    "Largest published checkpoint that is downloaded.")
            .define(
                    HTTP_AUTHORIZATION,
                    Type.PASSWORD,
                    null,
                    Importance.LOW,
                    "Authorization header for checkpoints on a web server; a secret.");

    /** Every key above with default, range and meaning; for the reference. */
    public static ConfigDef definition() {
        return new ConfigDef(DEFINITION);
    }

    public ModelsConfig {
        settings = Map.copyOf(settings);
        trustedKeys = List.copyOf(trustedKeys);
        Objects.requireNonNull(topics, "topics");
        Objects.requireNonNull(httpAuthorization, "httpAuthorization");
        if (timeout.toMillis() < 1)
            throw new IllegalArgumentException(TIMEOUT_MS + "=" + timeout.toMillis() + ": at least 1 is needed");
        if (maxBytes < 1) throw new IllegalArgumentException(MAX_BYTES + "=" + maxBytes + ": at least 1 is needed");
    }

    /**
     * Reads the keys above and those of {@link Topics#from}; what is absent keeps its default.
     *
     * @throws IllegalArgumentException naming the key where a value is not usable, or both where two names of one
     *     setting say different things
     */
    public static ModelsConfig of(Map<String, ?> settings) {
        Map<String, Object> all = SettingNames.canonical(settings);
        List<String> keys = Arrays.stream(
                        Objects.toString(all.get(TRUSTED_KEYS), "").split(","))
                .map(String::trim)
                .filter(s -> !s.isEmpty())
                .toList();
        return new ModelsConfig(
                all,
                Topics.from(all),
                Duration.ofMillis(number(all, TIMEOUT_MS)),
                number(all, MAX_BYTES),
                keys,
                accept(all, UNSIGNED),
                Optional.ofNullable(all.get(HTTP_AUTHORIZATION))
                        .map(Object::toString)
                        .filter(s -> !s.isBlank()));
    }

    /** The timeout as clients take it. */
    int timeoutMillis() {
        return (int) Math.min(Integer.MAX_VALUE, timeout.toMillis());
    }

    /** The broker's address, for messages. */
    public String broker() {
        return Objects.toString(settings.get("bootstrap.servers"), "(bootstrap.servers is not set)");
    }

    /** Values of settings may be secrets, so only their names are shown. */
    @Override
    public String toString() {
        return "ModelsConfig[broker=" + broker() + ", settings="
                + new ArrayList<>(new java.util.TreeSet<>(settings.keySet())) + ", timeout=" + timeout + ", maxBytes="
                + maxBytes + ", trustedKeys=" + trustedKeys + ", unsignedAllowed=" + unsignedAllowed
                + ", httpAuthorization=" + (httpAuthorization.isPresent() ? "[hidden]" : "none") + "]";
    }

    private static long number(Map<String, ?> settings, String key) {
        Object value = settings.get(key);
        if (value == null) return ((Number) DEFINITION.defaultValues().get(key)).longValue();
        try {
            return Long.parseLong(value.toString().trim());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(key + "=" + value + " is not a whole number");
        }
    }

    private static boolean accept(Map<String, ?> settings, String key) {
        String value = Objects.toString(
                        settings.get(key), (String) DEFINITION.defaultValues().get(key))
                .trim();
        if (value.equalsIgnoreCase("accept")) return true;
        if (value.equalsIgnoreCase("refuse")) return false;
        throw new IllegalArgumentException(key + "=" + value + " is neither accept nor refuse");
    }
}
