package io.linesight.streams.alert;

import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.InspectionResult;
import io.linesight.streams.alert.CameraState.LiveAlert;
import io.linesight.streams.alert.CameraState.Seen;
import io.linesight.streams.drift.DriftMonitor;
import io.linesight.streams.drift.DriftReport;
import io.linesight.streams.drift.Sample;
import io.linesight.streams.drift.Shift;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What windows of frames that have drifted do to the alerts of their camera: one alert for a camera and product. */
final class DriftRules {

    /** In the details: what has drifted, with commas. */
    static final String MOVED = "moved";
    /** Behind a measure's name in the details: quantiles at 1, 10, 50, 90 and 99 %, with spaces. */
    static final String BEFORE = ".before";

    static final String NOW = ".now";
    private static final String NORMALS = "score-of-normals";
    private static final MathContext DIGITS = new MathContext(4);

    private final DriftMonitor monitor;
    private final AlertPolicies policies;

    DriftRules(DriftMonitor monitor, AlertPolicies policies) {
        this.monitor = monitor;
        this.policies = policies;
    }

    /** @param judged whether the frame has a score that counts */
    void apply(Turn turn, InspectionResult r, Seen seen, String product, boolean judged) {
        FrameQuality q = r.getQuality();
        Sample sample = new Sample(
                seen.capturedAt(),
                r.getModelVersion(),
                judged ? r.getRawScore() : Float.NaN,
                q == null ? Float.NaN : q.getBrightness(),
                q == null ? Float.NaN : q.getContrast(),
                q == null ? Float.NaN : q.getSharpness());
        monitor.add(turn.drift, key(turn.state.camera, product), r.getProduct(), sample)
                .ifPresent(report -> judge(turn, r, seen, product, report));
    }

    /** No two cameras and products have the same. */
    private static String key(String camera, String product) {
        return camera.length() + ":" + camera + product;
    }

    /** What a product usually looks like at the camera begins anew. */
    static void forget(Turn turn, String product) {
        DriftMonitor.forget(turn.drift, key(turn.state.camera, product));
    }

    private void judge(Turn turn, InspectionResult r, Seen seen, String product, DriftReport report) {
        LiveAlert alert = turn.find(AlertKind.DRIFT, Conditions.SHIFTED, FrameRules.named(product));
        if (alert == null && !report.drifted()) return;
        long at = AlertRecords.micros(r.getScoredAt());
        if (alert == null) {
            open(turn, r, seen, product, report, at);
            return;
        }
        alert.frames += report.frames();
        alert.model = r.getModelVersion();
        if (report.drifted() && report.frames() > 0) {
            alert.anomalous += report.frames();
            alert.last = seen;
            alert.lastAt = at;
            describe(alert, report);
            alert.newerCounts = true;
        }
        AlertPolicy policy = policies.of(turn.state.camera, r.getProduct());
        if (alert.active && !report.drifted()) turn.clear(alert, policy.latched(), at);
        else if (!alert.active && report.drifted()) turn.reopen(alert, at);
    }

    private void open(Turn turn, InspectionResult r, Seen seen, String product, DriftReport report, long at) {
        LiveAlert a = new LiveAlert();
        a.kind = AlertKind.DRIFT;
        a.condition = Conditions.SHIFTED;
        a.product = FrameRules.named(product);
        a.severity = AlertSeverity.MEDIUM;
        a.first = seen;
        a.last = seen;
        a.anomalous = report.frames();
        a.frames = report.frames();
        a.attributes = new TreeMap<>(r.getAttributes());
        a.model = r.getModelVersion();
        a.policyRevision = policies.of(turn.state.camera, r.getProduct()).revision();
        describe(a, report);
        turn.open(a, seen, at);
    }

    private static void describe(LiveAlert a, DriftReport report) {
        Map<String, String> details = a.details;
        details.clear();
        details.put(MOVED, named(report.shifts(), Shift::drifted));
        String tails = named(report.shifts(), Shift::tailOnly);
        if (!tails.isEmpty()) details.put("tailOnly", tails);
        details.put("window.from", AlertRecords.instant(report.from()).toString());
        details.put("window.to", AlertRecords.instant(report.to()).toString());
        details.put("window.frames", "" + report.frames());
        for (Shift s : report.shifts()) {
            details.put(name(s) + ".effect", text(s.effect()));
            details.put(name(s) + ".windows", "" + s.windows());
            details.put(name(s) + BEFORE, text(s.before()));
            details.put(name(s) + NOW, text(s.now()));
        }
    }

    private static String named(List<Shift> shifts, Predicate<Shift> which) {
        return shifts.stream().filter(which).map(DriftRules::name).collect(Collectors.joining(","));
    }

    private static String name(Shift s) {
        return s.normals() ? NORMALS : s.measure().word();
    }

    private static String text(List<Double> quantiles) {
        return quantiles.stream().map(DriftRules::text).collect(Collectors.joining(" "));
    }

    private static String text(double value) {
        if (!Double.isFinite(value)) return "" + value;
        BigDecimal rounded = new BigDecimal(value).round(DIGITS).stripTrailingZeros();
        double size = Math.abs(value);
        return size == 0 || size >= 1e-4 && size < 1e7 ? rounded.toPlainString() : rounded.toString();
    }

    /** One sentence for people. */
    static String message(String camera, LiveAlert a) {
        String of = a.product == null ? "" : " of " + a.product;
        if (!a.active) return camera + ": frames" + of + " are as they were before.";
        String moved = a.details.getOrDefault(MOVED, "");
        String what = List.of(moved.split(",")).stream()
                .map(name -> sentence(name, a.details))
                .collect(Collectors.joining("; "));
        return camera + ": frames" + of + " are no longer as they were: " + what + ".";
    }

    private static String sentence(String name, Map<String, String> details) {
        String before = median(details.get(name + BEFORE));
        String now = median(details.get(name + NOW));
        return name.equals(NORMALS)
                ? "scores of all frames differ from those of the checkpoint's normal images (median " + now + ", there "
                        + before + ")"
                : (name.equals("score") ? "scores of all frames" : name) + " (median " + now + ", on the first day "
                        + before + ")";
    }

    private static String median(@Nullable String quantiles) {
        String[] parts = quantiles == null ? new String[0] : quantiles.split(" ");
        return parts.length == 5 ? parts[2] : "?";
    }
}
