package io.linesight.models.rollouts;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;

/**
 * Who decides, why and when, for the history.
 *
 * @param by person or program
 * @param automatic whether a program decided by itself: then a pinned channel is left alone and a challenger must have
 *     passed its gate
 * @param reason for people; may be empty
 * @param at to the microsecond
 */
public record Author(String by, boolean automatic, String reason, Instant at) {
    public Author {
        Objects.requireNonNull(reason, "reason");
        if (by == null || by.isBlank()) throw new IllegalArgumentException("a decision needs an author");
        at = at.truncatedTo(ChronoUnit.MICROS);
    }

    public static Author person(String by, String reason) {
        return new Author(by, false, reason, Instant.now());
    }

    public static Author program(String by, String reason) {
        return new Author(by, true, reason, Instant.now());
    }
}
