package io.linesight.app.cli.common;

import io.linesight.mmad.io.NativeLibraries;
import io.linesight.schemas.clients.SettingNames;
import io.linesight.streams.config.InvalidConfigException;
import io.linesight.streams.config.SettingsCheck;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options of commands that talk to Kafka. */
public final class Kafka {
    @Option(
            names = {"-b", "--bootstrap-servers", "--bootstrap"},
            paramLabel = "HOST:PORT",
            description = "Kafka brokers.")
    String bootstrapServers;

    @Option(
            names = {"-r", "--registry"},
            paramLabel = "URL",
            description = "Schema registry.")
    String registry;

    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description =
                    "Properties file for Kafka, the registry and Linesight. Variables LINESIGHT_SET_<KEY> override "
                            + "it, and options override both.")
    Path config;

    @Option(
            names = {"-s", "--set"},
            paramLabel = "KEY=VALUE",
            description = "A setting as in the file. Repeatable.")
    Map<String, String> set = new HashMap<>();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** All settings in one map, as they were written: what comes later replaces the same setting however written. */
    public Map<String, String> settings() {
        NativeLibraries.prepareCompression(Kafka.class.getClassLoader());
        Map<String, String> settings = config == null ? new HashMap<>() : read(config);
        SettingNames.override(settings, EnvironmentSettings.of(System.getenv()));
        SettingNames.override(settings, set);
        Map<String, String> options = new HashMap<>();
        if (bootstrapServers != null) options.put("bootstrap.servers", bootstrapServers);
        if (registry != null) options.put("schema.registry.url", registry);
        SettingNames.override(settings, options);
        return settings;
    }

    static Map<String, String> read(Path file) {
        Properties properties = new Properties();
        try (Reader in = Files.newBufferedReader(file)) {
            properties.load(in);
        } catch (IOException | IllegalArgumentException e) {
            throw new UserError(
                    "cannot read the settings in " + file + ": "
                            + (e instanceof NoSuchFileException ? "there is no such file" : e.getMessage())
                            + "; nothing was done",
                    e);
        }
        Map<String, String> settings = new HashMap<>();
        properties.stringPropertyNames().forEach(k -> settings.put(k, properties.getProperty(k)));
        return settings;
    }

    /**
     * The same for plain clients: every setting under its one name, without {@code kafka.}. Prints what is ignored to
     * standard error.
     *
     * @throws InvalidConfigException naming every problem
     */
    public Map<String, String> clientSettings() {
        SettingsCheck check = SettingsCheck.of(settings());
        if (!check.problems().isEmpty()) throw new InvalidConfigException(check.problems());
        PrintWriter err = spec.commandLine().getErr();
        check.warnings().forEach(warning -> err.println("linesight: " + warning));
        err.flush();
        return new HashMap<>(check.settings());
    }

    public static void require(Map<String, String> settings, String key, String option) {
        if (settings.getOrDefault(key, "").isBlank())
            throw new UserError(key + " is not set: pass " + option
                    + " or put it into the file given with --config; nothing was done");
    }
}
