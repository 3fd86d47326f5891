package io.linesight.streams.serving;

import org.jspecify.annotations.Nullable;

/**
 * Why a model is not served.
 *
 * @param reason for people
 * @param retriable whether trying again later may help
 */
record Rejection(String reason, boolean retriable, @Nullable Throwable cause) {

    static Rejection of(ModelRejectedException e) {
        return new Rejection(String.valueOf(e.getMessage()), e.retriable(), e.getCause());
    }
}
