package io.linesight.streams.inspect;

import org.apache.kafka.streams.errors.StreamsException;

/**
 * The schema registry did not answer for as long as a frame may wait. The frame is neither lost nor bad: it is
 * processed again.
 */
public final class RegistryUnavailableException extends StreamsException {
    RegistryUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
