package io.linesight.schemas.topics;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Which times of a frame can be true. Clocks that were never set, and units that were mixed up, give times far in the
 * past or in the future; Kafka's retention and every search by time would take them at their word.
 */
public final class FrameTimes {

    /** A frame that is older is not inspected in production: frames are kept for a day. */
    public static final Duration MAX_AGE = Duration.ofDays(7);

    /** Clocks differ; one that is further ahead is wrong. */
    public static final Duration MAX_AHEAD = Duration.ofMinutes(5);

    /** No line wrote frames before; what claims to be older is dated wrongly whenever it is looked at. */
    private static final long EPOCH = Instant.parse("2015-01-01T00:00:00Z").toEpochMilli();

    private FrameTimes() {}

    /**
     * Whether a time can be true.
     *
     * @param millis since 1970
     * @param now the present in milliseconds since 1970
     */
    public static boolean isPlausible(long millis, long now) {
        // Differences of extreme values would overflow.
        return millis >= now - MAX_AGE.toMillis() && millis <= now + MAX_AHEAD.toMillis();
    }

    /** Whether a time cannot have been true at any time up to the present. */
    public static boolean isImpossible(long millis, long now) {
        return millis < EPOCH || millis > now + MAX_AHEAD.toMillis();
    }

    /** What is wrong with a record's time, for people; empty for one that can be true. */
    public static Optional<String> problem(long millis, long now) {
        return isPlausible(millis, now) ? Optional.empty() : Optional.of(describeRecordTime(millis, now));
    }

    /** A record time that is out of range, with the most likely reason. Kafka has milliseconds. */
    public static String describeRecordTime(long millis, long now) {
        return text(millis) + reason(millis, now, "milliseconds", List.of("seconds", "microseconds", "nanoseconds"));
    }

    /** A capture time that is out of range, with the most likely reason. The contract has microseconds. */
    public static String describeCaptureTime(long millis, long now) {
        return text(millis) + reason(millis, now, "microseconds", List.of("milliseconds", "nanoseconds", ""));
    }

    /** @param units 1000 times larger, 1000 times smaller and 1,000,000 times smaller than the one wanted */
    private static String reason(long millis, long now, String wanted, List<String> units) {
        if (millis <= 0) return ", no time at all";
        String meant = "";
        if (millis <= Long.MAX_VALUE / 1000 && !isImpossible(millis * 1000, now)) meant = units.get(0);
        else if (millis <= Long.MAX_VALUE / 1_000_000 && !isImpossible(millis * 1_000_000, now)) meant = "seconds";
        else if (!isImpossible(millis / 1000, now)) meant = units.get(1);
        else if (!isImpossible(millis / 1_000_000, now)) meant = units.get(2);
        if (!meant.isEmpty()) return ", as if " + meant + " were written for " + wanted;
        long day = Duration.ofDays(1).toMillis();
        if (millis > now) {
            long days = millis / day - now / day;
            return days > 0 ? ", " + days + " days ahead" : ", " + (millis - now) / 60_000 + " minutes ahead";
        }
        return millis < EPOCH ? ", as if the clock was never set" : ", " + (now / day - millis / day) + " days old";
    }

    private static String text(long millis) {
        try {
            Instant time = Instant.ofEpochMilli(millis);
            return time.isBefore(Instant.parse("9999-12-31T00:00:00Z")) ? time.toString() : millis + " ms";
        } catch (RuntimeException e) {
            return millis + " ms";
        }
    }
}
