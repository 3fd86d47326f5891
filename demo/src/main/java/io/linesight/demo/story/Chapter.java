package io.linesight.demo.story;

import io.linesight.demo.line.Ledger;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A part of the story: the frames that were exposed during it.
 *
 * @param to null while the chapter lasts
 */
record Chapter(String name, Instant from, @Nullable Instant to) {
    Chapter until(Instant end) {
        return new Chapter(name, from, end);
    }

    boolean contains(Ledger.Outcome outcome) {
        Instant captured = outcome.result().getCapturedAt();
        return !captured.isBefore(from) && (to == null || captured.isBefore(to));
    }
}
