package io.linesight.demo.story;

import io.linesight.demo.line.CameraGroup;
import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.LocalLine;
import io.linesight.trainer.learning.TrainerEvent;
import io.linesight.trainer.learning.TrainerService;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Everything that takes part in the story.
 *
 * @param trainerEvents what the trainer has reported so far, in order; grows meanwhile
 */
record Cast(
        LocalLine local,
        Ledger ledger,
        CameraGroup cameras,
        Operator operator,
        Engineer engineer,
        TrainerService trainer,
        List<TrainerEvent> trainerEvents,
        ShadowReader shadow) {
    /** What has failed first in this list; empty while all is well. */
    Optional<String> failure() {
        return Stream.of(
                        local.failure(),
                        describe(trainer.failure(), "the trainer stopped: "),
                        describe(operator.failure(), "the operator's labels could not be written: "),
                        describe(shadow.failure(), "the shadow's scores could not be read: "),
                        describe(cameras.failure(), "a camera stopped: "))
                .flatMap(Optional::stream)
                .findFirst();
    }

    private static Optional<String> describe(Optional<? extends Throwable> failure, String what) {
        return failure.map(e -> what + e.getMessage());
    }

    /** The trainer's first report of a kind. */
    Optional<TrainerEvent> event(TrainerEvent.Kind kind) {
        return trainerEvents.stream().filter(e -> e.kind() == kind).findFirst();
    }
}
