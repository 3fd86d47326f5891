package io.linesight.streams.inspect;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.InspectionResult;
import org.jspecify.annotations.Nullable;

/** What became of one frame: every frame has exactly one. */
sealed interface Outcome {

    /** @param anomaly null unless the score reached the decision point */
    record Inspected(InspectionResult result, @Nullable AnomalyEvent anomaly) implements Outcome {}

    /** The frame can never be inspected; it goes to the dead-letter topic as it came. */
    record Rejected(DeadLetterCode code, String message) implements Outcome {}
}
