package io.linesight.schemas.registry;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * The registry's connection settings, read from Confluent's keys. Deliberately not a record: toString must not show
 * secrets.
 */
final class RegistryConfig {

    static final String URL = "schema.registry.url";
    static final String CREDENTIALS_SOURCE = "basic.auth.credentials.source";
    static final String USER_INFO = "basic.auth.user.info";
    static final String CONNECT_TIMEOUT = "http.connect.timeout.ms";
    static final String READ_TIMEOUT = "http.read.timeout.ms";
    static final String MAX_RETRIES = "max.retries";
    static final String RETRY_WAIT = "retries.wait.ms";
    static final String RETRY_MAX_WAIT = "retries.max.wait.ms";
    static final String PROXY_HOST = "proxy.host";
    static final String PROXY_PORT = "proxy.port";
    static final String CACHE_SIZE = "max.schemas.per.subject";
    static final String NORMALIZE = "normalize.schemas";
    /** Of headers that go with every request: {@code request.header.NAME=value}. */
    static final String HEADER_PREFIX = "request.header.";

    private static final String NAMESPACE = "schema.registry.";

    /** A setting that is a whole number: default and range, for reading and for the reference. */
    private record Whole(String key, int otherwise, int min, int max, String doc) {}

    private static final int ANY = Integer.MAX_VALUE;
    private static final List<Whole> NUMBERS = List.of(
            new Whole(
                    CONNECT_TIMEOUT,
                    3_000,
                    1,
                    ANY,
                    "Longest wait for a connection to the registry. The inspection app leaves retrying to "
                            + "linesight.registry.retry.ms."),
            new Whole(
                    READ_TIMEOUT,
                    10_000,
                    1,
                    ANY,
                    "Longest wait for an answer of the registry; 5000 in the inspection app."),
            new Whole(MAX_RETRIES, 3, 0, 100, "Rounds over all addresses after the first; 0 in the inspection app."),
            new Whole(RETRY_WAIT, 200, 0, ANY, "Wait before the first retry; it doubles with every retry."),
            new Whole(RETRY_MAX_WAIT, 2_000, 0, ANY, "Longest of these waits."),
            new Whole(PROXY_PORT, 80, 1, 65_535, "Port of proxy.host."),
            new Whole(CACHE_SIZE, 1_000, 1, ANY, "Schemas and ids kept in memory."));

    /** Every key with default, range and meaning. */
    static ConfigDef definition() {
        ConfigDef definition = new ConfigDef()
                .define(
                        URL,
                        Type.LIST,
                        ConfigDef.NO_DEFAULT_VALUE,
                        Importance.HIGH,
                        "Addresses of the schema registry, tried in turn: http://host:port or https://host:port.")
                .define(
                        CREDENTIALS_SOURCE,
                        Type.STRING,
                        null,
                        ConfigDef.LambdaValidator.with((k, v) -> {}, () -> "USER_INFO or URL"),
                        Importance.MEDIUM,
                        "Where the credentials are; USER_INFO when " + USER_INFO
                                + " is set, otherwise URL: in the address.")
                .define(USER_INFO, Type.PASSWORD, null, Importance.MEDIUM, "user:password for the registry.")
                .define(PROXY_HOST, Type.STRING, null, Importance.LOW, "HTTP proxy before the registry.")
                .define(
                        NORMALIZE,
                        Type.BOOLEAN,
                        false,
                        Importance.LOW,
                        "Whether the registry brings schemas into its normal form before it compares them.");
        for (Whole w : NUMBERS)
            definition.define(w.key, Type.INT, w.otherwise, Range.between(w.min, w.max), Importance.LOW, w.doc);
        return definition;
    }

    /** Base address without user info or trailing slash, and the header to send, if there is one. */
    record Endpoint(String base, @Nullable String authorization) {
        @Override
        public String toString() {
            return base;
        }
    }

    final List<Endpoint> endpoints;
    final Duration connectTimeout;
    final Duration readTimeout;
    final int maxRetries;
    final Duration retryWait;
    final Duration retryMaxWait;
    final @Nullable InetSocketAddress proxy;
    final int cacheSize;
    final boolean normalize;
    /** Sent with every request. */
    final Map<String, String> headers;

    RegistryConfig(Map<String, ?> given) {
        Map<String, Object> configs = withoutNamespace(given);
        rejectUnsupported(configs);
        ConfluentKeys.warnOfIgnored(configs);
        String userInfo = credentials(configs);
        endpoints = endpoints(configs.get(URL), userInfo);
        connectTimeout = millis(configs, CONNECT_TIMEOUT);
        readTimeout = millis(configs, READ_TIMEOUT);
        maxRetries = (int) number(configs, MAX_RETRIES);
        retryWait = millis(configs, RETRY_WAIT);
        retryMaxWait = millis(configs, RETRY_MAX_WAIT);
        String proxyHost = Objects.toString(configs.get(PROXY_HOST), "").trim();
        proxy = proxyHost.isEmpty() ? null : new InetSocketAddress(proxyHost, (int) number(configs, PROXY_PORT));
        cacheSize = (int) number(configs, CACHE_SIZE);
        normalize = Boolean.parseBoolean(
                Objects.toString(configs.get(NORMALIZE), "false").trim());
        headers = headers(configs);
    }

    /** Confluent's client takes its keys with this prefix as well; a password must not be passed over for it. */
    private static Map<String, Object> withoutNamespace(Map<String, ?> given) {
        Map<String, Object> configs = new TreeMap<>();
        given.forEach((key, value) -> {
            if (value != null) configs.put(key, value);
        });
        given.forEach((key, value) -> {
            String plain = key.startsWith(NAMESPACE) ? key.substring(NAMESPACE.length()) : "";
            if (value != null && ConfluentKeys.isKnown(plain)) {
                configs.remove(key);
                configs.putIfAbsent(plain, value);
            }
        });
        return configs;
    }

    private static Map<String, String> headers(Map<String, ?> configs) {
        Map<String, String> headers = new TreeMap<>();
        configs.forEach((key, value) -> {
            if (key.startsWith(HEADER_PREFIX)) headers.put(key.substring(HEADER_PREFIX.length()), value.toString());
        });
        return Map.copyOf(headers);
    }

    private static void rejectUnsupported(Map<String, ?> configs) {
        for (String key : configs.keySet()) {
            if (key.startsWith("schema.registry.ssl.") || key.startsWith("bearer.auth.")) {
                throw new ConfigException(
                        key + " is not supported by the built-in registry client. For TLS use the JVM's"
                                + " javax.net.ssl.* properties; for other authentication put in the official serde"
                                + " (linesight.serde.class)");
            }
        }
    }

    private static @Nullable String credentials(Map<String, ?> configs) {
        String userInfo = Objects.toString(secret(configs.get(USER_INFO)), "");
        Object given = configs.get(CREDENTIALS_SOURCE);
        // Confluent's default is URL, which silently ignores a user info that somebody took the trouble to set.
        String source = given == null ? (userInfo.isEmpty() ? "URL" : "USER_INFO") : given.toString();
        return switch (source) {
            case "URL" -> null;
            case "USER_INFO" -> {
                if (userInfo.indexOf(':') < 1) {
                    throw new ConfigException(
                            USER_INFO + " must be user:password because " + CREDENTIALS_SOURCE + "=USER_INFO");
                }
                yield userInfo;
            }
            default ->
                throw new ConfigException(
                        CREDENTIALS_SOURCE + "=" + source + " is not supported; use USER_INFO or URL");
        };
    }

    private static @Nullable Object secret(@Nullable Object value) {
        return value instanceof org.apache.kafka.common.config.types.Password p ? p.value() : value;
    }

    private static List<Endpoint> endpoints(@Nullable Object value, @Nullable String userInfo) {
        String urls;
        if (value instanceof List<?> list) {
            urls = String.join(",", list.stream().map(Object::toString).toList());
        } else {
            urls = Objects.toString(value, "");
        }
        List<Endpoint> endpoints = new ArrayList<>();
        for (String url : urls.split(",")) {
            if (!url.isBlank()) {
                endpoints.add(endpoint(url.trim(), userInfo));
            }
        }
        if (endpoints.isEmpty()) {
            throw new ConfigException(
                    URL + " is not set; give the address of the schema registry, several separated by commas");
        }
        return List.copyOf(endpoints);
    }

    private static Endpoint endpoint(String url, @Nullable String userInfo) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            // The exception repeats its input, which may hold a password.
            throw new ConfigException(URL + ": one address is malformed at character " + e.getIndex());
        }
        if (uri.getHost() == null
                && uri.getAuthority() != null
                && uri.getAuthority().contains("_")) {
            // Docker resolves such names; the JDK's HTTP client takes none, as RFC 952 allows none.
            throw new ConfigException(URL + ": the host name has an underscore, which no host name may have and Java's "
                    + "HTTP client rejects. Give the machine or the container a name without one (in compose: a "
                    + "network alias), or use its address");
        }
        if (uri.getHost() == null || !("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
            throw new ConfigException(URL + ": every address must look like http://host:port or https://host:port");
        }
        String credentials = userInfo != null ? userInfo : uri.getUserInfo();
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        String path = Objects.toString(uri.getRawPath(), "").replaceAll("/+$", "");
        String header = credentials == null
                ? null
                : "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
        return new Endpoint(uri.getScheme() + "://" + uri.getHost() + port + path, header);
    }

    private static Duration millis(Map<String, ?> configs, String key) {
        return Duration.ofMillis(number(configs, key));
    }

    private static long number(Map<String, ?> configs, String key) {
        Whole whole =
                NUMBERS.stream().filter(w -> w.key.equals(key)).findFirst().orElseThrow();
        Object value = configs.get(key);
        if (value == null) {
            return whole.otherwise;
        }
        try {
            long number = Long.parseLong(value.toString().trim());
            if (number >= whole.min && number <= whole.max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below, with the range
        }
        throw new ConfigException(key + "=" + value + " is not a whole number from " + whole.min + " to " + whole.max);
    }
}
