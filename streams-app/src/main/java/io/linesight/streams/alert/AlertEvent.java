package io.linesight.streams.alert;

import io.linesight.models.rollouts.ChannelState;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelStatus;
import java.util.List;

/** What happens to a camera, or to the models. */
sealed interface AlertEvent {

    /** One of its frames was inspected. */
    record Frame(InspectionResult result) implements AlertEvent {}

    /** A person does something about its alerts. */
    record Action(AlertAction action) implements AlertEvent {}

    /**
     * The models were looked at.
     *
     * @param channel that is followed
     * @param statuses the latest of every instance about every version, in the order they came
     */
    record Models(ChannelState channel, List<ModelStatus> statuses) implements AlertEvent {}

    /**
     * Time has passed.
     *
     * @param quietSince microseconds since 1970; before then frames may have been on their way, so that silence counts
     *     from then on at the earliest
     */
    record Tick(long quietSince) implements AlertEvent {}

    /**
     * The camera is to be forgotten.
     *
     * @param why one clause for people
     */
    record Forget(String why) implements AlertEvent {}
}
