package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.REGISTRY_RETRY_MS;
import static io.linesight.streams.config.InspectionConfig.STARTUP_TIMEOUT_MS;
import static io.linesight.streams.config.InspectionConfig.THREAD_REPLACEMENTS;
import static io.linesight.streams.config.InspectionConfig.TRANSACTION_TIMEOUT_MS;
import static io.linesight.streams.config.InspectionConfig.UNKNOWN_SCHEMA_MS;

import io.linesight.schemas.serde.RecordDecoder;
import java.time.Duration;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;

/**
 * How long the app waits for others, and how often it recovers.
 *
 * @param registryRetry how long a stream thread waits for the registry, where it has to, before it is replaced
 * @param unknownSchemaTimeout how long a schema may be unknown to the registry before its frames are dead letters
 * @param startupTimeout how long the start waits for broker, registry and champion
 * @param threadReplacements max stream threads replaced in 10 minutes
 */
public record RecoverySettings(
        Duration registryRetry, Duration unknownSchemaTimeout, Duration startupTimeout, int threadReplacements) {

    static void define(ConfigDef definition) {
        definition.define(
                REGISTRY_RETRY_MS,
                Type.INT,
                15_000,
                Range.between(0, 600_000),
                Importance.LOW,
                "How long a stream thread waits for the registry where it has to ask it while it works, which "
                        + "is rare: frames stay in Kafka until their schema is known, for as long as the "
                        + "registry is away, and are never dead letters for it. Then the thread is replaced.");
        RecordDecoder.define(definition)
                .define(
                        STARTUP_TIMEOUT_MS,
                        Type.INT,
                        15_000,
                        Range.between(100, 600_000),
                        Importance.LOW,
                        "How long the start waits for broker and registry before it gives up with a message.")
                .define(
                        THREAD_REPLACEMENTS,
                        Type.INT,
                        10,
                        Range.between(0, 1_000_000),
                        Importance.LOW,
                        "Stream threads that may fail and be replaced within 10 minutes before the app stops. "
                                + "Threads that fail because the registry is away do not count.");
    }

    static void check(SettingsReader settings) {
        settings.requireBelow(
                REGISTRY_RETRY_MS,
                TRANSACTION_TIMEOUT_MS,
                "Kafka would abort the transaction while the registry is still awaited");
    }

    static RecoverySettings read(SettingsReader settings) {
        return new RecoverySettings(
                settings.millis(REGISTRY_RETRY_MS),
                settings.millis(UNKNOWN_SCHEMA_MS),
                settings.millis(STARTUP_TIMEOUT_MS),
                settings.integer(THREAD_REPLACEMENTS));
    }
}
