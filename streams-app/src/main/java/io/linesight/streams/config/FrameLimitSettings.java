package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.IMAGE_MAX_PIXELS;
import static io.linesight.streams.config.InspectionConfig.IMAGE_MAX_SIDE;
import static io.linesight.streams.config.InspectionConfig.IMAGE_SAMPLE_BITS;
import static io.linesight.streams.config.InspectionConfig.MAX_FRAME_BYTES;
import static io.linesight.streams.config.InspectionConfig.TOPICS_PREFIX;

import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.Topics;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;

/** The topics, and the largest frame that they and the decoder take. */
final class FrameLimitSettings {

    private FrameLimitSettings() {}

    static void define(ConfigDef definition) {
        definition
                .define(
                        TOPICS_PREFIX,
                        Type.STRING,
                        Topics.DEFAULT_PREFIX,
                        new ConfigDef.NonEmptyString(),
                        Importance.MEDIUM,
                        "First part of every topic's name.")
                .define(
                        MAX_FRAME_BYTES,
                        Type.INT,
                        SizeLimits.DEFAULT_FRAME_BYTES,
                        Importance.MEDIUM,
                        "Largest serialised frame. Producer and consumer limits follow from it; topics and brokers "
                                + "must allow it too (command: topics).")
                .define(
                        IMAGE_MAX_SIDE,
                        Type.INT,
                        ImageLimits.defaults().maxSide(),
                        Range.atLeast(1),
                        Importance.LOW,
                        "Images with a longer side go to the dead-letter topic; read from the header before any "
                                + "pixel is decoded.")
                .define(
                        IMAGE_MAX_PIXELS,
                        Type.LONG,
                        ImageLimits.defaults().maxPixels(),
                        Range.atLeast(1),
                        Importance.LOW,
                        "Images with more pixels go to the dead-letter topic.")
                .define(
                        IMAGE_SAMPLE_BITS,
                        Type.INT,
                        DecodeSettings.ALL_BITS,
                        Range.between(8, DecodeSettings.ALL_BITS),
                        Importance.LOW,
                        "Bits that 16-bit samples use, from the lowest: 12 for a camera that writes 0 to 4095. The "
                                + "attribute image.bits of a frame comes first.");
    }

    static DecodeSettings read(SettingsReader settings, Topics topics) {
        ImageLimits limits = new ImageLimits(
                settings.integer(IMAGE_MAX_SIDE),
                settings.longInteger(IMAGE_MAX_PIXELS),
                topics.limits().frameBytes());
        return new DecodeSettings(limits, settings.integer(IMAGE_SAMPLE_BITS));
    }
}
