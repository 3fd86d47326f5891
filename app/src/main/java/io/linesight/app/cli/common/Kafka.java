package io.linesight.app.cli.common;

import io.linesight.schemas.clients.SettingNames;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import picocli.CommandLine.Option;

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

    /** All settings in one map. */
    public Map<String, String> settings() {
        Map<String, String> out = new HashMap<>();
        if (config != null) {
            Properties p = new Properties();
            try (Reader in = Files.newBufferedReader(config)) {
                p.load(in);
            } catch (IOException | IllegalArgumentException e) {
                throw new UserError(
                        "cannot read the settings in " + config + ": "
                                + (e instanceof java.nio.file.NoSuchFileException
                                        ? "there is no such file"
                                        : e.getMessage())
                                + "; nothing was done",
                        e);
            }
            p.stringPropertyNames().forEach(k -> out.put(k, p.getProperty(k)));
        }
        out.putAll(EnvironmentSettings.of(System.getenv()));
        out.putAll(set);
        if (bootstrapServers != null) out.put("bootstrap.servers", bootstrapServers);
        if (registry != null) out.put("schema.registry.url", registry);
        return out;
    }

    /** Settings fit for plain clients: the prefix that marks Kafka's own is taken off. */
    public Map<String, String> clientSettings() {
        Map<String, String> out = new HashMap<>();
        try {
            SettingNames.canonical(settings())
                    .forEach((k, v) ->
                            out.put(k.startsWith("kafka.") ? k.substring("kafka.".length()) : k, v.toString()));
        } catch (IllegalArgumentException e) {
            throw new UserError(e.getMessage() + "; nothing was done", e);
        }
        return out;
    }

    public static void require(Map<String, String> settings, String key, String option) {
        if (settings.getOrDefault(key, "").isBlank())
            throw new UserError(key + " is not set: pass " + option
                    + " or put it into the file given with --config; nothing was done");
    }
}
