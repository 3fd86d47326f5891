package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.SETTINGS;

import java.util.Locale;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;

/**
 * Whether the app follows what people set while it runs.
 *
 * @param mode as configured; see {@link #follows(boolean)}
 */
public record LiveSettings(Mode mode) {

    /** How far the app goes. */
    public enum Mode {
        /** As FOLLOW where the app follows a channel, as OFF where it serves a fixed checkpoint. */
        AUTO,
        /** Thresholds and review bands are those of checkpoint and configuration. */
        OFF,
        /** Those of its channel that people set come first. */
        FOLLOW
    }

    /** Whether live settings are followed. */
    public boolean follows(boolean followsChannel) {
        return mode == Mode.FOLLOW || mode == Mode.AUTO && followsChannel;
    }

    static void define(ConfigDef definition) {
        definition.define(
                SETTINGS,
                Type.STRING,
                "auto",
                ValidString.in("auto", "off", "follow"),
                Importance.MEDIUM,
                "Whether thresholds and review bands that people set while the line runs (command: settings) are "
                        + "followed. follow: those of the channel linesight.models.channel come first. auto: follow "
                        + "where a channel's rollouts are followed, off where a fixed checkpoint is served.");
    }

    static LiveSettings read(SettingsReader settings) {
        return new LiveSettings(Mode.valueOf(settings.text(SETTINGS).toUpperCase(Locale.ROOT)));
    }
}
