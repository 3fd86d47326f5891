package io.linesight.trainer.learning;

import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.gate.GateConfig;
import io.linesight.trainer.imagestore.StoreConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How a trainer works.
 *
 * @param kafka at least {@code bootstrap.servers} and {@code schema.registry.url}; client, serde and topic keys are
 *     understood
 * @param channel rollout channel whose champion is improved
 * @param group consumer group; of all trainers in it one works, so every channel needs its own
 * @param instance name of this trainer, for people
 * @param folder for runs and state; belongs to one process
 * @param store the dataset store, usually inside the folder
 * @param triggers when a run begins
 * @param tuning how it trains
 * @param sampling which frames that nobody labelled are kept as earlier normals
 * @param gate what a challenger has to hold
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
     * When a run begins, besides on demand.
     *
     * @param afterNormals normals labelled by people since the last run; 0 = never for that reason
     * @param every time since the last run's end, if any label came in since; null = never for that reason
     */
    public record Triggers(int afterNormals, Duration every) {}

    /**
     * How a run trains.
     *
     * @param minutes budget; 0 = none
     * @param epochs passes over the pictures; 0 = as many as the minutes allow
     * @param learningRate low, because the network is to stay what it is
     * @param batch pictures per step, 1..64
     * @param threads CPU threads; 0 = all processors
     * @param newPerProduct most new normals per product, the youngest
     * @param earlierPerProduct earlier normals per product, so that it is not forgotten
     * @param measuredPerProduct most held-out pictures per product and kind that the gate looks at
     * @param seed of everything random
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
            long seed) {
        /**
         * Ten minutes at learning rate 0.0005, batch 8, all processors; 500 new and 150 earlier normals per product,
         * 200 measured.
         */
        public static Tuning defaults() {
            return new Tuning(10, 0, 0.0005, 8, 0, 500, 150, 200, 42);
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
                    seed);
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
                    seed);
        }

        public Tuning withLearningRate(double v) {
            return new Tuning(
                    minutes, epochs, v, batch, threads, newPerProduct, earlierPerProduct, measuredPerProduct, seed);
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
                    seed);
        }
    }

    /**
     * Frames that nobody labelled and that passed with confidence, as earlier normals. A defect that the champion
     * misses with confidence gets in too, so this is off unless asked for.
     *
     * @param perHour frames per product and hour; 0 = off
     * @param belowScore highest calibrated score, 0..0.5
     * @param mostPerProduct the oldest beyond this many go
     */
    public record Sampling(double perHour, double belowScore, int mostPerProduct) {
        public static final Sampling OFF = new Sampling(0, 0.2, 500);
    }

    /** @throws IllegalArgumentException naming every problem */
    public TrainerConfig {
        List<String> problems = new ArrayList<>();
        kafka = kafka == null ? Map.of() : Map.copyOf(kafka);
        for (String key : List.of("bootstrap.servers", "schema.registry.url"))
            if (kafka.getOrDefault(key, "").isBlank()) problems.add(key + " is not set");
        try {
            Topics.from(kafka);
        } catch (IllegalArgumentException e) {
            problems.add(e.getMessage());
        }
        if (channel == null || channel.isBlank()) problems.add("no channel");
        if (group == null || group.isBlank()) problems.add("no consumer group");
        if (instance == null || instance.isBlank()) problems.add("no instance name");
        if (folder == null) problems.add("no folder");
        if (store == null) problems.add("no dataset store");
        if (gate == null) problems.add("no gate");
        if (lateFrames == null || lateFrames.isNegative()) problems.add("lateFrames must not be negative");
        if (triggers == null) {
            problems.add("no triggers");
        } else {
            if (triggers.afterNormals < 0)
                problems.add("afterNormals must not be negative, got " + triggers.afterNormals);
            if (triggers.every != null && triggers.every.compareTo(Duration.ofSeconds(1)) < 0)
                problems.add("every must be at least a second, got " + triggers.every);
        }
        if (tuning == null) {
            problems.add("no tuning");
        } else {
            if (tuning.minutes < 0 || tuning.epochs < 0 || tuning.minutes == 0 && tuning.epochs == 0)
                problems.add("say how long to train: minutes or epochs above 0");
            if (!(tuning.learningRate > 0)) problems.add("learningRate must be above 0, got " + tuning.learningRate);
            if (tuning.batch < 1 || tuning.batch > 64) problems.add("batch must be 1..64, got " + tuning.batch);
            if (tuning.threads < 0) problems.add("threads must not be negative, got " + tuning.threads);
            if (tuning.newPerProduct < 1 || tuning.earlierPerProduct < 0 || tuning.measuredPerProduct < 1) {
                problems.add("newPerProduct and measuredPerProduct must be at least 1, earlierPerProduct at least 0");
            }
        }
        if (sampling == null) {
            problems.add("no sampling");
        } else {
            if (!(sampling.perHour >= 0)) problems.add("perHour must not be negative, got " + sampling.perHour);
            if (!(sampling.belowScore >= 0 && sampling.belowScore <= 0.5))
                problems.add("belowScore must be 0..0.5, got " + sampling.belowScore);
            if (sampling.mostPerProduct < 1)
                problems.add("mostPerProduct must be at least 1, got " + sampling.mostPerProduct);
        }
        if (!problems.isEmpty())
            throw new IllegalArgumentException("trainer: " + String.join("; ", problems) + ". Nothing was started");
    }

    /** Everything at its default, runs on demand only. */
    public static TrainerConfig of(Map<String, String> kafka, Path folder) {
        return new TrainerConfig(
                kafka,
                "default",
                "linesight-trainer-default",
                "trainer",
                folder,
                StoreConfig.in(folder.resolve("store")),
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
