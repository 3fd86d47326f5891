package io.linesight.streams.routing;

import io.linesight.schemas.RolloutAction;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.config.GuardLimits;
import io.linesight.streams.serving.ServingPlan;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the model that is new, a challenger or a champion on probation, against the one before it, and has it taken
 * out of service when it is worse than the limits allow.
 *
 * <p>What is compared. In SHADOW both models judge the same frames. In CANARY and on probation the frames differ, so
 * the share of anomalous ones is compared with what the other model used to find at the same camera and product; where
 * it has seen too little there, with its share over all. Inference times are compared in batches of like size. Failures
 * and NaN are compared as overall rates.
 *
 * <p>A decision is judged once: after it tripped nothing more happens until the next decision, and then the figures
 * start from nothing. While a decision is pinned, nothing is changed by itself: the guard only warns. Rates of a
 * previous champion are in memory only; an instance that was restarted has nothing to compare a champion with and does
 * not put it on probation.
 *
 * <p>Thread-safe.
 */
public final class RolloutGuard {

    /** Takes a model out of service; see {@code ModelLifecycle.distrust}. */
    @FunctionalInterface
    public interface Brake {
        boolean distrust(long revision, String version, String reason);
    }

    private static final Logger LOG = LoggerFactory.getLogger(RolloutGuard.class);
    /** Sorting latencies for every frame would cost more than it tells. */
    private static final int LATENCY_EVERY = 16;

    private final Supplier<ServingPlan> plan;
    private final GuardLimits limits;
    private final Brake brake;
    private final Supplier<Long> nanoTime;

    private ServingPlan seen = new ServingPlan(null, null, null);
    private Rates champion;
    private @Nullable Rates previous;
    private @Nullable String previousVersion;
    private long promotedAt;
    private @Nullable String watched;
    private @Nullable Rates watch;
    private boolean tripped;
    private int sinceLatency;

    /** @param plan what the instance does now */
    public RolloutGuard(Supplier<ServingPlan> plan, GuardLimits limits, Brake brake) {
        this(plan, limits, brake, System::nanoTime);
    }

    RolloutGuard(Supplier<ServingPlan> plan, GuardLimits limits, Brake brake, Supplier<Long> nanoTime) {
        this.plan = Objects.requireNonNull(plan, "plan");
        this.limits = Objects.requireNonNull(limits, "limits");
        this.brake = Objects.requireNonNull(brake, "brake");
        this.nanoTime = nanoTime;
        this.champion = new Rates(limits.window());
    }

    private record Verdict(long revision, String version, String reason, boolean pinned) {}

    /** A frame has been decided. */
    void decided(String camera, @Nullable String product, Inference inference, Verdicts.Decision decision) {
        Verdict verdict;
        synchronized (this) {
            adoptPlan();
            String version = inference.model().version();
            String place = camera + '\n' + product;
            int outcome = outcome(inference, decision);
            if (version.equals(seen.champion())) {
                champion.add(outcome, place, Double.NaN);
                champion.latencies.add(inference.batchSize(), inference.nanosPerFrame());
                if (!version.equals(watched)) return;
                verdict = judge(
                        outcome,
                        place,
                        previous.anomalousAt(place, limits.minimum()),
                        inference,
                        previous,
                        previousVersion);
            } else if (version.equals(watched) && seen.canary()) {
                verdict = judge(
                        outcome,
                        place,
                        champion.anomalousAt(place, limits.minimum()),
                        inference,
                        champion,
                        seen.champion());
            } else {
                return;
            }
        }
        apply(verdict);
    }

    /** A challenger has judged a frame that the champion decided. */
    void compared(
            String camera,
            @Nullable String product,
            boolean championAnomalous,
            Inference challenger,
            Verdicts.Decision decision) {
        Verdict verdict;
        synchronized (this) {
            adoptPlan();
            if (!challenger.model().version().equals(watched) || !seen.shadow()) return;
            verdict = judge(
                    outcome(challenger, decision),
                    camera + '\n' + product,
                    championAnomalous ? 1 : 0,
                    challenger,
                    champion,
                    seen.champion());
        }
        apply(verdict);
    }

    private static int outcome(Inference inference, Verdicts.Decision decision) {
        if (inference.failed()) return Rates.FAILED;
        if (Double.isNaN(decision.score())) return Rates.NAN;
        return decision.anomalous() ? Rates.ANOMALOUS : 0;
    }

    /** Adopts a new plan: whom to watch, against whom. */
    private void adoptPlan() {
        ServingPlan now = plan.get();
        if (now == seen) {
            if (watched != null
                    && watched.equals(seen.champion())
                    && nanoTime.get() - promotedAt > limits.probation().toNanos()) endProbation();
            return;
        }
        boolean newChampion = !Objects.equals(now.champion(), seen.champion());
        boolean sameWatch = !newChampion
                && now.revision() == seen.revision()
                && Objects.equals(now.challenger(), seen.challenger());
        if (newChampion) {
            previous = champion.frames() >= limits.minimum() ? champion : null;
            previousVersion = seen.champion();
            champion = new Rates(limits.window());
            promotedAt = nanoTime.get();
        }
        seen = now;
        if (sameWatch) return;
        // Where the previous champion has stepped in for one that tripped, there is nothing to watch: it is what we
        // trust.
        boolean promoted = previous != null
                && now.rollout() != null
                && now.rollout().getAction() == RolloutAction.PROMOTE
                && now.champion().equals(now.rollout().getChampion())
                && !limits.probation().isZero()
                && nanoTime.get() - promotedAt <= limits.probation().toNanos();
        watched = now.challenger() != null ? now.challenger() : promoted ? now.champion() : null;
        watch = new Rates(limits.window());
        tripped = false;
        sinceLatency = 0;
    }

    private void endProbation() {
        LOG.info("Champion {} has passed its probation against {}", watched, previousVersion);
        watched = null;
        previous = null;
    }

    private @Nullable Verdict judge(
            int outcome, String place, double expected, Inference inference, Rates against, String againstVersion) {
        boolean judged = (outcome & (Rates.FAILED | Rates.NAN)) == 0;
        watch.add(outcome, place, judged ? expected : Double.NaN);
        watch.latencies.add(inference.batchSize(), inference.nanosPerFrame());
        if (tripped || watch.frames() < limits.minimum()) return null;
        String reason = exceededLimit(against, againstVersion);
        if (reason == null) return null;
        tripped = true;
        return new Verdict(seen.revision(), watched, reason, seen.rollout().getPinned());
    }

    private @Nullable String exceededLimit(Rates against, String againstVersion) {
        double failed = watch.share(Rates.FAILED);
        double nan = watch.share(Rates.NAN);
        if (failed - against.share(Rates.FAILED) > limits.errorRate())
            return rates("inference fails on", failed, against.share(Rates.FAILED), againstVersion, limits.errorRate());
        if (nan - against.share(Rates.NAN) > limits.nanRate())
            return rates("it returns NaN for", nan, against.share(Rates.NAN), againstVersion, limits.nanRate());
        double expected = watch.expectedAnomalous();
        double anomalous = watch.share(Rates.ANOMALOUS);
        if (watch.expectations() >= limits.minimum() && anomalous - expected > limits.anomalyJump()) {
            return rates("it calls anomalous", anomalous, expected, againstVersion, limits.anomalyJump());
        }
        if (limits.latencyRatio() > 0 && ++sinceLatency >= LATENCY_EVERY) {
            sinceLatency = 0;
            double ratio = watch.latencies.ratioTo(against.latencies);
            if (ratio > limits.latencyRatio()) {
                return String.format(
                        Locale.ROOT,
                        "guard: its p95 inference time per frame is %.1f times that of %s; the limit is %.1f",
                        ratio,
                        againstVersion,
                        limits.latencyRatio());
            }
        }
        return null;
    }

    private String rates(String what, double rate, double other, String against, double limit) {
        return String.format(
                Locale.ROOT,
                "guard: %s %.1f %% of the last %d frames, %s on %.1f %%; at most %.1f points more are allowed",
                what,
                100 * rate,
                watch.frames(),
                against,
                100 * other,
                100 * limit);
    }

    /** Outside the lock: the brake has one of its own. */
    private void apply(@Nullable Verdict verdict) {
        if (verdict == null) return;
        if (verdict.pinned) {
            LOG.warn(
                    "Model {} would be taken out of service, but the decision is pinned: {}",
                    verdict.version,
                    verdict.reason);
            return;
        }
        brake.distrust(verdict.revision, verdict.version, verdict.reason);
    }
}
