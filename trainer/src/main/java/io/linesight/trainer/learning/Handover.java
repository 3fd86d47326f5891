package io.linesight.trainer.learning;

import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/** Offers a challenger to the sink until the sink takes it. On the run thread. */
final class Handover {
    private static final Duration SLICE = Duration.ofMillis(100);

    private final TrainingRun.Environment environment;
    private final TrainingRun.Guard guard;
    private final String run;

    Handover(TrainingRun.Environment environment, TrainingRun.Guard guard, String run) {
        this.environment = environment;
        this.guard = guard;
        this.run = run;
    }

    /**
     * Hands over a challenger.
     *
     * @throws CancellationException when the run is cancelled, or another trainer is active
     * @throws TrainingRun.GivenUpException when the champion is another one than the gate compared with
     */
    void offer(Path challenger, ModelVersion draft) throws TrainingRun.GivenUpException {
        String reported = "";
        while (true) {
            guard.ensureActive();
            try {
                ensureSameChampion(draft);
                if (!guard.isOwner())
                    throw new CancellationException("the challenger is not handed over: another trainer is active");
                environment.sink().offer(challenger, draft);
                return;
            } catch (CancellationException e) {
                throw e;
            } catch (IOException | RuntimeException e) {
                String message = "the challenger " + draft.getVersion()
                        + " is kept and cannot be handed over now; tried again every "
                        + environment.retryDelay().toMillis() / 1000.0 + " s until it can: " + e;
                if (!message.equals(reported)) environment.events().waiting(run, message);
                reported = message;
                pause();
            }
        }
    }

    /** The champion may have changed while the run was suspended. */
    private void ensureSameChampion(ModelVersion draft) throws IOException, TrainingRun.GivenUpException {
        Optional<Champion> champion =
                environment.champions().current(environment.config().channel());
        if (champion.isPresent() && champion.get().version().equals(draft.getParent())) return;
        throw TrainingRun.GivenUpException.startOver("the champion is no longer " + draft.getParent() + " but "
                + champion.map(Champion::version).orElse("none")
                + ", with which this challenger was not compared; it is not handed over. The run starts over");
    }

    private void pause() {
        Duration delay = environment.retryDelay();
        Deadline retry = new Deadline(System::nanoTime);
        retry.setIn(delay);
        while (!retry.hasPassed()) {
            guard.ensureActive();
            try {
                Thread.sleep((delay.compareTo(SLICE) < 0 ? delay : SLICE).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted while waiting to hand over");
            }
        }
    }

    void reportDone(ModelVersion draft) {
        GateOutcome outcome = draft.getGate().getOutcome();
        environment
                .events()
                .info(
                        Kind.RUN_FINISHED,
                        run,
                        "challenger " + draft.getVersion() + " handed over"
                                + (outcome == GateOutcome.PASSED
                                        ? "; it may be promoted"
                                        : " with its verdict " + outcome + ": it may not be promoted"));
    }
}
