package io.linesight.streams.monitoring;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.Verdict;
import io.linesight.streams.batching.BatchListener;
import io.linesight.streams.routing.ShadowEvents;
import io.linesight.streams.serving.ModelEvents;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Meters of the inspection app. Counted when a frame is read or forwarded, so after a crash the frames of the aborted
 * transaction count again; the topics do not have them twice. No meter is tagged with a camera or product: their number
 * is not ours to bound. A model's version is a tag of {@link #MODEL_INFO} only, which has one meter per role at a time.
 */
public final class InspectionMetrics implements BatchListener, ModelEvents, ShadowEvents {

    public static final String FRAMES = "linesight.frames";
    public static final String RESULTS = "linesight.results";
    public static final String ANOMALIES = "linesight.anomalies";
    public static final String DEAD_LETTERS = "linesight.dead.letters";
    public static final String BATCH_SIZE = "linesight.batch.size";
    public static final String BATCH_QUEUE = "linesight.batch.queue";
    public static final String BATCH_RETRIES = "linesight.batch.retries";
    public static final String STAGE = "linesight.stage";
    public static final String LATENCY = "linesight.latency";
    public static final String DRAIN = "linesight.drain";
    public static final String FAILED_FRAMES = "linesight.inference.failed.frames";
    public static final String NAN_FRAMES = "linesight.model.nan.frames";
    public static final String UNKNOWN_PRODUCT = "linesight.product.unknown.frames";
    public static final String IMPLAUSIBLE_TIMES = "linesight.frames.implausible.time";
    public static final String FRAMES_TOPIC_RECREATED = "linesight.frames.topic.recreated";
    public static final String OFFSETS_RESTORED = "linesight.offsets.restored";
    public static final String THREADS_REPLACED = "linesight.stream.threads.replaced";
    public static final String MODEL_INFO = "linesight.model.info";
    public static final String MODEL_SWAPS = "linesight.model.swaps";
    public static final String MODEL_REJECTIONS = "linesight.model.rejections";
    public static final String SWAP_PAUSE = "linesight.model.swap.pause";
    public static final String SHADOW_SAMPLES = "linesight.shadow.samples";
    public static final String SHADOW_DROPS = "linesight.shadow.drops";
    public static final String CHALLENGER_FRAMES = "linesight.challenger.frames";
    public static final String MODEL_WITHDRAWALS = "linesight.model.withdrawals";
    public static final String MODEL_BEHIND = "linesight.model.behind";
    public static final String SETTINGS_END = "linesight.settings.end";
    public static final String SETTINGS_NOT_CARRIED = "linesight.settings.not.carried";
    public static final String EXEMPTIONS = "linesight.exemptions";
    public static final String EXEMPTIONS_IGNORED = "linesight.exemptions.ignored";
    public static final String EXEMPTIONS_WRITTEN = "linesight.exemptions.written";
    public static final String EXEMPTIONS_REJECTED = "linesight.exemptions.rejected";
    public static final String EXEMPTED_FRAMES = "linesight.exempted.frames";
    public static final String REGISTRY_WAITING = "linesight.registry.waiting.threads";
    public static final String REGISTRY_HOLDS = "linesight.registry.waiting.partitions";
    public static final String DEVICE_INFO = "linesight.device.info";
    public static final String DEVICE_FALLBACK = "linesight.device.fallback";
    public static final String LIVE = "linesight.live";
    public static final String READY = "linesight.ready";

    /** Why exemptions do not count. */
    private static final List<String> EXEMPTION_IGNORED = List.of("DAMAGED", "OTHER_ENCODER", "LEARNED", "TOO_MANY");

    /** Beyond this a camera's clock is wrong, and one such frame would spoil the mean for good. */
    private static final long MAX_LATENCY_MILLIS = TimeUnit.DAYS.toMillis(1);

    private final MeterRegistry registry;
    private final Counter frames;
    private final Map<Verdict, Counter> results = new EnumMap<>(Verdict.class);
    private final Counter anomalies;
    private final Map<DeadLetterCode, Counter> deadLetters = new EnumMap<>(DeadLetterCode.class);
    private final DistributionSummary batchSize;
    private final Counter batchRetries;
    private final Timer decode;
    private final Timer queue;
    private final Timer inference;
    private final Timer render;
    private final Timer latency;
    private final Timer drain;
    private final Counter failedFrames;
    private final Counter nanFrames;
    private final Counter unknownProduct;
    private final Counter recordTimes;
    private final Counter captureTimes;
    private final Counter topicRecreated;
    private final Counter offsetsRestored;
    private final Counter threadsReplaced;
    private final Counter swaps;
    private final Counter rejections;
    private final Timer swapPause;
    private final Counter shadowSamples;
    private final Counter shadowDrops;
    private final Counter challengerFrames;
    private final Counter withdrawals;
    private final AtomicInteger registryWaiting = new AtomicInteger();
    private final AtomicInteger registryHolds = new AtomicInteger();
    private final Counter exemptedPassed;
    private final Counter exemptedOnly;
    private final Counter exemptionsRejected;
    private final Map<String, Counter> exemptionsWritten = new ConcurrentHashMap<>();
    private final Map<ModelRole, Meter> serving = new EnumMap<>(ModelRole.class);

    public InspectionMetrics(MeterRegistry registry) {
        this.registry = registry;
        frames = counter(FRAMES, "Frames read from the frames topic");
        for (Verdict verdict : Verdict.values())
            results.put(verdict, counter(RESULTS, "Results by verdict", "verdict", verdict.name()));
        anomalies = counter(ANOMALIES, "Anomaly events");
        for (DeadLetterCode code : DeadLetterCode.values())
            deadLetters.put(code, counter(DEAD_LETTERS, "Frames put aside by reason", "code", code.name()));
        batchSize = DistributionSummary.builder(BATCH_SIZE)
                .description("Frames per inference")
                .publishPercentiles(0.5, 0.95)
                .register(registry);
        batchRetries = counter(BATCH_RETRIES, "Batches that failed and were tried frame by frame");
        decode = stage("decode", "Decode and resize, per frame");
        queue = stage("queue", "From decoded to the start of the batch, per frame");
        inference = stage("inference", "Inference, per batch");
        render = stage("render", "Verdict, regions, map and thumbnail, per frame");
        latency = latencyTimer();
        drain = drainTimer();
        failedFrames = counter(FAILED_FRAMES, "Frames on which inference failed even alone; verdict REVIEW");
        nanFrames = counter(NAN_FRAMES, "Frames for which the model returned NaN or infinity; verdict REVIEW");
        unknownProduct = counter(
                UNKNOWN_PRODUCT, "Frames without a product that the model is calibrated on; the fallback applied");
        String times = "Frames with a time that cannot be true, of the record or of the exposure";
        recordTimes = counter(IMPLAUSIBLE_TIMES, times, "time", "record");
        captureTimes = counter(IMPLAUSIBLE_TIMES, times, "time", "capture");
        topicRecreated = counter(FRAMES_TOPIC_RECREATED, "Times that the topic of frames was deleted and made again");
        offsetsRestored = counter(
                OFFSETS_RESTORED, "Partitions whose committed offset was gone or of another topic, and was set again");
        threadsReplaced = counter(THREADS_REPLACED, "Stream threads that failed and were replaced");
        swaps = counter(MODEL_SWAPS, "Champions replaced by another model");
        rejections = counter(MODEL_REJECTIONS, "Models that were rejected, or taken out of service by a guard");
        swapPause = Timer.builder(SWAP_PAUSE)
                .description(
                        "From the old model's last batch, or the first waiting frame, to the new model's first batch")
                .register(registry);
        shadowSamples = counter(SHADOW_SAMPLES, "Frames that champion and challenger have both scored");
        shadowDrops =
                counter(SHADOW_DROPS, "Shadow samples dropped: the queue was full, or the challenger was replaced");
        challengerFrames = counter(CHALLENGER_FRAMES, "Frames scored in the challenger's batcher, shadow and canary");
        withdrawals = counter(MODEL_WITHDRAWALS, "Models that a guard of this instance took out of service");
        String exempted = "Frames that exemptions applied to, by whether that made them pass";
        exemptedPassed = counter(EXEMPTED_FRAMES, exempted, "passed", "true");
        exemptedOnly = counter(EXEMPTED_FRAMES, exempted, "passed", "false");
        exemptionsRejected = counter(EXEMPTIONS_REJECTED, "Labels that could not be made exemptions; the log says why");
        Gauge.builder(REGISTRY_WAITING, registryWaiting, AtomicInteger::get)
                .description("Stream threads that wait for the schema registry now")
                .register(registry);
        Gauge.builder(REGISTRY_HOLDS, registryHolds, AtomicInteger::get)
                .description("Partitions whose frames wait in Kafka for the schema registry now")
                .register(registry);
    }

    /** Gauges of the app as a whole; the suppliers are asked at every scrape. */
    public void app(BooleanSupplier live, BooleanSupplier ready, BooleanSupplier behind) {
        truth(LIVE, "1 while the app does not need a restart", live);
        truth(READY, "1 while frames flow and a model serves", ready);
        truth(MODEL_BEHIND, "1 while the champion in service is not the one that was decided", behind);
    }

    /**
     * Records where the model runs.
     *
     * @param wanted as configured
     * @param fallback whether a GPU was looked for in vain
     */
    public void device(String wanted, String device, boolean fallback) {
        Gauge.builder(DEVICE_INFO, () -> 1)
                .description("1 for the device the model runs on, and the one that was asked for")
                .tag("device", device.toLowerCase(Locale.ROOT))
                .tag("wanted", wanted.toLowerCase(Locale.ROOT))
                .register(registry);
        truth(
                DEVICE_FALLBACK,
                "1 where this build has CUDA, the device is auto, and the model runs on the CPU",
                () -> fallback);
    }

    private void truth(String name, String description, BooleanSupplier value) {
        Gauge.builder(name, () -> value.getAsBoolean() ? 1 : 0)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    private Timer latencyTimer() {
        return Timer.builder(LATENCY)
                .description("From the camera's exposure to the forwarded result")
                .publishPercentiles(0.5, 0.95, 0.99)
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(1))
                .maximumExpectedValue(Duration.ofMinutes(1))
                .register(registry);
    }

    private Timer drainTimer() {
        return Timer.builder(DRAIN)
                .description("Wait for pending frames before a commit")
                .publishPercentiles(0.5, 0.95, 0.99)
                .register(registry);
    }

    private Counter counter(String name, String description, String... tags) {
        return Counter.builder(name).description(description).tags(tags).register(registry);
    }

    private Timer stage(String stage, String description) {
        return Timer.builder(STAGE)
                .description(description)
                .tag("stage", stage)
                .publishPercentiles(0.5, 0.95, 0.99)
                .register(registry);
    }

    public void frame() {
        frames.increment();
    }

    public void decoded(long nanos) {
        decode.record(nanos, TimeUnit.NANOSECONDS);
    }

    public void queued(long nanos) {
        queue.record(nanos, TimeUnit.NANOSECONDS);
    }

    public void rendered(long nanos) {
        render.record(nanos, TimeUnit.NANOSECONDS);
    }

    public void drained(long nanos) {
        drain.record(nanos, TimeUnit.NANOSECONDS);
    }

    public void result(Verdict verdict, boolean anomaly, Instant capturedAt) {
        results.get(verdict).increment();
        if (anomaly) anomalies.increment();
        long millis = System.currentTimeMillis() - capturedAt.toEpochMilli();
        if (millis >= 0 && millis <= MAX_LATENCY_MILLIS) latency.record(millis, TimeUnit.MILLISECONDS);
    }

    public void deadLetter(DeadLetterCode code) {
        deadLetters.get(code).increment();
    }

    public void nan() {
        nanFrames.increment();
    }

    /**
     * Live settings as they are now.
     *
     * @param end offset behind the last that is known
     * @param notCarried thresholds that a model in service cannot take over
     */
    public void settings(LongSupplier end, IntSupplier notCarried) {
        Gauge.builder(SETTINGS_END, end::getAsLong)
                .description("Offset behind the last live settings that are known")
                .strongReference(true)
                .register(registry);
        Gauge.builder(SETTINGS_NOT_CARRIED, notCarried::getAsInt)
                .description("Thresholds set by people that a model in service cannot take over; its own decide")
                .strongReference(true)
                .register(registry);
    }

    /**
     * Exemptions as they are now.
     *
     * @param active those that count with the champion
     * @param ignored those that do not, by reason
     */
    public void exemptions(IntSupplier active, ToIntFunction<String> ignored) {
        Gauge.builder(EXEMPTIONS, active::getAsInt)
                .description("Exemptions that count with the champion")
                .strongReference(true)
                .register(registry);
        for (String why : EXEMPTION_IGNORED)
            Gauge.builder(EXEMPTIONS_IGNORED, () -> ignored.applyAsInt(why))
                    .description("Exemptions that do not count with the champion, by reason")
                    .tag("reason", why)
                    .strongReference(true)
                    .register(registry);
        for (String what : List.of("made", "removed", "revoked"))
            exemptionsWritten.put(
                    what, counter(EXEMPTIONS_WRITTEN, "Exemptions written because of labels", "what", what));
    }

    /** A label has made an exemption, or taken one away. */
    public void exemptionWritten(boolean made, boolean revoked) {
        Counter counter = exemptionsWritten.get(made ? "made" : revoked ? "revoked" : "removed");
        if (counter != null) counter.increment();
    }

    /** A label could not be made an exemption. */
    public void exemptionRejected() {
        exemptionsRejected.increment();
    }

    /**
     * Exemptions applied to a frame.
     *
     * @param passes whether it would have been anomalous without, and is not
     */
    public void exempted(boolean passes) {
        (passes ? exemptedPassed : exemptedOnly).increment();
    }

    /** The model's fallback threshold judged a frame. */
    public void fallback() {
        unknownProduct.increment();
    }

    /** A frame has a time that cannot be true. */
    public void implausibleTime(boolean ofRecord, boolean ofExposure) {
        if (ofRecord) recordTimes.increment();
        if (ofExposure) captureTimes.increment();
    }

    public void framesTopicRecreated() {
        topicRecreated.increment();
    }

    public void offsetsRestored(int partitions) {
        offsetsRestored.increment(partitions);
    }

    public void threadReplaced() {
        threadsReplaced.increment();
    }

    /** So many more partitions are held back for the registry, or fewer. */
    public void registryHolds(int more) {
        registryHolds.addAndGet(more);
    }

    /** Partitions that are held back for the registry now. */
    public int waitingPartitions() {
        return registryHolds.get();
    }

    /** A stream thread begins ({@code true}) or ends to wait for the registry. */
    public void registryAwaited(boolean begins) {
        if (begins) registryWaiting.incrementAndGet();
        else registryWaiting.decrementAndGet();
    }

    @Override
    public void onStart(IntSupplier queued) {
        Gauge.builder(BATCH_QUEUE, queued, IntSupplier::getAsInt)
                .description("Frames that wait for a batch")
                .strongReference(true)
                .register(registry);
    }

    @Override
    public void onBatch(int size, int failed, long inferenceNanos) {
        batchSize.record(size);
        inference.record(inferenceNanos, TimeUnit.NANOSECONDS);
        failedFrames.increment(failed);
    }

    @Override
    public void onRetry(int size, RuntimeException cause) {
        batchRetries.increment();
    }

    @Override
    public void onModel(CheckpointInfo model, long pauseNanos) {
        if (pauseNanos > 0) swapPause.record(pauseNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public synchronized void serving(ModelRole role, @Nullable String version) {
        Meter before = serving.remove(role);
        if (before != null) registry.remove(before);
        if (version == null) return;
        serving.put(
                role,
                Gauge.builder(MODEL_INFO, () -> 1)
                        .description("1 for the version that fills the role")
                        .tag("role", role.name())
                        .tag("version", version)
                        .register(registry));
    }

    @Override
    public void swapped() {
        swaps.increment();
    }

    @Override
    public void rejected() {
        rejections.increment();
    }

    @Override
    public void withdrawn() {
        withdrawals.increment();
    }

    @Override
    public void compared() {
        shadowSamples.increment();
    }

    @Override
    public void dropped() {
        shadowDrops.increment();
    }

    /** For the challenger's batcher, whose batches must not mix with the champion's. */
    public BatchListener challengerBatches() {
        return new BatchListener() {
            @Override
            public void onBatch(int size, int failed, long inferenceNanos) {
                challengerFrames.increment(size);
                failedFrames.increment(failed);
            }

            @Override
            public void onRetry(int size, RuntimeException cause) {
                batchRetries.increment();
            }
        };
    }
}
