package io.linesight.streams;

import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.offsets.FramesTopic;
import io.linesight.streams.offsets.FramesTopic.Seen;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks from time to time whether the topic of frames is still the one that the stream threads read. A topic that was
 * made again would otherwise be read from somewhere in its middle, since the positions are of the one before. A thread
 * of its own until closed.
 */
final class TopicWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TopicWatch.class);
    private static final Duration INTERVAL = Duration.ofSeconds(5);
    private static final Duration MISSING_INTERVAL = Duration.ofSeconds(1);

    /** What to do when the topic goes and comes. */
    interface Listener {
        /** The topic is not there, or is another one. Stops reading; returns when nobody reads. */
        void stopReading(String why);

        /**
         * The topic is there. Begins to read.
         *
         * @param recreated whether it is another one than before
         */
        void startReading(Uuid id, boolean recreated) throws InterruptedException;
    }

    private final FramesTopic topic;
    private final Listener listener;
    private final Semaphore wake = new Semaphore(0);
    private final Thread thread;
    private volatile boolean closing;
    private volatile boolean ended;
    private @Nullable Uuid known;

    /** @param known id of the topic that is read; null where the broker did not tell, then the first answer counts */
    TopicWatch(FramesTopic topic, @Nullable Uuid known, Listener listener) {
        this.topic = topic;
        this.known = known;
        this.listener = listener;
        thread = DaemonThreads.start("linesight-topic-watch", this::run);
    }

    /** Looks at once: the stream threads have ended, because one of them has seen that the topic is missing. */
    void threadsEnded() {
        ended = true;
        wake.release();
    }

    private void run() {
        boolean reading = true;
        while (!closing) {
            try {
                wake.tryAcquire((reading ? INTERVAL : MISSING_INTERVAL).toMillis(), TimeUnit.MILLISECONDS);
                wake.drainPermits();
                if (closing) return;
                reading = look(reading);
            } catch (InterruptedException e) {
                if (!closing) LOG.debug("The watch of the topic of frames was interrupted");
            } catch (RuntimeException e) {
                LOG.error("The topic of frames could not be looked at; it is tried again", e);
            }
        }
    }

    private boolean look(boolean reading) throws InterruptedException {
        Seen seen = topic.look();
        if (seen instanceof Seen.Gone && reading) {
            listener.stopReading("the topic of frames was deleted");
            return false;
        }
        if (!(seen instanceof Seen.There there)) return reading;
        if (known == null) known = there.id();
        boolean recreated = !there.id().equals(known);
        if (reading && !recreated && !ended) return true;
        if (reading)
            listener.stopReading(
                    recreated
                            ? "the topic of frames was deleted and created again"
                            : "the topic of frames was missing");
        ended = false;
        listener.startReading(there.id(), recreated);
        known = there.id();
        return true;
    }

    @Override
    public void close() {
        closing = true;
        wake.release();
        thread.interrupt();
    }
}
