package io.linesight.schemas.clients;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Names of settings. One setting can be written in more than one way: with or without the prefix {@code kafka.}, and
 * under the name that it had before it was renamed. All of them mean the same in every command.
 */
public final class SettingNames {
    /** Prefix that may mark a setting as one of Kafka's. */
    public static final String KAFKA_PREFIX = "kafka.";

    /** From the old name to the one of today. */
    private static final Map<String, String> RENAMED =
            Map.of("linesight.models.patience.ms", "linesight.models.timeout.ms");

    private SettingNames() {}

    /** The one name of a setting: today's, without the prefix. */
    public static String of(String name) {
        String plain = name.startsWith(KAFKA_PREFIX) ? name.substring(KAFKA_PREFIX.length()) : name;
        return RENAMED.getOrDefault(plain, plain);
    }

    /**
     * Settings under their one name, without those that are null.
     *
     * @return a new map, which may be changed
     * @throws IllegalArgumentException naming every setting that has two different values
     */
    public static Map<String, Object> canonical(Map<String, ?> settings) {
        List<String> conflicts = conflicts(settings);
        if (!conflicts.isEmpty()) throw new IllegalArgumentException(String.join("; ", conflicts));
        Map<String, Object> canonical = new TreeMap<>();
        settings.forEach((name, value) -> {
            if (value != null) canonical.put(of(name), value);
        });
        return canonical;
    }

    /** One sentence for each setting that is written in two ways with different values; values may be secrets. */
    public static List<String> conflicts(Map<String, ?> settings) {
        Map<String, TreeMap<String, String>> written = new TreeMap<>();
        settings.forEach((name, value) -> {
            if (value != null)
                written.computeIfAbsent(of(name), n -> new TreeMap<>())
                        .put(name, value.toString().trim());
        });
        return written.values().stream()
                .filter(names -> names.values().stream().distinct().count() > 1)
                .map(names -> names.keySet().stream()
                                .sorted(Comparator.comparing(name -> !name.equals(of(name))))
                                .collect(Collectors.joining(" and "))
                        + " are one setting and have different values: keep one of them")
                .toList();
    }

    /**
     * Lays settings over others: a setting of {@code over} replaces the same one in {@code settings}, however written.
     */
    public static void override(Map<String, String> settings, Map<String, String> over) {
        Collection<String> replaced =
                over.keySet().stream().map(SettingNames::of).toList();
        settings.keySet().removeIf(name -> replaced.contains(of(name)));
        settings.putAll(over);
    }
}
