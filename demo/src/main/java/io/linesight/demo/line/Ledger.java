package io.linesight.demo.line;

import io.linesight.cameras.SentFrames;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Books of one run: every frame that was sent, and what came back for it. Answers whether anything was lost or doubled,
 * how long it took and what the scores were worth against the truth.
 *
 * <p>Threads: safe to share. A result may arrive before the sender has booked its frame; both orders count the same.
 */
public final class Ledger implements SentFrames {
    /**
     * One frame with its result.
     *
     * @param latencyMicros from exposure until the result was read from the topic
     */
    public record Outcome(SentFrame sent, InspectionResult result, long latencyMicros) {}

    private static final class Entry {
        SentFrame sent;
        InspectionResult result;
        long arrivedMicros;
        int results;
        int deadLetters;
        int events;
    }

    /** Avro records compare field by field through their schema; this is the same, cheaply. */
    private record Place(String topic, int partition, long offset) {}

    private final Map<Place, Entry> entries = new HashMap<>();
    private final Map<String, Integer> deadLetterCodes = new LinkedHashMap<>();
    private long sentCount;
    private long results;
    private long doubled;
    private long doubledEvents;
    private long events;
    private long deadLetters;
    private long settled;
    private long failed;

    /** Books a frame that Kafka has acknowledged. */
    @Override
    public synchronized void sent(FrameRef ref, SentFrame sent) {
        Entry e = entry(ref);
        if (e.sent != null) throw new IllegalStateException("frame " + ref + " was booked twice");
        e.sent = sent;
        sentCount++;
        if (e.results + e.deadLetters > 0) settled++;
    }

    /** Books a frame that could not be handed to Kafka: it was never on the line, so it is neither a frame nor lost. */
    @Override
    public synchronized void rejected() {
        failed++;
    }

    /** Books a result. */
    public synchronized void result(InspectionResult result, long arrivedMicros) {
        Entry e = entry(result.getFrameRef());
        results++;
        if (e.results + e.deadLetters > 0) doubled++;
        else if (e.sent != null) settled++;
        e.results++;
        if (e.result == null) {
            e.result = result;
            e.arrivedMicros = arrivedMicros;
        }
    }

    /** Books a dead letter. */
    public synchronized void deadLetter(FrameRef ref, String code) {
        Entry e = entry(ref);
        deadLetters++;
        deadLetterCodes.merge(code, 1, Integer::sum);
        if (e.results + e.deadLetters > 0) doubled++;
        else if (e.sent != null) settled++;
        e.deadLetters++;
    }

    /** Books an anomaly event. */
    public synchronized void anomaly(FrameRef ref) {
        Entry e = entry(ref);
        events++;
        if (e.events++ > 0) doubledEvents++;
    }

    /**
     * Waits while answers keep coming, then a little longer: what came twice would come now.
     *
     * @param patience how long no answer may come before the rest is given up
     * @param going whether there is any sense in waiting
     */
    public void awaitAnswers(Duration patience, BooleanSupplier going) throws InterruptedException {
        long open = open();
        long moved = System.nanoTime();
        while (open > 0 && System.nanoTime() - moved < patience.toNanos() && going.getAsBoolean()) {
            Thread.sleep(50);
            long now = open();
            if (now != open) {
                open = now;
                moved = System.nanoTime();
            }
        }
        Thread.sleep(1500);
    }

    /** What the sender knew of a frame; empty for one that is not booked (yet). */
    public synchronized Optional<SentFrame> truth(FrameRef ref) {
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

    /** Results read, doubles included. */
    public synchronized long results() {
        return results;
    }

    /** Dead letters read, doubles included. */
    public synchronized long deadLetters() {
        return deadLetters;
    }

    /** Dead letters by reason code. */
    public synchronized Map<String, Integer> deadLetterCodes() {
        return new LinkedHashMap<>(deadLetterCodes);
    }

    /** Anomaly events read. */
    public synchronized long anomalies() {
        return events;
    }

    /** Results, dead letters and anomaly events beyond the first of a frame. */
    public synchronized long doubled() {
        return doubled + doubledEvents;
    }

    /** Frames without a result or a dead letter so far. */
    public synchronized long open() {
        return sentCount - settled;
    }

    /** Frames Kafka did not take. */
    public synchronized long refusedCount() {
        return failed;
    }

    /** Every booked frame that has a result. */
    public synchronized List<Outcome> outcomes() {
        List<Outcome> out = new ArrayList<>();
        for (Entry e : entries.values()) {
            if (e.sent == null || e.result == null) continue;
            long captured = e.result.getCapturedAt().getEpochSecond() * 1_000_000L
                    + e.result.getCapturedAt().getNano() / 1000;
            out.add(new Outcome(e.sent, e.result, e.arrivedMicros - captured));
        }
        return out;
    }
}
