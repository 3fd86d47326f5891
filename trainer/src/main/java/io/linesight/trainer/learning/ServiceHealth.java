package io.linesight.trainer.learning;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether a trainer service runs, stops or has failed; any thread. */
final class ServiceHealth {
    private static final Logger LOG = LoggerFactory.getLogger(TrainerService.class);

    private volatile boolean stopping;
    private volatile @Nullable Throwable failure;

    void stop() {
        stopping = true;
    }

    boolean isStopping() {
        return stopping;
    }

    /** Stops the service for good; the first failure is kept. */
    void fail(Throwable e) {
        if (failure == null) failure = e;
        stopping = true;
        LOG.error(
                "The trainer stopped: {}. Labels that it had not journalled are read again at the next start",
                e.getMessage(),
                e);
    }

    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }
}
