package io.linesight.trainer.learning;

import io.linesight.mmad.image.DecodeSettings;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.gate.GateConfig;
import io.linesight.trainer.imagestore.StoreConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Settings of a trainer.
 *
 * @param kafka at least {@code bootstrap.servers} and {@code schema.registry.url}; client, serde and topic keys are
 *     understood
 * @param channel rollout channel whose champion is improved
 * @param group consumer group; one trainer of it is active, so every channel needs its own
 * @param instance name of this trainer, for messages
 * @param folder for runs and state; belongs to one process
 * @param store the dataset store, usually inside the folder; frames are decoded as its images are
 * @param triggers when a run starts
 * @param tuning how it trains
 * @param sampling which unlabelled frames are stored as earlier normals
 * @param gate limits that a challenger must keep
 * @param lateFrames how long a label may wait for its frame
 */
public record TrainerConfig(
        Map<String, String> kafka,
        String channel,
        String group,
        String instance,
        Path folder,
        StoreConfig store,
        Triggers triggers,
        Tuning tuning,
        Sampling sampling,
        GateConfig gate,
        Duration lateFrames) {
    /**
     * When a run starts, besides on demand.
     *
     * @param afterNormals normals labelled by people since the last run; 0 = off
     * @param every time since the last run's end, if labels arrived since; null = off
     */
    public record Triggers(int afterNormals, @Nullable Duration every) {
        private void check(List<String> problems) {
            if (afterNormals < 0) problems.add("afterNormals must not be negative, got " + afterNormals);
            if (every != null && every.compareTo(Duration.ofSeconds(1)) < 0)
                problems.add("every must be at least a second, got " + every);
        }
    }

    /**
     * How a run trains.
     *
     * @param minutes budget; 0 = none
     * @param epochs passes over the images; 0 = as many as the minutes allow
     * @param learningRate low, because the network should change little
     * @param batch images per step, 1..64
     * @param threads CPU threads; 0 = all processors
     * @param newPerProduct maximum of new normals per product; the newest are taken
     * @param earlierPerProduct earlier normals per product, so that the network does not forget it
     * @param measuredPerProduct maximum of held-out images per product and label that the gate scores
     * @param seed of everything random
     * @param thresholds how the challenger's thresholds are placed
     */
    public record Tuning(
            double minutes,
            int epochs,
            double learningRate,
            int batch,
            int threads,
            int newPerProduct,
            int earlierPerProduct,
            int measuredPerProduct,
            long seed,
            CalibrationRule thresholds) {
        private void check(List<String> problems) {
            if (minutes < 0 || epochs < 0 || minutes == 0 && epochs == 0)
                problems.add("say how long to train: minutes or epochs above 0");
            if (!(learningRate > 0)) problems.add("learningRate must be above 0, got " + learningRate);
            if (batch < 1 || batch > 64) problems.add("batch must be 1..64, got " + batch);
            if (threads < 0) problems.add("threads must not be negative, got " + threads);
            if (newPerProduct < 1 || earlierPerProduct < 0 || measuredPerProduct < 1)
                problems.add("newPerProduct and measuredPerProduct must be at least 1, earlierPerProduct at least 0");
        }

        /**
         * Ten minutes at learning rate 0.0005, batch 8, all processors; 500 new and 150 earlier normals per product,
         * 200 measured.
         */
        public static Tuning defaults() {
            return new Tuning(10, 0, 0.0005, 8, 0, 500, 150, 200, 42, CalibrationRule.defaults());
        }

        public Tuning withThresholds(CalibrationRule v) {
            return new Tuning(
                    minutes,
                    epochs,
                    learningRate,
                    batch,
                    threads,
                    newPerProduct,
                    earlierPerProduct,
                    measuredPerProduct,
                    seed,
                    v);
        }

        public Tuning withMinutes(double v) {
            return new Tuning(
                    v,
                    epochs,
                    learningRate,
                    batch,
                    threads,
                    newPerProduct,
                    earlierPerProduct,
                    measuredPerProduct,
                    seed,
                    thresholds);
        }

        public Tuning withEpochs(int v) {
            return new Tuning(
                    minutes,
                    v,
                    learningRate,
                    batch,
                    threads,
                    newPerProduct,
                    earlierPerProduct,
                    measuredPerProduct,
                    seed,
                    thresholds);
        }

        public Tuning withLearningRate(double v) {
            return new Tuning(
                    minutes,
                    epochs,
                    v,
                    batch,
                    threads,
                    newPerProduct,
                    earlierPerProduct,
                    measuredPerProduct,
                    seed,
                    thresholds);
        }

        public Tuning withThreads(int v) {
            return new Tuning(
                    minutes,
                    epochs,
                    learningRate,
                    batch,
                    v,
                    newPerProduct,
                    earlierPerProduct,
                    measuredPerProduct,
                    seed,
                    thresholds);
        }
    }

    /**
     * Unlabelled frames that passed with confidence, stored as earlier normals. A defect that the champion misses with
     * confidence is stored too, so this is off by default.
     *
     * @param perHour frames per product and hour; 0 = off
     * @param belowScore highest calibrated score, 0..0.5
     * @param maxPerProduct reservoir images of a product; the oldest beyond are removed
     */
    public record Sampling(double perHour, double belowScore, int maxPerProduct) {
        public static final Sampling OFF = new Sampling(0, 0.2, 500);

        private void check(List<String> problems) {
            if (!(perHour >= 0)) problems.add("perHour must not be negative, got " + perHour);
            if (!(belowScore >= 0 && belowScore <= 0.5)) problems.add("belowScore must be 0..0.5, got " + belowScore);
            if (maxPerProduct < 1) problems.add("maxPerProduct must be at least 1, got " + maxPerProduct);
        }
    }

    /** @throws IllegalArgumentException naming every problem */
    public TrainerConfig {
        kafka = kafka == null ? Map.of() : Map.copyOf(kafka);
        List<String> problems = new ArrayList<>();
        checkKafka(kafka, problems);
        if (channel == null || channel.isBlank()) problems.add("no channel");
        if (group == null || group.isBlank()) problems.add("no consumer group");
        if (instance == null || instance.isBlank()) problems.add("no instance name");
        if (folder == null) problems.add("no folder");
        if (store == null) problems.add("no dataset store");
        if (gate == null) problems.add("no gate");
        if (lateFrames == null || lateFrames.isNegative()) problems.add("lateFrames must not be negative");
        if (triggers == null) problems.add("no triggers");
        else triggers.check(problems);
        if (tuning == null) problems.add("no tuning");
        else tuning.check(problems);
        if (sampling == null) problems.add("no sampling");
        else sampling.check(problems);
        if (!problems.isEmpty())
            throw new IllegalArgumentException("trainer: " + String.join("; ", problems) + ". Nothing was started");
    }

    private static void checkKafka(Map<String, String> kafka, List<String> problems) {
        for (String key : List.of("bootstrap.servers", "schema.registry.url"))
            if (kafka.getOrDefault(key, "").isBlank()) problems.add(key + " is not set");
        try {
            Topics.from(kafka);
        } catch (IllegalArgumentException e) {
            problems.add(e.getMessage());
        }
    }

    /**
     * Everything at its default, runs on demand only; images by the settings of {@link DecodeSettings}.
     *
     * @throws IllegalArgumentException naming every problem
     */
    public static TrainerConfig of(Map<String, String> kafka, Path folder) {
        return new TrainerConfig(
                kafka,
                "default",
                "linesight-trainer-default",
                "trainer",
                folder,
                StoreConfig.in(folder.resolve("store"))
                        .withDecoding(DecodeSettings.of(kafka, DecodeSettings.defaults())),
                new Triggers(0, null),
                Tuning.defaults(),
                Sampling.OFF,
                GateConfig.defaults(),
                Duration.ofMinutes(10));
    }

    public TrainerConfig withChannel(String v) {
        return new TrainerConfig(
                kafka, v, group, instance, folder, store, triggers, tuning, sampling, gate, lateFrames);
    }

    public TrainerConfig withGroup(String v) {
        return new TrainerConfig(
                kafka, channel, v, instance, folder, store, triggers, tuning, sampling, gate, lateFrames);
    }

    public TrainerConfig withInstance(String v) {
        return new TrainerConfig(kafka, channel, group, v, folder, store, triggers, tuning, sampling, gate, lateFrames);
    }

    public TrainerConfig withStore(StoreConfig v) {
        return new TrainerConfig(
                kafka, channel, group, instance, folder, v, triggers, tuning, sampling, gate, lateFrames);
    }

    public TrainerConfig withTriggers(Triggers v) {
        return new TrainerConfig(kafka, channel, group, instance, folder, store, v, tuning, sampling, gate, lateFrames);
    }

    public TrainerConfig withTuning(Tuning v) {
        return new TrainerConfig(
                kafka, channel, group, instance, folder, store, triggers, v, sampling, gate, lateFrames);
    }

    public TrainerConfig withSampling(Sampling v) {
        return new TrainerConfig(kafka, channel, group, instance, folder, store, triggers, tuning, v, gate, lateFrames);
    }

    public TrainerConfig withGate(GateConfig v) {
        return new TrainerConfig(
                kafka, channel, group, instance, folder, store, triggers, tuning, sampling, v, lateFrames);
    }

    public TrainerConfig withLateFrames(Duration v) {
        return new TrainerConfig(kafka, channel, group, instance, folder, store, triggers, tuning, sampling, gate, v);
    }
}
