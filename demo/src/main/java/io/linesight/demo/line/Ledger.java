package io.linesight.demo.line;

import io.linesight.cameras.SentFrames;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The books of one run: every frame that was sent, and what came back for it. Says whether anything was lost or
 * doubled, how long answers took, and how good the scores were against the ground truth.
 *
 * <p>Threads: safe to share. A result may arrive before the sender has booked its frame; both orders count the same.
 */
public final class Ledger implements SentFrames {
    /**
     * One frame with its result.
     *
     * @param latencyMicros from exposure until the result was read from the topic
     */
    public record Outcome(SentFrame sent, InspectionResult result, long latencyMicros) {
        /** Whether the score is at or above the decision point. */
        public boolean calledAnomalous() {
            return result.getScore() >= VerdictRule.DECISION_POINT;
        }
    }

    private static final class Entry {
        @Nullable
        SentFrame sent;

        @Nullable
        InspectionResult result;

        long arrivedMicros;
        int results;
        /** Reason code of every dead letter. */
        List<String> deadLetters = List.of();

        int events;

        int answers() {
            return results + deadLetters.size();
        }
    }

    private static final long POLL_MILLIS = 50;
    /** A duplicate comes right after the answer that it doubles. */
    private static final long DUPLICATES_MILLIS = 1_500;

    /** Avro records compare field by field through their schema; this is the same, cheaply. */
    private record Place(String topic, int partition, long offset) {}

    private final Map<Place, Entry> entries = new HashMap<>();
    private final Map<String, Integer> deadLetterCodes = new LinkedHashMap<>();
    private long sentCount;
    private long results;
    private long doubled;
    private long events;
    private long deadLetters;
    private long settled;
    private long rejected;
    private long timedFromMicros = Long.MIN_VALUE;

    /** Books a frame that Kafka has acknowledged, with what has come back for it already. */
    @Override
    public synchronized void sent(FrameRef ref, SentFrame sent) {
        Entry e = entry(ref);
        if (e.sent != null) throw new IllegalStateException("frame " + ref + " was booked twice");
        e.sent = sent;
        sentCount++;
        results += e.results;
        deadLetters += e.deadLetters.size();
        e.deadLetters.forEach(code -> deadLetterCodes.merge(code, 1, Integer::sum));
        events += e.events;
        if (e.answers() > 0) settled++;
        doubled += Math.max(0, e.answers() - 1) + Math.max(0, e.events - 1);
    }

    /** Books a frame that could not be handed to Kafka: it was never on the line, so it is neither a frame nor lost. */
    @Override
    public synchronized void rejected() {
        rejected++;
    }

    /** Books a result; that of another sender's frame is not counted. */
    public synchronized void result(InspectionResult result, long arrivedMicros) {
        Entry e = entry(result.getFrameRef());
        e.results++;
        if (e.result == null) {
            e.result = result;
            e.arrivedMicros = arrivedMicros;
        }
        if (e.sent == null) return;
        results++;
        countAnswer(e);
    }

    /** Books a dead letter; that of another sender's frame is not counted. */
    public synchronized void deadLetter(FrameRef ref, String code) {
        Entry e = entry(ref);
        e.deadLetters = Stream.concat(e.deadLetters.stream(), Stream.of(code)).toList();
        if (e.sent == null) return;
        deadLetters++;
        deadLetterCodes.merge(code, 1, Integer::sum);
        countAnswer(e);
    }

    private void countAnswer(Entry e) {
        if (e.answers() > 1) doubled++;
        else settled++;
    }

    /** Books an anomaly event; that of another sender's frame is not counted. */
    public synchronized void anomaly(FrameRef ref) {
        Entry e = entry(ref);
        e.events++;
        if (e.sent == null) return;
        events++;
        if (e.events > 1) doubled++;
    }

    /** From now on timing counts: frames exposed earlier only warmed the line up. */
    public synchronized void startTiming() {
        timedFromMicros = Micros.of(Instant.now());
    }

    /**
     * Waits while answers keep coming, then a little longer, so that duplicates are seen too.
     *
     * @param timeout gives up the rest when no answer has come for this long
     * @param keepWaiting asked while waiting; false ends it
     */
    public void awaitAnswers(Duration timeout, BooleanSupplier keepWaiting) throws InterruptedException {
        awaitSettled(timeout, keepWaiting);
        Thread.sleep(DUPLICATES_MILLIS);
    }

    /** Like {@link #awaitAnswers}, and returns with the last answer. */
    public void awaitSettled(Duration timeout, BooleanSupplier keepWaiting) throws InterruptedException {
        long open = open();
        long lastAnswer = System.nanoTime();
        while (open > 0 && System.nanoTime() - lastAnswer < timeout.toNanos() && keepWaiting.getAsBoolean()) {
            Thread.sleep(POLL_MILLIS);
            long now = open();
            if (now != open) {
                open = now;
                lastAnswer = System.nanoTime();
            }
        }
    }

    /** What the sender knew of a frame; empty for one that is not booked (yet). */
    public synchronized Optional<SentFrame> sentFrame(FrameRef ref) {
        Entry e = entries.get(new Place(ref.getTopic(), ref.getPartition(), ref.getOffset()));
        return e == null ? Optional.empty() : Optional.ofNullable(e.sent);
    }

    private Entry entry(FrameRef ref) {
        return entries.computeIfAbsent(
                new Place(ref.getTopic(), ref.getPartition(), ref.getOffset()), r -> new Entry());
    }

    /** Frames acknowledged by Kafka. */
    public synchronized long frames() {
        return sentCount;
    }

    /** Results read for its frames, doubles included. */
    public synchronized long results() {
        return results;
    }

    /** Dead letters read for its frames, doubles included. */
    public synchronized long deadLetters() {
        return deadLetters;
    }

    /** Dead letters by reason code. */
    public synchronized Map<String, Integer> deadLetterCodes() {
        return new LinkedHashMap<>(deadLetterCodes);
    }

    /** Anomaly events read for its frames. */
    public synchronized long anomalies() {
        return events;
    }

    /** Results, dead letters and anomaly events beyond the first of a frame. */
    public synchronized long doubled() {
        return doubled;
    }

    /** Frames without a result or a dead letter so far. */
    public synchronized long open() {
        return sentCount - settled;
    }

    /** Frames that Kafka did not take. */
    public synchronized long rejectedCount() {
        return rejected;
    }

    /** Every booked frame that has a result and was exposed after {@link #startTiming}. */
    synchronized List<Outcome> timedOutcomes() {
        return outcomes().stream()
                .filter(o -> Micros.of(o.result().getCapturedAt()) >= timedFromMicros)
                .toList();
    }

    /** Every booked frame that has a result. */
    public synchronized List<Outcome> outcomes() {
        List<Outcome> out = new ArrayList<>();
        for (Entry e : entries.values()) {
            if (e.sent == null || e.result == null) continue;
            out.add(new Outcome(e.sent, e.result, e.arrivedMicros - Micros.of(e.result.getCapturedAt())));
        }
        return out;
    }
}
