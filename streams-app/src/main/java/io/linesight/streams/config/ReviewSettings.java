package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.REVIEW_HIGH;
import static io.linesight.streams.config.InspectionConfig.REVIEW_LOW;

import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.jspecify.annotations.Nullable;

/**
 * Where the verdicts lie on the calibrated score: below {@code low} PASS, from {@code high} on FAIL, between them
 * REVIEW.
 *
 * @param low null leaves it to the checkpoint
 * @param high null leaves it to the checkpoint
 */
public record ReviewSettings(@Nullable Double low, @Nullable Double high) {

    static void define(ConfigDef definition) {
        definition
                .define(
                        REVIEW_LOW,
                        Type.DOUBLE,
                        0.4,
                        Range.between(0, 0.5),
                        Importance.MEDIUM,
                        "Calibrated scores below this are PASS, from here to linesight.review.high REVIEW. Where it "
                                + "is set, it counts for every product; where not, the checkpoint's own band of the "
                                + "product comes first.")
                .define(
                        REVIEW_HIGH,
                        Type.DOUBLE,
                        0.6,
                        Range.between(0.5, 1),
                        Importance.MEDIUM,
                        "Calibrated scores from this on are FAIL. Anomaly events are written from 0.5 on, whatever "
                                + "the band. Where it is set, it counts for every product; where not, the "
                                + "checkpoint's own band of the product comes first.");
    }

    /**
     * The band of a file of settings, for commands that start nothing.
     *
     * @throws org.apache.kafka.common.config.ConfigException naming the key that is out of range
     */
    public static ReviewSettings of(Map<String, String> settings) {
        ConfigDef definition = new ConfigDef();
        define(definition);
        Map<String, Object> values = definition.parse(settings);
        return new ReviewSettings(
                settings.containsKey(REVIEW_LOW) ? (Double) values.get(REVIEW_LOW) : null,
                settings.containsKey(REVIEW_HIGH) ? (Double) values.get(REVIEW_HIGH) : null);
    }

    /** What nobody set must not get in the way of what the checkpoint says. */
    static ReviewSettings read(SettingsReader settings) {
        return new ReviewSettings(
                settings.isGiven(REVIEW_LOW) ? settings.real(REVIEW_LOW) : null,
                settings.isGiven(REVIEW_HIGH) ? settings.real(REVIEW_HIGH) : null);
    }
}
