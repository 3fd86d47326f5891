package io.linesight.models.settings;

import io.linesight.schemas.ProductSettings;
import java.util.Optional;

/**
 * One record of a product's history.
 *
 * @param offset in the settings topic
 * @param settings what was written, not to be changed; empty where the bytes could not be read
 * @param counted whether it came into force at its time
 * @param problem why it did not, or why it counts and is not applied all the same; for people, empty where all is well
 */
public record SettingsEntry(long offset, Optional<ProductSettings> settings, boolean counted, String problem) {
    /** Whether it came into force and this program can do what it says. */
    public boolean usable() {
        return counted && problem.isEmpty();
    }
}
