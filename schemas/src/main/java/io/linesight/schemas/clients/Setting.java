package io.linesight.schemas.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;

/**
 * One setting as the reference shows it; made from the definition that the program itself reads, so that the two cannot
 * differ.
 *
 * @param type as Kafka names it, in lower case
 * @param defaultValue empty when the setting is required; {@code none} when it has no value by default
 * @param valid what is accepted; empty for anything of the type
 * @param doc what it does
 */
public record Setting(String name, String type, String defaultValue, String valid, String doc) {

    /** All settings of a definition in its order; {@code shown} replaces defaults that are another on every machine. */
    public static List<Setting> of(ConfigDef definition, Map<String, String> shown) {
        List<Setting> settings = new ArrayList<>();
        for (ConfigDef.ConfigKey key : definition.configKeys().values()) {
            String value = shown.get(key.name);
            if (value == null)
                value = !key.hasDefault()
                        ? ""
                        : key.defaultValue == null || key.defaultValue.equals("") || key.defaultValue.equals(List.of())
                                ? "none"
                                : ConfigDef.convertToString(key.defaultValue, key.type);
            String valid = key.validator == null || key.validator instanceof ConfigDef.NonEmptyString
                    ? ""
                    : key.validator.toString();
            settings.add(
                    new Setting(key.name, key.type.name().toLowerCase(Locale.ROOT), value, valid, key.documentation));
        }
        return settings;
    }

    /** Whether there is no default. */
    public boolean required() {
        return defaultValue.isEmpty();
    }
}
