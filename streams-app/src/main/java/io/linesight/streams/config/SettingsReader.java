package io.linesight.streams.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;
import org.jspecify.annotations.Nullable;

/**
 * Typed values of the settings, and every problem found with them. Values may be asked for once {@link #throwIfAny} has
 * passed. Not thread-safe.
 */
final class SettingsReader {

    private final ConfigDef definition;
    private final Map<String, String> settings;
    private final Map<String, Object> values = new HashMap<>();
    private final List<String> problems = new ArrayList<>();

    /**
     * Parses the settings; a value that is wrong becomes a problem.
     *
     * @param names how each key was written, for messages
     */
    SettingsReader(ConfigDef definition, Map<String, String> settings, Map<String, String> names) {
        this.definition = definition;
        this.settings = Map.copyOf(settings);
        for (ConfigValue value : definition.validate(settings)) {
            // Only the first: what follows follows from it.
            if (value.errorMessages().isEmpty()) values.put(value.name(), value.value());
            else
                reject(explain(definition, value.name(), value.errorMessages().get(0))
                        .replace(value.name(), names.getOrDefault(value.name(), value.name())));
        }
    }

    private static String explain(ConfigDef definition, String key, String message) {
        return message.contains("Missing required configuration")
                ? key + " is missing: " + definition.configKeys().get(key).documentation
                : message;
    }

    /** Adds a problem: one sentence that names the key. */
    void reject(String problem) {
        problems.add(problem);
    }

    /** @throws InvalidConfigException with every problem at once */
    void throwIfAny() {
        if (!problems.isEmpty()) throw new InvalidConfigException(problems);
    }

    /** Whether the user has set it. */
    boolean isGiven(String key) {
        return settings.containsKey(key);
    }

    /** Settings whose value is not the default, as they were set. */
    Map<String, String> changed() {
        Map<String, String> changed = new TreeMap<>();
        settings.forEach((key, text) -> {
            ConfigDef.ConfigKey known = definition.configKeys().get(key);
            if (known != null && !Objects.equals(values.get(key), known.defaultValue)) changed.put(key, text);
        });
        return changed;
    }

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
        return (String) Objects.requireNonNull(values.get(key), key);
    }

    /** Null where there is neither a value nor a default. */
    @Nullable
    String optionalText(String key) {
        return (String) values.get(key);
    }

    Duration millis(String key) {
        return Duration.ofMillis(integer(key));
    }

    /** Rejects two whole numbers, the first of which is not the smaller one. */
    void requireBelow(String smaller, String larger, String why) {
        if (values.get(smaller) instanceof Integer a && values.get(larger) instanceof Integer b && a >= b) {
            reject(smaller + "=" + a + " must be below " + larger + "=" + b + ": " + why);
        }
    }

    /** Rejects two whole numbers, the first of which is the larger one. */
    void requireNotAbove(String smaller, String larger, String why) {
        if (values.get(smaller) instanceof Integer a && values.get(larger) instanceof Integer b && a > b) {
            reject(smaller + "=" + a + " must not be above " + larger + "=" + b + ": " + why);
        }
    }
}
