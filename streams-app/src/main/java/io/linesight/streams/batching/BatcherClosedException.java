package io.linesight.streams.batching;

/**
 * The frame was not scored because the app is stopping. It stays uncommitted and is scored again after the next start.
 */
public final class BatcherClosedException extends RuntimeException {
    public BatcherClosedException(String message) {
        super(message);
    }
}
