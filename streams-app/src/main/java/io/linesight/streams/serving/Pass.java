package io.linesight.streams.serving;

import io.linesight.schemas.Rollout;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One pass of the reconciler: a copy of the state under change, and what is to be done about it. Not shared. */
final class Pass {

    final ChannelView view;
    final Moment now;

    @Nullable
    HeldModel champion;

    @Nullable
    HeldModel challenger;

    @Nullable
    HeldModel spare;

    long spareUntil;

    @Nullable
    HeldModel ready;

    @Nullable
    Rollout rollout;

    final Map<String, ServingState.Failure> failures;
    final Map<String, Long> missingSince;
    ServingState.@Nullable Distrusted distrusted;
    final List<GuardRequest> requests;
    long requestAt;
    ServingState.@Nullable StartUp startUp;

    private final List<Action> actions = new ArrayList<>();
    private long wakeAt = Long.MAX_VALUE;

    /** For an event that has nothing to do with decision or time. */
    Pass(ServingState state) {
        this(state, ChannelView.EMPTY, new Moment(0, Instant.EPOCH));
    }

    Pass(ServingState state, ChannelView view, Moment now) {
        this.view = view;
        this.now = now;
        champion = state.champion();
        challenger = state.challenger();
        spare = state.spare();
        spareUntil = state.spareUntil();
        ready = state.ready();
        rollout = state.rollout();
        failures = new HashMap<>(state.failures());
        missingSince = new HashMap<>(state.missingSince());
        distrusted = state.distrusted();
        requests = new ArrayList<>(state.requests());
        requestAt = state.requestAt();
        startUp = state.startUp();
    }

    void add(Action action) {
        actions.add(action);
    }

    /** Asks for another pass at that time, or earlier. */
    void wakeAt(long nanos) {
        wakeAt = Math.min(wakeAt, nanos);
    }

    Step step() {
        return new Step(freeze(), actions, wakeAt);
    }

    private ServingState freeze() {
        return new ServingState(
                champion,
                challenger,
                spare,
                spareUntil,
                ready,
                rollout,
                failures,
                missingSince,
                distrusted,
                requests,
                requestAt,
                startUp);
    }
}
