package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.CHECKPOINT;
import static io.linesight.streams.config.InspectionConfig.DEVICE;
import static io.linesight.streams.config.InspectionConfig.SCAN;
import static io.linesight.streams.config.InspectionConfig.SCORER_THREADS;

import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/** The model file, and where and how it runs. */
final class ScorerSettings {

    private ScorerSettings() {}

    static void define(ConfigDef definition) {
        definition
                .define(CHECKPOINT, Type.STRING, null, Importance.HIGH, "The model: a checkpoint file written by fit.")
                .define(
                        DEVICE,
                        Type.STRING,
                        "auto",
                        ConfigDef.LambdaValidator.with(ScorerSettings::checkDevice, () -> "auto, cpu or cuda:N"),
                        Importance.HIGH,
                        "Where the model runs. auto takes CUDA where it works and says what it chose; cuda:N fails "
                                + "where it does not.")
                .define(
                        SCORER_THREADS,
                        Type.INT,
                        0,
                        Range.atLeast(0),
                        Importance.LOW,
                        "CPU threads of the model; 0 lets the runtime choose.")
                .define(
                        SCAN,
                        Type.STRING,
                        "auto",
                        ValidString.in("auto", "operator", "function"),
                        Importance.LOW,
                        "How the selective scan runs: our operator, the portable function inside the file, or the "
                                + "best available.");
    }

    /** Null where no file is configured. */
    static @Nullable Path checkpoint(SettingsReader settings) {
        String file = settings.optionalText(CHECKPOINT);
        return file == null || file.isEmpty() ? null : Path.of(file);
    }

    static ScorerOptions read(SettingsReader settings) {
        return new ScorerOptions(
                settings.text(DEVICE),
                settings.integer(SCORER_THREADS),
                ScanMode.valueOf(settings.text(SCAN).toUpperCase(Locale.ROOT)));
    }

    private static void checkDevice(String key, Object value) {
        if (!String.valueOf(value).matches("auto|cpu|cuda(:\\d+)?")) {
            throw new ConfigException(key, value, "expected auto, cpu or cuda:N");
        }
    }
}
