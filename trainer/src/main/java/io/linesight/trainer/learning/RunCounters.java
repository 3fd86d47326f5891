package io.linesight.trainer.learning;

import io.linesight.schemas.GateOutcome;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Counts runs and verdicts from the service's events; any thread. */
final class RunCounters {
    private final Map<String, Long> runs = new TreeMap<>(Map.of("started", 0L, "finished", 0L, "failed", 0L));
    private final Map<String, Long> verdicts = new TreeMap<>(Map.of("passed", 0L, "not_passed", 0L));
    private @Nullable RunFolder run;
    private boolean waiting;

    /** Counts every event before the listener gets it. */
    Consumer<TrainerEvent> countBefore(Consumer<TrainerEvent> listener) {
        return e -> {
            count(e);
            listener.accept(e);
        };
    }

    /** Sets the run that the next events belong to. */
    synchronized void follow(RunFolder started) {
        run = started;
    }

    private synchronized void count(TrainerEvent e) {
        if (!e.run().isEmpty()) waiting = e.kind() == TrainerEvent.Kind.WAITING;
        switch (e.kind()) {
            case RUN_STARTED -> runs.merge("started", 1L, Long::sum);
            case RUN_FINISHED -> runs.merge("finished", 1L, Long::sum);
            case RUN_FAILED -> runs.merge("failed", 1L, Long::sum);
            case VERDICT ->
                verdicts.merge(
                        run.of(Stage.GATE).path("outcome").asText().equals(GateOutcome.PASSED.name())
                                ? "passed"
                                : "not_passed",
                        1L,
                        Long::sum);
            default -> {}
        }
    }

    /** Whether the run waits for something outside. */
    synchronized boolean isRunWaiting() {
        return waiting;
    }

    synchronized Map<String, Long> runs() {
        return new TreeMap<>(runs);
    }

    synchronized Map<String, Long> verdicts() {
        return new TreeMap<>(verdicts);
    }
}
