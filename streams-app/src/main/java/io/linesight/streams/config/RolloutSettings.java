package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.CHANNEL;
import static io.linesight.streams.config.InspectionConfig.INSTANCE;
import static io.linesight.streams.config.InspectionConfig.MODELS_DIR;
import static io.linesight.streams.config.InspectionConfig.PROBATION_MS;
import static io.linesight.streams.config.InspectionConfig.SHADOW_QUEUE;
import static io.linesight.streams.config.InspectionConfig.STAGGER_MS;

import io.linesight.models.storage.ModelsConfig;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;

/**
 * Which rollouts are followed, and how.
 *
 * @param channel whose decisions are followed
 * @param instance name of this instance on the model-status topic
 * @param directory for downloads
 * @param follow whether it is configured whose checkpoints are served; without that there are no rollouts to follow.
 *     Who makes the {@code ModelControl} reads those settings
 * @param stagger pause between the swaps of two instances
 * @param shadowQueue max frames that wait for a shadow's score
 * @param guard when a new model is taken out of service
 */
public record RolloutSettings(
        String channel,
        String instance,
        Path directory,
        boolean follow,
        Duration stagger,
        int shadowQueue,
        GuardLimits guard) {

    static void define(ConfigDef definition) {
        defineChannel(definition);
        ModelsConfig.definition().configKeys().values().forEach(definition::define);
        definition
                .define(
                        STAGGER_MS,
                        Type.INT,
                        0,
                        Range.between(0, 3_600_000),
                        Importance.LOW,
                        "Rolling updates: an instance swaps its champion this long after the one before it in order. "
                                + "The order is the number at the end of linesight.models.instance, or a hash of the "
                                + "name. 0 swaps as soon as the model is ready; a rollback never waits.")
                .define(
                        PROBATION_MS,
                        Type.INT,
                        600_000,
                        Range.between(0, 86_400_000),
                        Importance.LOW,
                        "How long after a promotion the guards compare the new champion with the one before, which "
                                + "stays in memory meanwhile. 0 for not at all.")
                .define(
                        SHADOW_QUEUE,
                        Type.INT,
                        32,
                        Range.between(1, 10_000),
                        Importance.LOW,
                        "Most frames that wait for a shadow's score, 200 kB each. More are dropped and counted; "
                                + "results are not affected.");
    }

    private static void defineChannel(ConfigDef definition) {
        definition
                .define(
                        CHANNEL,
                        Type.STRING,
                        "default",
                        new ConfigDef.NonEmptyString(),
                        Importance.MEDIUM,
                        "Rollout channel whose champion and challenger this instance serves. While the channel has "
                                + "no champion, linesight.checkpoint is served.")
                .define(
                        INSTANCE,
                        Type.STRING,
                        null,
                        Importance.MEDIUM,
                        "Name of this instance on the model-status topic: the same after a restart, different from "
                                + "every other instance. Without it the host's name; several instances on one host "
                                + "need names of their own. A number at its end is its place in a staggered "
                                + "rollout.")
                .define(
                        MODELS_DIR,
                        Type.STRING,
                        Path.of(System.getProperty("java.io.tmpdir"), "linesight-models")
                                .toString(),
                        Importance.LOW,
                        "Folder for checkpoints while they are downloaded and checked. Nothing stays there.");
    }

    static RolloutSettings read(SettingsReader settings) {
        String instance = settings.optionalText(INSTANCE);
        return new RolloutSettings(
                settings.text(CHANNEL),
                instance == null || instance.isEmpty() ? hostName() : instance,
                Path.of(settings.text(MODELS_DIR)),
                !settings.list(ModelsConfig.TRUSTED_KEYS).isEmpty()
                        || settings.text(ModelsConfig.UNSIGNED).equals("accept"),
                settings.millis(STAGGER_MS),
                settings.integer(SHADOW_QUEUE),
                GuardLimits.read(settings));
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            String name = System.getenv("HOSTNAME");
            return name == null || name.isBlank() ? "localhost" : name;
        }
    }
}
