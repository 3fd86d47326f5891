package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.MAP_RANGE;
import static io.linesight.streams.config.InspectionConfig.MAX_REGIONS;
import static io.linesight.streams.config.InspectionConfig.THUMBNAIL;
import static io.linesight.streams.config.InspectionConfig.THUMBNAIL_QUALITY;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;

/**
 * What anomaly events carry.
 *
 * @param thumbnail whether the frame goes along as a small JPEG
 * @param thumbnailQuality 1..100
 * @param mapRange how map values become greys
 * @param maxRegions max regions of a result
 */
public record EventSettings(boolean thumbnail, int thumbnailQuality, MapRange mapRange, int maxRegions) {

    static void define(ConfigDef definition) {
        definition
                .define(
                        THUMBNAIL,
                        Type.BOOLEAN,
                        true,
                        Importance.LOW,
                        "Whether anomaly events carry the frame as a JPEG at model resolution.")
                .define(
                        THUMBNAIL_QUALITY,
                        Type.INT,
                        85,
                        Range.between(1, 100),
                        Importance.LOW,
                        "JPEG quality of thumbnails.")
                .define(
                        MAP_RANGE,
                        Type.STRING,
                        "auto",
                        ConfigDef.LambdaValidator.with(EventSettings::checkMapRange, () -> "auto or low,high"),
                        Importance.LOW,
                        "Raw values of black and white in the anomaly map's PNG. auto takes each map's own smallest "
                                + "and largest value; mapLow and mapHigh of the event always say which.")
                .define(
                        MAX_REGIONS,
                        Type.INT,
                        10,
                        Range.between(0, 10),
                        Importance.LOW,
                        "Most regions per result, highest peaks first.");
    }

    static EventSettings read(SettingsReader settings) {
        return new EventSettings(
                settings.bool(THUMBNAIL),
                settings.integer(THUMBNAIL_QUALITY),
                MapRange.parse(settings.text(MAP_RANGE)),
                settings.integer(MAX_REGIONS));
    }

    private static void checkMapRange(String key, Object value) {
        try {
            MapRange.parse(String.valueOf(value));
        } catch (IllegalArgumentException e) {
            throw new ConfigException(key, value, e.getMessage());
        }
    }
}
