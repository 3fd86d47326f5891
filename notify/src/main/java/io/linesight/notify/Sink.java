package io.linesight.notify;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Somewhere that alerts are delivered to. One thread; closed by whoever uses it. */
public interface Sink extends AutoCloseable {
    /** For logs and metrics, without secrets. */
    String name();

    /**
     * Delivers a notification; returns once it has been taken.
     *
     * @throws DeliveryException when it was not
     */
    void deliver(Notification notification) throws DeliveryException, InterruptedException;

    @Override
    void close();

    /** A notification was not taken. */
    final class DeliveryException extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean mayPass;
        private final @Nullable Duration retryAfter;

        private DeliveryException(
                String message, boolean mayPass, @Nullable Duration retryAfter, @Nullable Throwable cause) {
            super(message, cause);
            this.mayPass = mayPass;
            this.retryAfter = retryAfter;
        }

        /** Trying again may help: nobody answered, or the answer was not now. */
        public static DeliveryException passing(String message, @Nullable Throwable cause) {
            return new DeliveryException(message, true, null, cause);
        }

        /** The same, with a wish for when to try again. */
        public static DeliveryException later(String message, Duration retryAfter) {
            return new DeliveryException(message, true, retryAfter, null);
        }

        /** The sink will never take this notification. */
        public static DeliveryException forGood(String message) {
            return new DeliveryException(message, false, null, null);
        }

        /** Whether trying again may help. */
        public boolean mayPass() {
            return mayPass;
        }

        /** When to try again at the earliest; null where the sink did not say. */
        public @Nullable Duration retryAfter() {
            return retryAfter;
        }
    }
}
