package io.linesight.trainer.learning;

import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs what happens and reports it to the service's listener; any thread. */
final class EventLog {
    private static final Logger LOG = LoggerFactory.getLogger(TrainerService.class);
    /** Run of an event that belongs to no run. */
    static final String NO_RUN = "";

    private final Consumer<TrainerEvent> listener;

    EventLog(Consumer<TrainerEvent> listener) {
        this.listener = listener;
    }

    void info(Kind kind, String run, String message) {
        LOG.info("{}{}", prefix(run), message);
        listener.accept(new TrainerEvent(kind, run, message));
    }

    /** Labels or a run wait for something outside. */
    void waiting(String run, String message) {
        LOG.warn("{}{}", prefix(run), message);
        listener.accept(new TrainerEvent(Kind.WAITING, run, message));
    }

    private static String prefix(String run) {
        return run.isEmpty() ? "" : "Run " + run + ": ";
    }
}
