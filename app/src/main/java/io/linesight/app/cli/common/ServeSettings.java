package io.linesight.app.cli.common;

import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.schemas.clients.SettingNames;
import io.linesight.streams.config.ReviewSettings;
import io.linesight.streams.config.SettingsCheck;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The settings of {@code serve} that decide about an image, for commands that score without Kafka. */
public final class ServeSettings {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "File of settings of 'serve': linesight.review.* and linesight.image.* count. Variables "
                    + "LINESIGHT_SET_<KEY> override it, and options override both.")
    private @Nullable Path config;

    @Option(
            names = {"-s", "--set"},
            paramLabel = "KEY=VALUE",
            description = "A setting as in the file. Repeatable.")
    private Map<String, String> set = new HashMap<>();

    /** Settings under their one name. */
    public Map<String, String> read() {
        Map<String, String> settings = config == null ? new HashMap<>() : Kafka.read(config);
        SettingNames.override(settings, EnvironmentSettings.of(System.getenv()));
        SettingNames.override(settings, set);
        return SettingsCheck.of(settings).settings();
    }

    /**
     * From score to verdict, by these settings.
     *
     * @throws ParameterException when a limit is out of range
     */
    public VerdictRule rule(Map<String, String> settings) {
        try {
            ReviewSettings review = ReviewSettings.of(settings);
            return new VerdictRule(review.low(), review.high());
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
