package io.linesight.schemas.clients;

import java.time.Duration;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands every record of a {@link TopicCursor} to a handler, on a thread of its own, until closed.
 *
 * <p>Threads: every method may be called from any thread. Ownership: it closes the cursor, also when it fails; whoever
 * starts it closes it.
 */
public final class TopicFollower implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TopicFollower.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);

    /** Takes records on the follower's thread. What it throws ends the follower. */
    @FunctionalInterface
    public interface Handler {
        void handle(ConsumerRecord<byte[], byte[]> record);
    }

    private final TopicCursor cursor;
    private final Handler handler;
    private final Thread thread;
    private volatile boolean stopped;
    private volatile Optional<Throwable> failure = Optional.empty();

    private TopicFollower(String name, TopicCursor cursor, Handler handler) {
        this.cursor = cursor;
        this.handler = handler;
        thread = DaemonThreads.create(name, this::run);
    }

    /**
     * Starts to follow.
     *
     * @param name of the thread
     */
    public static TopicFollower start(String name, TopicCursor cursor, Handler handler) {
        TopicFollower follower = new TopicFollower(name, cursor, handler);
        follower.thread.start();
        return follower;
    }

    /** What ended the follower before it was closed. */
    public Optional<Throwable> failure() {
        return failure;
    }

    private void run() {
        try (cursor) {
            while (!stopped) {
                for (ConsumerRecord<byte[], byte[]> record : cursor.poll(POLL)) handler.handle(record);
            }
        } catch (WakeupException e) {
            // close() woke the poll
        } catch (RuntimeException | Error e) {
            if (stopped) return;
            failure = Optional.of(e);
            LOG.error("{} stopped reading; nothing more is handed over until it is started again", thread.getName(), e);
        }
    }

    /** Stops after the record in hand; waits for that up to ten seconds, unless the handler itself calls. */
    @Override
    public void close() {
        stopped = true;
        cursor.wakeup();
        if (Thread.currentThread() == thread) return;
        try {
            thread.join(STOP_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
