package io.linesight.mmad.statedict;

import java.io.IOException;

/**
 * A file of weights that is damaged, hostile or not what it should be; the message names the file and says what to do.
 */
final class StateDictException extends IOException {
    StateDictException(String message) {
        super(message);
    }

    StateDictException(String message, Throwable cause) {
        super(message, cause);
    }
}
