package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.streams.config.AlertSettings;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.drift.NormalScores;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A camera whose alerts are followed event by event. Its state is bytes between events, as in the store. */
final class Play {
    static final String CAMERA = "cam-1";
    private static final Instant BEGIN = Instant.parse("2026-03-01T06:00:00Z");

    private final AlertRules rules;
    /** What is kept of distributions. */
    final MapStore drift = new MapStore();

    private Map<String, byte[]> committedDrift = Map.of();
    byte[] state;
    Instant now = BEGIN;
    private Instant quietSince = BEGIN.minusSeconds(3_600);
    private long offset;
    private int actions;
    private long pixels;
    boolean known;
    boolean forgotten;
    final List<Alert> all = new ArrayList<>();
    /** All that happened since the last commit. */
    private final List<Happened> log = new ArrayList<>();

    private byte[] committed;
    private int written;

    Play(String... settings) {
        this(settings(settings), null);
    }

    Play(AlertSettings settings, @Nullable AlertPolicies policies) {
        this(settings, policies, CAMERA);
    }

    /** @param camera {@link CameraState#NO_CAMERA} for the alerts about models */
    Play(AlertSettings settings, @Nullable AlertPolicies policies, String camera) {
        rules = new AlertRules(
                settings, policies == null ? (c, p) -> AlertPolicy.of(settings) : policies, NormalScores.UNKNOWN);
        CameraState fresh = new CameraState();
        fresh.camera = camera;
        state = StateCodec.write(fresh);
        committed = state;
    }

    /** State and records are there for good. */
    void commit() {
        committed = state;
        committedDrift = drift.copy();
        written = all.size();
        log.clear();
    }

    /** State and records since the last commit are gone, and what happened since comes again. */
    void kill() {
        List<Happened> again = List.copyOf(log);
        Instant before = now;
        log.clear();
        state = committed;
        drift.restore(committedDrift);
        all.subList(written, all.size()).clear();
        for (Happened h : again) {
            now = h.at();
            apply(h.event());
        }
        now = before;
    }

    static AlertSettings settings(String... more) {
        Map<String, String> settings =
                new HashMap<>(Map.of("bootstrap.servers", "b:9092", "schema.registry.url", "http://r:8081"));
        for (int i = 0; i < more.length; i += 2) settings.put("linesight.alerts." + more[i], more[i + 1]);
        return InspectionConfig.of(settings).alerts();
    }

    /** An event and when it happened. */
    record Happened(AlertEvent event, Instant at) {}

    List<Alert> apply(AlertEvent event) {
        log.add(new Happened(event, now));
        CameraState s = StateCodec.read(state);
        AlertRules.Outcome outcome = rules.apply(s, drift, event, AlertRecords.micros(now));
        state = StateCodec.write(s);
        known = outcome.known();
        forgotten = outcome.forgotten();
        all.addAll(outcome.alerts());
        return outcome.alerts();
    }

    List<Alert> frame(double score) {
        return frame(null, score);
    }

    List<Alert> frame(@Nullable String product, double score) {
        return frame(result(product, score).build());
    }

    List<Alert> frame(InspectionResult result) {
        now = now.plusMillis(500);
        return apply(new AlertEvent.Frame(result));
    }

    List<Alert> frames(int count, double score) {
        List<Alert> out = new ArrayList<>();
        for (int i = 0; i < count; i++) out.addAll(frame(score));
        return out;
    }

    InspectionResult.Builder result(@Nullable String product, double score) {
        long at = offset++;
        return result(CAMERA, product, at, (float) score, now);
    }

    /** An image that differs from the one before. */
    InspectionResult image(double dark, double bright, double sharpness) {
        return image(dark, bright, sharpness, ++pixels);
    }

    InspectionResult image(double dark, double bright, double sharpness, long ofPixels) {
        return result(null, 0.1)
                .setQuality(new FrameQuality(0.5f, 0.1f, (float) sharpness, (float) dark, (float) bright, ofPixels))
                .build();
    }

    static InspectionResult.Builder result(
            String camera, @Nullable String product, long offset, float score, Instant at) {
        return InspectionResult.newBuilder()
                .setResultId("frames-0-" + offset)
                .setFrameRef(new FrameRef("frames", 0, offset))
                .setFrameId(camera + "-" + offset)
                .setCameraId(camera)
                .setLineId("line")
                .setProduct(product)
                .setScore(score)
                .setRawScore(score * 10)
                .setThreshold(5)
                .setVerdict(score >= 0.5 ? Verdict.FAIL : Verdict.PASS)
                .setModelVersion("m1")
                .setCapturedAt(at)
                .setScoredAt(at.plusMillis(40))
                .setTimings(new StageTimings(0L, 0L, 0L, 1))
                .setRegions(List.of());
    }

    List<Alert> after(Duration time) {
        now = now.plus(time);
        return apply(new AlertEvent.Tick(AlertRecords.micros(quietSince)));
    }

    /** As {@link #after}, right after a start or a jump of the clock. */
    List<Alert> afterStart(Duration time) {
        now = now.plus(time);
        quietSince = now;
        return apply(new AlertEvent.Tick(AlertRecords.micros(quietSince)));
    }

    AlertAction.Builder action(AlertActionKind kind, @Nullable String alertId) {
        return AlertAction.newBuilder()
                .setActionId("a" + ++actions)
                .setCameraId(CAMERA)
                .setAlertId(alertId)
                .setAction(kind)
                .setBy("eva")
                .setAt(now);
    }

    List<Alert> act(AlertActionKind kind, String alertId) {
        return act(action(kind, alertId).build());
    }

    List<Alert> act(AlertAction action) {
        return apply(new AlertEvent.Action(action));
    }

    Alert last() {
        return all.get(all.size() - 1);
    }
}
