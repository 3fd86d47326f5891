package io.linesight.streams.inspect;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.drain.DeferredContext;
import io.linesight.streams.drain.DrainStore;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * One task's share of the work: hands frames to the pipeline, keeps them pending, and forwards what became of them in
 * the order in which they came. Nothing is committed before everything pending was forwarded ({@link DrainStore}).
 *
 * <p>Stream thread only.
 */
final class InspectProcessor implements Processor<byte[], byte[], byte[], byte[]> {

    static final String STORE = "linesight-drain";
    static final String RESULTS = "results";
    static final String ANOMALIES = "anomalies";
    static final String DEAD_LETTERS = "dead-letters";

    /** What the processors of one app share. */
    record Shared(
            InspectionPipeline pipeline,
            FrameReader reader,
            EventWriter writer,
            InspectionMetrics metrics,
            AnswerStamps stamps,
            Limits limits) {}

    /**
     * @param topics the catalogue, for names
     * @param outputs what the topics take
     * @param pending max frames of a task
     * @param drainBudget estimated backlog beyond which a task takes no further frame
     * @param drainTimeout max wait for outcomes in one pass
     */
    record Limits(Topics topics, OutputLimits outputs, int pending, Duration drainBudget, Duration drainTimeout) {}

    private record Pending(
            Record<byte[], byte[]> record,
            DeferredContext.Origin origin,
            FrameRef source,
            CompletableFuture<Outcome> outcome) {}

    /** How often finished frames are looked for while no new ones arrive; Streams asks at most every poll.ms. */
    private static final Duration TICK = Duration.ofMillis(2);

    private static final Headers NO_HEADERS = new RecordHeaders();

    private final Shared shared;
    private final Deque<Pending> pending = new ArrayDeque<>();
    private ProcessorContext<byte[], byte[]> context;
    private DeferredContext deferred;
    private Cancellable ticker;
    private boolean failed;

    InspectProcessor(Shared shared) {
        this.shared = shared;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> processorContext) {
        // Also called after a suspended or revived task resumes: its uncommitted frames come again.
        context = processorContext;
        deferred = new DeferredContext(processorContext);
        reset();
        DrainStore store = processorContext.getStateStore(STORE);
        store.beforeCommit(this::drain);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        shared.metrics.frame();
        RecordMetadata metadata = context.recordMetadata()
                .orElseThrow(() -> new IllegalStateException("a frame without topic, partition and offset"));
        FrameRef source = new FrameRef(metadata.topic(), metadata.partition(), metadata.offset());
        pending.add(new Pending(record, deferred.origin(), source, admit(record, source)));
        // Only while frames are pending: a ticker that always runs would make every commit interval commit something.
        if (ticker == null) ticker = context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, now -> tick());
        forward(shared.limits.pending - 1);
        while (pending.size() > 1 && shared.pipeline.backlog().compareTo(shared.limits.drainBudget) > 0)
            forward(pending.size() - 1);
    }

    private CompletableFuture<Outcome> admit(Record<byte[], byte[]> record, FrameRef source) {
        CameraFrame frame;
        try {
            frame = failing(() -> shared.reader.read(record.headers(), record.value()));
        } catch (BadRecordException e) {
            return CompletableFuture.completedFuture(new Outcome.Rejected(e.code(), e.getMessage()));
        }
        return shared.pipeline.inspect(source, frame, () -> shared.reader.read(record.headers(), record.value()));
    }

    private void tick() {
        forward(Integer.MAX_VALUE);
        if (pending.isEmpty()) stopTicker();
    }

    private void drain() {
        // A task that is closed after a failure is flushed once more; its frames come again, so there is nothing to
        // wait for.
        if (failed || pending.isEmpty()) return;
        long start = System.nanoTime();
        forward(0);
        shared.metrics.drained(System.nanoTime() - start);
    }

    /** Forwards what is done, in order; waits for the oldest while more than {@code keep} are pending. */
    private void forward(int keep) {
        long deadline = System.nanoTime() + shared.limits.drainTimeout.toNanos();
        while (!pending.isEmpty()
                && (pending.size() > keep || pending.peek().outcome.isDone())) {
            Pending head = pending.peek();
            failing(() -> {
                emit(head, await(head, deadline));
                return null;
            });
            pending.poll();
        }
    }

    private Outcome await(Pending head, long deadline) {
        try {
            return head.outcome.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new StreamsException(
                    "No score for the frame at " + head.source + " within " + shared.limits.drainTimeout.toMillis()
                            + " ms; the thread gives up and the frame is processed again",
                    e);
        } catch (ExecutionException e) {
            throw new StreamsException(
                    "The frame at " + head.source + " was not inspected; it stays uncommitted and is processed again: "
                            + e.getCause().getMessage(),
                    e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StreamsException("interrupted while waiting for a score", e);
        }
    }

    private void emit(Pending head, Outcome outcome) {
        if (outcome instanceof Outcome.Inspected inspected) emit(head, inspected);
        else emit(head, (Outcome.Rejected) outcome);
    }

    private void emit(Pending head, Outcome.Inspected inspected) {
        InspectionResult result = inspected.result();
        byte[] key = result.getCameraId().getBytes(StandardCharsets.UTF_8);
        byte[] value;
        byte @Nullable [] anomaly;
        try {
            value = fitting(shared.limits.topics.results().name(), key, shared.writer.write(result));
            anomaly = inspected.anomaly() == null ? null : write(key, inspected.anomaly());
        } catch (SerializationException e) {
            // The frame would come again and fail again for ever.
            emit(
                    head,
                    new Outcome.Rejected(
                            DeadLetterCode.INTERNAL, "the result could not be written: " + e.getMessage()));
            return;
        }
        AnswerStamps.Stamp stamp =
                shared.stamps.of(result.getCameraId(), head.record.timestamp(), result.getCapturedAt());
        deferred.runAs(head.origin, () -> {
            context.forward(stamped(key, value, stamp), RESULTS);
            if (anomaly != null) context.forward(stamped(key, anomaly, stamp), ANOMALIES);
        });
        shared.metrics.result(result.getVerdict(), anomaly != null, result.getCapturedAt());
    }

    private static Record<byte[], byte[]> stamped(byte[] key, byte[] value, AnswerStamps.Stamp stamp) {
        Record<byte[], byte[]> record = new Record<>(key, value, stamp.millis());
        stamp.writeTo(record.headers());
        return record;
    }

    /** Without its thumbnail, where it would not fit otherwise. */
    private byte[] write(byte[] key, AnomalyEvent anomaly) {
        String topic = shared.limits.topics.anomalies().name();
        byte[] whole = shared.writer.write(anomaly);
        if (fits(topic, key, whole) || anomaly.getThumbnailJpeg() == null) return fitting(topic, key, whole);
        return fitting(
                topic,
                key,
                shared.writer.write(
                        AnomalyEvent.newBuilder(anomaly).setThumbnailJpeg(null).build()));
    }

    private boolean fits(String topic, byte[] key, byte[] value) {
        return RecordSize.of(key, value, NO_HEADERS) <= shared.limits.outputs.of(topic);
    }

    /** @throws SerializationException where the topic does not take it */
    private byte[] fitting(String topic, byte[] key, byte[] value) {
        if (fits(topic, key, value)) return value;
        throw new SerializationException("a record of " + RecordSize.of(key, value, NO_HEADERS)
                + " bytes does not fit topic " + topic + ", which takes " + shared.limits.outputs.of(topic));
    }

    private void emit(Pending head, Outcome.Rejected rejected) {
        AnswerStamps.Stamp stamp = shared.stamps.of(source(head.record), head.record.timestamp(), null);
        Record<byte[], byte[]> letter = DeadLetters.of(
                head.record.withTimestamp(stamp.millis()),
                head.source,
                rejected.code(),
                rejected.message(),
                shared.limits.outputs.of(shared.limits.topics.deadLetter().name()));
        stamp.writeTo(letter.headers());
        deferred.runAs(head.origin, () -> context.forward(letter, DEAD_LETTERS));
        shared.metrics.deadLetter(rejected.code());
    }

    /** The record's key, which names its camera where the record keeps the contract. */
    private static String source(Record<byte[], byte[]> record) {
        byte[] key = record.key();
        return key == null
                ? "(no key)"
                : new String(key, 0, Math.min(key.length, FrameReader.MAX_TEXT), StandardCharsets.UTF_8);
    }

    private interface Step<T> {
        T run();
    }

    /** Remembers that this task has failed, except for a record that is merely bad. */
    private <T> T failing(Step<T> step) {
        boolean fine = false;
        try {
            T result = step.run();
            fine = true;
            return result;
        } catch (BadRecordException e) {
            fine = true;
            throw e;
        } finally {
            if (!fine) failed = true;
        }
    }

    private void reset() {
        pending.clear();
        failed = false;
        stopTicker();
    }

    private void stopTicker() {
        if (ticker != null) ticker.cancel();
        ticker = null;
    }

    /** Whatever is still pending belongs to a transaction that is being aborted. */
    @Override
    public void close() {
        reset();
    }
}
