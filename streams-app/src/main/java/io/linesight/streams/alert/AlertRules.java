package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.streams.config.AlertSettings;
import io.linesight.streams.drift.DriftMonitor;
import io.linesight.streams.drift.DriftStore;
import io.linesight.streams.drift.NormalScores;
import java.util.List;

/**
 * What becomes of a camera's alerts when something happens: a function of state, event, policy and time, without
 * threads and clocks. The same events in the same order make the same alerts with the same ids.
 */
final class AlertRules {

    private final AlertSettings limits;
    private final FrameRules frames;
    private final ActionRules actions;
    private final TimeRules times;
    private final ModelRules models;

    AlertRules(AlertSettings limits, AlertPolicies policies, NormalScores normals) {
        this.limits = limits;
        frames = new FrameRules(limits, policies, new DriftRules(new DriftMonitor(limits.drift(), normals), policies));
        actions = new ActionRules(limits);
        times = new TimeRules(limits, policies);
        models = new ModelRules(limits, policies);
    }

    /**
     * What an event led to.
     *
     * @param alerts records to write, in order
     * @param known whether the event counted: false for a result or an action that was read before, and for models of
     *     which nothing is new
     * @param forgotten whether nothing of the camera needs to be remembered
     */
    record Outcome(List<Alert> alerts, boolean known, boolean forgotten) {}

    /**
     * Changes the state.
     *
     * @param drift what is kept of the camera's distributions; changed too
     * @param now microseconds since 1970
     */
    Outcome apply(CameraState state, DriftStore drift, AlertEvent event, long now) {
        Turn turn = new Turn(state, drift, limits.drift().suppressesDefects(), now);
        boolean counts = true;
        boolean forgotten = false;
        if (event instanceof AlertEvent.Frame frame) counts = frames.apply(turn, frame.result());
        else if (event instanceof AlertEvent.Action action) counts = actions.apply(turn, action.action());
        else if (event instanceof AlertEvent.Tick tick) forgotten = times.apply(turn, tick.quietSince());
        else if (event instanceof AlertEvent.Models seen) counts = models.apply(turn, seen);
        else if (event instanceof AlertEvent.Forget forget) forgotten = times.forget(turn, forget.why());
        if (forgotten) state.products.keySet().forEach(product -> DriftRules.forget(turn, product));
        if (counts && !forgotten) turn.updateSuppression();
        return new Outcome(turn.out(), counts, forgotten);
    }

    /** When the camera next needs a tick, in microseconds since 1970. */
    long due(CameraState state, long now) {
        return times.due(state, now);
    }
}
