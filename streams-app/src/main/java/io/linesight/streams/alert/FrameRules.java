package io.linesight.streams.alert;

import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Verdict;
import io.linesight.streams.alert.CameraState.Candidate;
import io.linesight.streams.alert.CameraState.LiveAlert;
import io.linesight.streams.alert.CameraState.Position;
import io.linesight.streams.alert.CameraState.ProductState;
import io.linesight.streams.alert.CameraState.Run;
import io.linesight.streams.alert.CameraState.Seen;
import io.linesight.streams.config.AlertSettings;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What an inspected frame does to the alerts of its camera. */
final class FrameRules {

    /** Products beyond the limit share an alert. */
    static final String OTHER_PRODUCTS = "*";

    private static final float DECISION_POINT = 0.5f;
    /** Partitions that one camera's frames may come from; a camera has one, as long as the topic keeps its number. */
    private static final int POSITIONS = 16;
    /** Products that were not seen for this long give their place to others. */
    private static final long IDLE_PRODUCT_MICROS = 3_600_000_000L;
    /** Frames until the usual sharpness is known, and over which it is a mean. */
    private static final int SHARPNESS_WARMUP = 100;

    private static final int SHARPNESS_MEMORY = 500;
    private static final double INTERVAL_WEIGHT = 0.1;

    private final AlertSettings limits;
    private final AlertPolicies policies;
    private final DriftRules drift;

    FrameRules(AlertSettings limits, AlertPolicies policies, DriftRules drift) {
        this.limits = limits;
        this.policies = policies;
        this.drift = drift;
    }

    /** @return false for a result that was read before */
    boolean apply(Turn turn, InspectionResult result) {
        CameraState state = turn.state;
        if (!advance(state, result)) return false;
        state.line = result.getLineId();
        Seen seen = seen(result);
        long at = AlertRecords.micros(result.getScoredAt());
        AlertPolicy ofCamera = policies.of(state.camera, null);
        watchInterval(turn, ofCamera);
        endSilence(turn, ofCamera, at);
        state.seenAt = turn.now;
        state.frames++;
        state.last = seen;
        String product = productKey(turn, result.getProduct());
        ProductState here = state.products.computeIfAbsent(product, p -> new ProductState());
        here.seenAt = turn.now;
        FrameQuality quality = result.getQuality();
        boolean usable =
                quality == null || judgeImage(new Image(turn, result, seen, ofCamera, at), quality, product, here);
        if (isJudged(result)) judgeScore(turn, result, seen, product, here, at);
        // What a camera sees in maintenance or without light is not what its products look like.
        if (usable && state.maintenance == null && !product.equals(OTHER_PRODUCTS))
            drift.apply(turn, result, seen, product, isJudged(result));
        return true;
    }

    /**
     * Results are in order per partition of frames. One that is not behind the last was read before, unless the topic
     * of frames was made again: then the camera took it later.
     */
    private static boolean advance(CameraState state, InspectionResult result) {
        String partition =
                result.getFrameRef().getTopic() + "-" + result.getFrameRef().getPartition();
        Position before = state.positions.get(partition);
        Position here = new Position(result.getFrameRef().getOffset(), AlertRecords.micros(result.getCapturedAt()));
        if (before != null && here.offset() <= before.offset() && here.capturedAt() <= before.capturedAt())
            return false;
        state.positions.remove(partition);
        state.positions.put(partition, here);
        if (state.positions.size() > POSITIONS) {
            Iterator<String> oldest = state.positions.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
        return true;
    }

    private static Seen seen(InspectionResult r) {
        return new Seen(
                r.getResultId(),
                r.getFrameRef().getTopic(),
                r.getFrameRef().getPartition(),
                r.getFrameRef().getOffset(),
                r.getFrameId(),
                AlertRecords.micros(r.getCapturedAt()),
                r.getScore(),
                r.getRawScore(),
                r.getThreshold());
    }

    /** One pause moves the usual interval little: it may at most double or halve what a single gap says. */
    private static void watchInterval(Turn turn, AlertPolicy policy) {
        CameraState state = turn.state;
        if (state.seenAt == 0 || turn.now <= state.seenAt) return;
        double gap = turn.now - state.seenAt;
        if (state.interval == 0) {
            state.interval = Math.min(gap, micros(policy.silent()));
            return;
        }
        double bounded = Math.max(state.interval / 2, Math.min(state.interval * 2, gap));
        state.interval += INTERVAL_WEIGHT * (bounded - state.interval);
    }

    private static void endSilence(Turn turn, AlertPolicy policy, long at) {
        LiveAlert silent = turn.find(AlertKind.CAMERA, Conditions.SILENT, null);
        if (silent != null && silent.active) turn.clear(silent, policy.latched(), at);
    }

    private static long micros(java.time.Duration time) {
        return time.toNanos() / 1_000;
    }

    /** Empty for frames without a product; one for all beyond the limit. */
    private String productKey(Turn turn, @Nullable String product) {
        String key = key(product);
        Map<String, ProductState> products = turn.state.products;
        if (products.containsKey(key) || products.size() < limits.maxProducts()) return key;
        String idle = null;
        for (Map.Entry<String, ProductState> p : products.entrySet()) {
            if (alertsOf(turn, p.getKey()).isEmpty() && turn.now - p.getValue().seenAt > IDLE_PRODUCT_MICROS)
                idle = p.getKey();
        }
        if (idle == null) return OTHER_PRODUCTS;
        products.remove(idle);
        DriftRules.forget(turn, idle);
        return key;
    }

    /** Alerts about a product that are not closed. */
    static List<LiveAlert> alertsOf(Turn turn, String productKey) {
        return Stream.of(
                        turn.find(AlertKind.DEFECT, Conditions.ANOMALOUS, named(productKey)),
                        turn.find(AlertKind.DRIFT, Conditions.SHIFTED, named(productKey)))
                .filter(Objects::nonNull)
                .toList();
    }

    /** The opposite of {@link #named}. */
    static String key(@Nullable String product) {
        return product == null ? "" : product;
    }

    static @Nullable String named(String productKey) {
        return productKey.isEmpty() ? null : productKey;
    }

    private static boolean isJudged(InspectionResult r) {
        return Float.isFinite(r.getScore())
                && (r.getVerdict() == Verdict.PASS
                        || r.getVerdict() == Verdict.REVIEW
                        || r.getVerdict() == Verdict.FAIL);
    }

    private void judgeScore(Turn turn, InspectionResult r, Seen seen, String product, ProductState here, long at) {
        AlertPolicy policy = policies.of(turn.state.camera, r.getProduct());
        here.frames++;
        boolean anomalous = r.getScore() >= DECISION_POINT;
        AlertSeverity severity = anomalous ? severity(r, policy) : AlertSeverity.LOW;
        here.candidates.removeIf(c -> c.number() <= here.frames - policy.openWindow());
        LiveAlert alert = turn.find(AlertKind.DEFECT, Conditions.ANOMALOUS, named(product));
        if (alert != null) alert.frames++;
        if (anomalous && (alert == null || !alert.active))
            here.candidates.add(new Candidate(here.frames, at, seen, severity, new TreeMap<>(r.getAttributes())));
        if (alert == null) {
            if (here.candidates.size() >= policy.openCount()) open(turn, r, product, here, policy, at);
            return;
        }
        if (anomalous) count(turn, alert, r, seen, severity, at);
        else if (r.getScore() < policy.clearBelow()) alert.goodRun++;
        else alert.goodRun = 0;
        if (alert.active && alert.goodRun >= policy.clearCount()) {
            here.candidates.clear();
            turn.clear(alert, policy.latched(), at);
        } else if (!alert.active && here.candidates.size() >= policy.openCount()) {
            here.candidates.clear();
            turn.reopen(alert, at);
        }
    }

    private static AlertSeverity severity(InspectionResult r, AlertPolicy policy) {
        boolean large = policy.highArea() > 0
                && r.getRegions().stream().anyMatch(region -> region.getArea() >= policy.highArea());
        return large || r.getScore() >= policy.highScore() ? AlertSeverity.HIGH : AlertSeverity.MEDIUM;
    }

    private static void open(
            Turn turn, InspectionResult r, String product, ProductState here, AlertPolicy policy, long at) {
        LiveAlert a = new LiveAlert();
        a.kind = AlertKind.DEFECT;
        a.condition = Conditions.ANOMALOUS;
        a.product = named(product);
        Candidate first = here.candidates.get(0);
        a.first = first.frame();
        a.attributes = first.attributes();
        for (Candidate c : here.candidates) {
            if (a.worst == null || c.frame().score() > a.worst.score()) a.worst = c.frame();
            if (c.severity().compareTo(a.severity) > 0) a.severity = c.severity();
            a.last = c.frame();
        }
        a.anomalous = here.candidates.size();
        a.frames = here.frames - first.number() + 1;
        a.model = r.getModelVersion();
        a.policyRevision = policy.revision();
        here.candidates.clear();
        turn.open(a, seen(r), at);
    }

    private static void count(Turn turn, LiveAlert a, InspectionResult r, Seen seen, AlertSeverity severity, long at) {
        a.anomalous++;
        a.goodRun = 0;
        a.last = seen;
        a.lastAt = at;
        a.model = r.getModelVersion();
        a.newerCounts = true;
        if (a.worst == null || seen.score() > a.worst.score()) a.worst = seen;
        if (severity.compareTo(a.severity) <= 0) return;
        a.severity = severity;
        if (!a.active) return;
        // What somebody acknowledged was less.
        a.acknowledged = false;
        a.acknowledgedBy = "";
        a.notifiedAt = turn.now;
        turn.tell(a, AlertChange.ESCALATED, at, Turn.Author.PROGRAM);
    }

    /** An image to judge. */
    private record Image(Turn turn, InspectionResult result, Seen seen, AlertPolicy policy, long at) {}

    /** @return whether the image shows what is in front of the camera */
    private boolean judgeImage(Image image, FrameQuality q, String product, ProductState here) {
        CameraState state = image.turn.state;
        AlertPolicy policy = image.policy;
        boolean same = state.pixels != null && state.pixels == q.getPixels();
        state.samePixels = same ? state.samePixels + 1 : 1;
        state.pixels = q.getPixels();
        boolean frozen = policy.frozenFrames() > 0 && state.samePixels >= Math.max(2, policy.frozenFrames());
        observe(image, Conditions.FROZEN, frozen, 1, AlertSeverity.HIGH, Map.of("sameImages", "" + state.samePixels));
        boolean black = q.getDarkShare() >= policy.blackShare();
        observe(
                image,
                Conditions.BLACK,
                black,
                policy.imageFrames(),
                AlertSeverity.HIGH,
                Map.of("darkShare", "" + q.getDarkShare(), "brightness", "" + q.getBrightness()));
        boolean bright = q.getBrightShare() >= policy.overexposedShare();
        observe(
                image,
                Conditions.OVEREXPOSED,
                bright,
                policy.imageFrames(),
                AlertSeverity.MEDIUM,
                Map.of("brightShare", "" + q.getBrightShare(), "brightness", "" + q.getBrightness()));
        if (black || bright || frozen) return false;
        if (!product.equals(OTHER_PRODUCTS)) judgeSharpness(image, q, here);
        return true;
    }

    private void judgeSharpness(Image image, FrameQuality q, ProductState here) {
        AlertPolicy policy = image.policy;
        boolean known = here.sharpnessFrames >= SHARPNESS_WARMUP;
        boolean blurred = known && policy.blurRatio() > 0 && q.getSharpness() < policy.blurRatio() * here.sharpness;
        observe(
                image,
                Conditions.BLURRED,
                blurred,
                policy.imageFrames(),
                AlertSeverity.MEDIUM,
                Map.of("sharpness", "" + q.getSharpness(), "usualSharpness", "" + (float) here.sharpness));
        if (blurred || !Float.isFinite(q.getSharpness())) return;
        here.sharpnessFrames++;
        here.sharpness += (q.getSharpness() - here.sharpness) / Math.min(here.sharpnessFrames, SHARPNESS_MEMORY);
    }

    private void observe(
            Image image, String condition, boolean bad, int needed, AlertSeverity severity, Map<String, String> facts) {
        Turn turn = image.turn;
        LiveAlert alert = turn.find(AlertKind.CAMERA, condition, null);
        if (!bad && alert == null) {
            turn.state.runs.remove(condition);
            return;
        }
        Run run = turn.state.runs.computeIfAbsent(condition, c -> new Run());
        run.bad = bad ? run.bad + 1 : 0;
        run.good = bad ? 0 : run.good + 1;
        if (!bad) run.first = null;
        else if (run.first == null) run.first = image.seen;
        if (alert == null) {
            if (run.bad >= needed) openImage(image, condition, run, severity, facts);
            return;
        }
        alert.frames++;
        if (bad) {
            alert.anomalous++;
            alert.last = image.seen;
            alert.lastAt = image.at;
            alert.details.putAll(facts);
            alert.newerCounts = true;
        }
        if (alert.active && run.good >= image.policy.imageFrames()) turn.clear(alert, image.policy.latched(), image.at);
        else if (!alert.active && run.bad >= needed) turn.reopen(alert, image.at);
    }

    private static void openImage(
            Image image, String condition, Run run, AlertSeverity severity, Map<String, String> facts) {
        LiveAlert a = new LiveAlert();
        a.kind = AlertKind.CAMERA;
        a.condition = condition;
        a.severity = severity;
        a.first = run.first;
        a.last = image.seen;
        a.anomalous = run.bad;
        a.frames = run.bad;
        a.attributes = new TreeMap<>(image.result.getAttributes());
        a.model = image.result.getModelVersion();
        a.policyRevision = image.policy.revision();
        a.details.putAll(facts);
        image.turn.open(a, image.seen, image.at);
    }
}
