package io.linesight.notify.opcua;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.clients.DaemonThreads;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes records of what people do about alarms, and waits for what the line says to them. Thread-safe: callers wait on
 * their own threads, one thread writes, and the reader of alerts brings the answers.
 */
final class Acknowledger implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Acknowledger.class);
    private static final int MAX_PENDING = 100;

    private final ActionWriter writer;
    private final Duration timeout;
    private final ThreadPoolExecutor thread = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_PENDING),
            DaemonThreads.factory("linesight-opcua-actions"));
    private final Map<String, CompletableFuture<Alert>> pending = new ConcurrentHashMap<>();
    private final LongAdder accepted = new LongAdder();
    private final LongAdder refused = new LongAdder();

    Acknowledger(ActionWriter writer, Duration timeout) {
        this.writer = writer;
        this.timeout = timeout;
    }

    /**
     * Does something about an alert in a person's name.
     *
     * @param basedOn revision of the alert that the person saw
     * @return Good when the line has done it; {@code Good_CompletesAsynchronously} when it has not said so yet;
     *     {@code Bad_InvalidState} when the line refuses it; {@code Bad_Timeout} when it may not be written yet;
     *     {@code Bad_NoCommunication} when it was not written
     */
    StatusCode act(AlertActionKind kind, Alert alert, long basedOn, String by, String note) {
        AlertAction action = AlertAction.newBuilder()
                .setActionId(UUID.randomUUID().toString())
                .setCameraId(alert.getCameraId())
                .setAlertId(alert.getAlertId())
                .setBasedOn(basedOn)
                .setAction(kind)
                .setBy(by)
                .setNote(note)
                .setAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .build();
        CompletableFuture<Alert> answer = new CompletableFuture<>();
        pending.put(action.getActionId(), answer);
        try {
            return await(action, answer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new StatusCode(StatusCodes.Bad_Shutdown);
        } finally {
            pending.remove(action.getActionId());
        }
    }

    private StatusCode await(AlertAction action, CompletableFuture<Alert> answer) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        CompletableFuture<Void> written = new CompletableFuture<>();
        try {
            thread.execute(() -> write(action, written));
        } catch (RejectedExecutionException e) {
            return new StatusCode(StatusCodes.Bad_TooManyOperations);
        }
        try {
            written.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            return new StatusCode(StatusCodes.Bad_NoCommunication);
        } catch (TimeoutException e) {
            return new StatusCode(StatusCodes.Bad_Timeout);
        }
        try {
            return judge(action, answer.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS));
        } catch (ExecutionException | TimeoutException e) {
            return new StatusCode(StatusCodes.Good_CompletesAsynchronously);
        }
    }

    private void write(AlertAction action, CompletableFuture<Void> written) {
        try {
            writer.write(action);
            accepted.increment();
            written.complete(null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            written.completeExceptionally(e);
        } catch (RuntimeException e) {
            LOG.error(
                    "{} of alert {} by {} was not written: {}. Do it again when Kafka answers",
                    action.getAction(),
                    action.getAlertId(),
                    Source.readable(action.getBy()),
                    e.getMessage());
            written.completeExceptionally(e);
        }
    }

    private StatusCode judge(AlertAction action, Alert answer) {
        if (answer.getChange() != AlertChange.REFUSED) return StatusCode.GOOD;
        refused.increment();
        LOG.warn(
                "{} of alert {} by {} was refused: {}",
                action.getAction(),
                Source.readable(answer.getAlertId()),
                Source.readable(action.getBy()),
                Source.readable(answer.getReason()));
        return new StatusCode(StatusCodes.Bad_InvalidState);
    }

    /** Gives an alert to whoever waits for it. */
    void answered(Alert alert) {
        String action = alert.getActionId();
        CompletableFuture<Alert> waiting = action == null ? null : pending.get(action);
        if (waiting != null) waiting.complete(alert);
    }

    /** Actions that were written. */
    long written() {
        return accepted.sum();
    }

    /** Those of them that the line refused while somebody waited. */
    long refused() {
        return refused.sum();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
