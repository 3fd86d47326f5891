package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.AUTO_OFFSET_RESET;
import static io.linesight.streams.config.InspectionConfig.COMMIT_INTERVAL_MS;
import static io.linesight.streams.config.InspectionConfig.MAX_POLL_INTERVAL_MS;
import static io.linesight.streams.config.InspectionConfig.PROCESSING_GUARANTEE;
import static io.linesight.streams.config.InspectionConfig.STATE_DIR;
import static io.linesight.streams.config.InspectionConfig.STREAM_THREADS;
import static io.linesight.streams.config.InspectionConfig.TRANSACTION_TIMEOUT_MS;

import java.nio.file.Path;
import java.time.Duration;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.streams.StreamsConfig;

/** Kafka Streams settings that depend on each other. */
public record StreamsSettings(
        int threads,
        String guarantee,
        Duration commitInterval,
        Duration transactionTimeout,
        Duration maxPollInterval,
        String autoOffsetReset,
        Path stateDir) {

    static void define(ConfigDef definition) {
        definition
                .define(
                        STREAM_THREADS,
                        Type.INT,
                        2,
                        Range.between(1, 256),
                        Importance.MEDIUM,
                        "Stream threads of this instance. Decoding and scoring have threads of their own, so few are "
                                + "enough.")
                .define(
                        PROCESSING_GUARANTEE,
                        Type.STRING,
                        StreamsConfig.EXACTLY_ONCE_V2,
                        ValidString.in(StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE),
                        Importance.MEDIUM,
                        "exactly_once_v2 writes every result once for read_committed consumers; at_least_once shows "
                                + "results sooner and may repeat some after a crash (same resultId).")
                .define(
                        COMMIT_INTERVAL_MS,
                        Type.INT,
                        100,
                        Range.between(1, 600_000),
                        Importance.LOW,
                        "Time between commits. With exactly_once_v2 results become visible at a commit; every commit "
                                + "first waits for the pending frames.");
        defineLimits(definition);
    }

    private static void defineLimits(ConfigDef definition) {
        definition
                .define(
                        TRANSACTION_TIMEOUT_MS,
                        Type.INT,
                        30_000,
                        Range.between(1_000, 900_000),
                        Importance.LOW,
                        "Kafka aborts a transaction that lasts longer. After a crash its partitions wait this long "
                                + "before they go on.")
                .define(
                        MAX_POLL_INTERVAL_MS,
                        Type.INT,
                        300_000,
                        Range.between(1_000, Integer.MAX_VALUE),
                        Importance.LOW,
                        "A stream thread that takes longer between polls loses its partitions. Must be above "
                                + "transaction.timeout.ms.")
                .define(
                        AUTO_OFFSET_RESET,
                        Type.STRING,
                        "earliest",
                        ValidString.in("earliest", "latest"),
                        Importance.LOW,
                        "Where the very first start begins: with the oldest frame still there, or with the next "
                                + "new one.")
                .define(
                        STATE_DIR,
                        Type.STRING,
                        Path.of(System.getProperty("java.io.tmpdir"), "linesight-streams")
                                .toString(),
                        Importance.LOW,
                        "Folder for Kafka Streams. The app keeps no state of its own, so any folder does.");
    }

    static void check(SettingsReader settings) {
        settings.requireBelow(
                TRANSACTION_TIMEOUT_MS,
                MAX_POLL_INTERVAL_MS,
                "the thread would lose its partitions before the transaction ends");
        settings.requireBelow(
                COMMIT_INTERVAL_MS, TRANSACTION_TIMEOUT_MS, "no transaction would ever be committed in time");
    }

    static StreamsSettings read(SettingsReader settings) {
        return new StreamsSettings(
                settings.integer(STREAM_THREADS),
                settings.text(PROCESSING_GUARANTEE),
                settings.millis(COMMIT_INTERVAL_MS),
                settings.millis(TRANSACTION_TIMEOUT_MS),
                settings.millis(MAX_POLL_INTERVAL_MS),
                settings.text(AUTO_OFFSET_RESET),
                Path.of(settings.text(STATE_DIR)));
    }
}
