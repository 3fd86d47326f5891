package io.linesight.streams.support;

import io.linesight.mmad.score.Scorer;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.GuardLimits;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.routing.FrameRouter;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.routing.RolloutGuard;
import io.linesight.streams.routing.ShadowEvents;
import io.linesight.streams.routing.ShadowLane;
import io.linesight.streams.routing.Verdicts;
import io.linesight.streams.serving.ServingModel;
import io.linesight.streams.serving.ServingPlan;
import java.time.Duration;
import java.util.function.Supplier;

/** One model for the life of a test that is not about rollouts. */
public final class FixedModel {

    private FixedModel() {}

    /** Lends the scorer to every batch; the caller closes it. */
    public static ServingModel of(Scorer scorer) {
        ServingModel.Lease lease = new ServingModel.Lease() {
            @Override
            public Scorer scorer() {
                return scorer;
            }

            @Override
            public void close() {}
        };
        return () -> lease;
    }

    /** Has the batcher's model decide every frame. */
    public static FrameRouter router(SharedBatcher batcher, String version) {
        Supplier<ServingPlan> plan = () -> new ServingPlan(null, version, null);
        GuardLimits limits = new GuardLimits(200, 50, 0.1, 0.1, 2, 0.2, Duration.ZERO);
        RolloutGuard guard = new RolloutGuard(plan, limits, (revision, v, reason) -> false);
        ShadowLane shadow = new ShadowLane(
                batcher,
                batcher::queued,
                1,
                1,
                new Verdicts(DecisionRules.fixed(null, null)),
                difference -> {},
                guard,
                ShadowEvents.NONE);
        // Ends its thread: without a challenger nothing is ever offered to it.
        shadow.close();
        ModelControl fixed = ModelControl.fixed();
        return FrameRouter.of(batcher, batcher, plan, fixed.canary(), fixed.shadow(), guard, shadow);
    }
}
