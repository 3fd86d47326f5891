package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.DECODE_THREADS;
import static io.linesight.streams.config.InspectionConfig.DRAIN_BUDGET_MS;
import static io.linesight.streams.config.InspectionConfig.DRAIN_TIMEOUT_MS;
import static io.linesight.streams.config.InspectionConfig.LINGER_MS;
import static io.linesight.streams.config.InspectionConfig.MAX_BATCH;
import static io.linesight.streams.config.InspectionConfig.MAX_PENDING;
import static io.linesight.streams.config.InspectionConfig.TRANSACTION_TIMEOUT_MS;

import java.time.Duration;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;

/**
 * How frames are gathered for the model.
 *
 * @param maxBatch max frames in one inference
 * @param linger max wait for a batch to fill
 * @param maxPending max frames a task keeps while they are scored
 * @param decodeThreads threads that decode and resize
 * @param drainBudget wait before a commit that back-pressure aims to stay below
 * @param drainTimeout wait before a commit after which the thread gives up and its frames are processed again
 */
public record BatchingSettings(
        int maxBatch, Duration linger, int maxPending, int decodeThreads, Duration drainBudget, Duration drainTimeout) {

    static void define(ConfigDef definition) {
        definition
                .define(
                        MAX_BATCH,
                        Type.INT,
                        16,
                        Range.between(1, 1024),
                        Importance.MEDIUM,
                        "Most frames in one inference.")
                .define(
                        LINGER_MS,
                        Type.INT,
                        5,
                        Range.between(0, 10_000),
                        Importance.MEDIUM,
                        "Maximum wait of a frame for its batch to fill.");
        defineBackPressure(definition);
    }

    private static void defineBackPressure(ConfigDef definition) {
        definition
                .define(
                        MAX_PENDING,
                        Type.INT,
                        64,
                        Range.between(1, 100_000),
                        Importance.MEDIUM,
                        "Most frames one task (partition) keeps while they are decoded and scored; more block, which "
                                + "is the back-pressure.")
                .define(
                        DECODE_THREADS,
                        Type.INT,
                        0,
                        Range.between(0, 256),
                        Importance.LOW,
                        "Threads that decode and resize frames for all tasks; 0 means half the processors.")
                .define(
                        DRAIN_BUDGET_MS,
                        Type.INT,
                        5_000,
                        Range.atLeast(1),
                        Importance.LOW,
                        "A commit waits for every pending frame. A task takes no new frame while the frames pending "
                                + "in this instance need longer than this at the measured speed.")
                .define(
                        DRAIN_TIMEOUT_MS,
                        Type.INT,
                        25_000,
                        Range.atLeast(10),
                        Importance.LOW,
                        "Maximum wait for a score. Then the stream thread is replaced and its uncommitted frames are "
                                + "scored again. Must be below transaction.timeout.ms.");
    }

    static void check(SettingsReader settings) {
        settings.requireBelow(
                DRAIN_BUDGET_MS, DRAIN_TIMEOUT_MS, "a commit that stays within its budget must not time out");
        settings.requireBelow(
                DRAIN_TIMEOUT_MS,
                TRANSACTION_TIMEOUT_MS,
                "Kafka would abort the transaction while frames are still awaited");
    }

    static BatchingSettings read(SettingsReader settings) {
        int threads = settings.integer(DECODE_THREADS);
        return new BatchingSettings(
                settings.integer(MAX_BATCH),
                settings.millis(LINGER_MS),
                settings.integer(MAX_PENDING),
                threads > 0 ? threads : Math.max(1, Runtime.getRuntime().availableProcessors() / 2),
                settings.millis(DRAIN_BUDGET_MS),
                settings.millis(DRAIN_TIMEOUT_MS));
    }
}
