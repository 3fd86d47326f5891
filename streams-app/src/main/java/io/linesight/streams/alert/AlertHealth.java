package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether people can follow their alarms, as ISA-18.2 and EEMUA 191 measure it.
 *
 * @param alarms how often people were alarmed in the period: alerts that opened or came back, and were not suppressed
 *     or shelved
 * @param perTenMinutes of them, in the mean
 * @param peakPerTenMinutes of them, in the worst ten minutes of the period
 * @param floods ten-minute spans of the period with more than {@value #FLOOD} alarms
 * @param chattering sources (camera, product, condition) that alarmed {@value #CHATTER} times within a minute
 * @param standing alerts that are active now
 * @param unacknowledged alerts that wait for somebody now
 * @param shelved alerts that are shelved now
 * @param suppressed alerts that are suppressed now
 * @param stale alerts that have been active for more than 24 h, by id
 * @param sources how often each source alarmed, the most frequent first
 */
public record AlertHealth(
        int alarms,
        double perTenMinutes,
        int peakPerTenMinutes,
        int floods,
        List<String> chattering,
        int standing,
        int unacknowledged,
        int shelved,
        int suppressed,
        List<String> stale,
        List<Source> sources) {

    /** More alarms in ten minutes than a person can follow. */
    public static final int FLOOD = 10;

    public static final int CHATTER = 3;
    private static final Duration SPAN = Duration.ofMinutes(10);
    private static final Duration STALE = Duration.ofHours(24);
    private static final Set<AlertChange> ALARMS =
            EnumSet.of(AlertChange.OPENED, AlertChange.REOPENED, AlertChange.UNSUPPRESSED, AlertChange.ESCALATED);

    /** Something that alarms. */
    public record Source(String name, int alarms) {}

    /**
     * @param changes as {@link AlertLog#read} gives them
     * @param period that ends now and is looked at
     */
    public static AlertHealth of(List<Alert> changes, Instant now, Duration period) {
        Instant begin = now.minus(period);
        Map<Long, Integer> spans = new HashMap<>();
        Map<String, Integer> sources = new HashMap<>();
        Map<String, Deque<Instant>> lately = new HashMap<>();
        Set<String> chattering = new TreeSet<>();
        int alarms = 0;
        for (Alert a : changes) {
            boolean alarm = ALARMS.contains(a.getChange()) && a.getState() == AlertState.ACTIVE_UNACKNOWLEDGED;
            if (!alarm || a.getAt().isBefore(begin) || a.getAt().isAfter(now)) continue;
            alarms++;
            String source = source(a);
            spans.merge(a.getAt().getEpochSecond() / SPAN.toSeconds(), 1, Integer::sum);
            sources.merge(source, 1, Integer::sum);
            if (chatters(lately.computeIfAbsent(source, s -> new ArrayDeque<>()), a.getAt())) chattering.add(source);
        }
        Present present = Present.of(changes, now);
        return new AlertHealth(
                alarms,
                alarms * (double) SPAN.toSeconds() / Math.max(1, period.toSeconds()),
                spans.values().stream().mapToInt(n -> n).max().orElse(0),
                (int) spans.values().stream().filter(n -> n > FLOOD).count(),
                List.copyOf(chattering),
                present.standing,
                present.unacknowledged,
                present.shelved,
                present.suppressed,
                List.copyOf(present.stale),
                sources.entrySet().stream()
                        .map(e -> new Source(e.getKey(), e.getValue()))
                        .sorted((x, y) -> x.alarms() != y.alarms()
                                ? Integer.compare(y.alarms(), x.alarms())
                                : x.name().compareTo(y.name()))
                        .toList());
    }

    private static boolean chatters(Deque<Instant> lately, Instant at) {
        lately.add(at);
        while (lately.peek().isBefore(at.minusSeconds(60))) lately.poll();
        return lately.size() >= CHATTER;
    }

    private static String source(Alert a) {
        return a.getCameraId() + (a.getProduct() == null ? "" : " " + a.getProduct()) + " " + a.getCondition();
    }

    /** How it is now. */
    private static final class Present {
        int standing;
        int unacknowledged;
        int shelved;
        int suppressed;
        final List<String> stale = new ArrayList<>();

        static Present of(List<Alert> changes, Instant now) {
            Present p = new Present();
            for (Alert a : AlertLog.latest(changes)) {
                if (a.getState() == AlertState.CLOSED || a.getCondition().equals(Conditions.MAINTENANCE)) continue;
                if (a.getActive()) p.standing++;
                if (a.getState() == AlertState.SHELVED) p.shelved++;
                else if (a.getState() == AlertState.SUPPRESSED) p.suppressed++;
                else if (!a.getAcknowledged()) p.unacknowledged++;
                if (a.getActive() && a.getOpenedAt().isBefore(now.minus(STALE))) p.stale.add(a.getAlertId());
            }
            return p;
        }
    }
}
