package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.EXEMPTIONS;
import static io.linesight.streams.config.InspectionConfig.EXEMPTIONS_MAX;

import java.util.Locale;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;

/**
 * What the app does with exemptions, the false alarms that are forgotten at once.
 *
 * @param mode as configured; see {@link #mode(boolean)}
 * @param max that count, of a product
 */
public record ExemptionSettings(Mode mode, int max) {

    /** How far the app goes. */
    public enum Mode {
        /** As LABELS where the app follows a channel, as OFF where it serves a fixed checkpoint. */
        AUTO,
        /** Looks at none. */
        OFF,
        /** Applies those of its channel. */
        FOLLOW,
        /** Applies those of its channel, and makes them from labels. */
        LABELS
    }

    /** The mode with AUTO resolved. */
    public Mode mode(boolean followsChannel) {
        if (mode != Mode.AUTO) return mode;
        return followsChannel ? Mode.LABELS : Mode.OFF;
    }

    static void define(ConfigDef definition) {
        definition
                .define(
                        EXEMPTIONS,
                        Type.STRING,
                        "auto",
                        ValidString.in("auto", "off", "follow", "labels"),
                        Importance.MEDIUM,
                        "Whether false alarms are forgotten at once. labels: a frame that a person labels normal makes "
                                + "an exemption, and what looks like it passes from then on. follow: exemptions of the "
                                + "channel are applied, and none are made here. auto: labels where a channel is "
                                + "followed, off where a fixed checkpoint is served.")
                .define(
                        EXEMPTIONS_MAX,
                        Type.INT,
                        64,
                        Range.between(1, 1000),
                        Importance.LOW,
                        "Exemptions of a product that count; of more the newest. Many mean that the model should "
                                + "learn them.");
    }

    static ExemptionSettings read(SettingsReader settings) {
        return new ExemptionSettings(
                Mode.valueOf(settings.text(EXEMPTIONS).toUpperCase(Locale.ROOT)), settings.integer(EXEMPTIONS_MAX));
    }
}
