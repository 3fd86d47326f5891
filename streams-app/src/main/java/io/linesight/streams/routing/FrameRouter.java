package io.linesight.streams.routing;

import io.linesight.mmad.view.ViewLayouts;
import io.linesight.schemas.FrameRef;
import io.linesight.streams.batching.FrameViews;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.serving.ServingPlan;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which model decides a frame. Thread-safe; owns nothing. */
public final class FrameRouter {

    private static final Logger LOG = LoggerFactory.getLogger(FrameRouter.class);

    /** Who decides a frame. */
    public enum Route {
        CHAMPION,
        CHALLENGER
    }

    private final SharedBatcher champion;
    private final SharedBatcher challenger;
    private final Supplier<ServingPlan> plan;
    private final FrameSelector canary;
    private final FrameSelector sampled;
    private final RolloutGuard guard;
    private final ShadowLane shadow;
    private final AtomicBoolean selectorLogged = new AtomicBoolean();
    private final AtomicBoolean guardLogged = new AtomicBoolean();

    private FrameRouter(
            SharedBatcher champion,
            SharedBatcher challenger,
            Supplier<ServingPlan> plan,
            FrameSelector canary,
            FrameSelector sampled,
            RolloutGuard guard,
            ShadowLane shadow) {
        this.champion = Objects.requireNonNull(champion, "champion");
        this.challenger = challenger;
        this.plan = plan;
        this.canary = canary;
        this.sampled = sampled;
        this.guard = guard;
        this.shadow = shadow;
    }

    /**
     * Routes by the plan in force.
     *
     * @param challenger scores with the challenger, and with the champion once there is none
     * @param canary which frames the challenger decides
     * @param sampled which frames it scores beside the champion
     */
    public static FrameRouter of(
            SharedBatcher champion,
            SharedBatcher challenger,
            Supplier<ServingPlan> plan,
            FrameSelector canary,
            FrameSelector sampled,
            RolloutGuard guard,
            ShadowLane shadow) {
        return new FrameRouter(
                champion,
                Objects.requireNonNull(challenger),
                Objects.requireNonNull(plan),
                Objects.requireNonNull(canary),
                Objects.requireNonNull(sampled),
                Objects.requireNonNull(guard),
                Objects.requireNonNull(shadow));
    }

    /** To be asked in the order of the frames, so that a camera changes its model at one place in its sequence. */
    public Route route(FrameRef source, String camera, @Nullable String product) {
        ServingPlan now = plan.get();
        return now.canary() && selects(canary, now, camera, product, source) ? Route.CHALLENGER : Route.CHAMPION;
    }

    /** A selector that fails must not cost a frame. */
    private boolean selects(
            FrameSelector selector, ServingPlan now, String camera, @Nullable String product, FrameRef source) {
        try {
            return selector.selects(now.rollout(), camera, product, source);
        } catch (RuntimeException e) {
            if (selectorLogged.compareAndSet(false, true))
                LOG.error("The choice of frames for revision {} failed; the champion decides them", now.revision(), e);
            return false;
        }
    }

    /** As {@link SharedBatcher#submit}, to the batcher of the route. */
    public CompletableFuture<Inference> submit(Route route, String camera, FrameViews views) {
        return (route == Route.CHALLENGER ? challenger : champion).submit(camera, views);
    }

    /** How the model of a route looks at frames now. */
    public ViewLayouts views(Route route) {
        return (route == Route.CHALLENGER ? challenger : champion).views();
    }

    /** A frame has been decided: guards count it, and a shadow may want it. Returns at once. */
    public void decided(
            FrameRef source,
            String camera,
            @Nullable String product,
            Inference inference,
            Verdicts.Decision decision,
            FrameViews views) {
        try {
            guard.decided(camera, product, inference, decision);
        } catch (RuntimeException e) {
            // The frame is decided; a fault of the guard must not make a dead letter of it.
            if (guardLogged.compareAndSet(false, true))
                LOG.error("The guard failed; models are not watched where it does", e);
        }
        ServingPlan now = plan.get();
        if (!now.shadow() || inference.failed() || !selects(sampled, now, camera, product, source)) return;
        shadow.offer(new ShadowLane.Sample(
                source, camera, product, inference.model().version(), now.challenger(), decision, views));
    }

    /** Inference time per frame, of the slower model while two decide. */
    public long frameNanos() {
        boolean both = plan.get().canary();
        return both ? Math.max(champion.frameNanos(), challenger.frameNanos()) : champion.frameNanos();
    }
}
