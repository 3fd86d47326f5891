package io.linesight.streams.serving;

import java.util.List;

/**
 * What the reconciler makes of a state.
 *
 * @param state the next state
 * @param actions what to do, in this order
 * @param wakeAt monotonic time of the next pass when nothing else happens; {@link Long#MAX_VALUE} for never
 */
record Step(ServingState state, List<Action> actions, long wakeAt) {
    Step {
        actions = List.copyOf(actions);
    }
}
