package io.linesight.schemas.clients;

import java.util.Map;
import java.util.TreeMap;

/** Names of settings: a renamed setting keeps its old name for a release. */
public final class SettingNames {
    /** From the old name to the one of today. */
    private static final Map<String, String> RENAMED =
            Map.of("linesight.models.patience.ms", "linesight.models.timeout.ms");

    private SettingNames() {}

    /**
     * Settings under their names of today, without those that are null.
     *
     * @return a new map, which may be changed
     * @throws IllegalArgumentException naming both names where two names of one setting have different values
     */
    public static Map<String, Object> canonical(Map<String, ?> settings) {
        Map<String, Object> canonical = new TreeMap<>();
        settings.forEach((name, value) -> {
            if (value == null) return;
            String today = RENAMED.getOrDefault(name, name);
            Object other = canonical.put(today, value);
            if (other != null && !other.equals(value))
                throw new IllegalArgumentException(
                        "a setting has two values: " + name + " is the old name of " + today + "; keep one of them");
        });
        return canonical;
    }
}
