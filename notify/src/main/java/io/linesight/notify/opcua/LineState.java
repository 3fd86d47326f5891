package io.linesight.notify.opcua;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.InspectionResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is to be shown of a line: the last result and the open alerts of every camera and product, within bounds. What
 * is read again changes nothing. Not thread-safe.
 */
final class LineState {
    /** Its record says that a camera is in maintenance; it is no alert. */
    private static final String MAINTENANCE = "MAINTENANCE";

    /** The state of a source without an open alert. */
    static final String NORMAL = "NORMAL";

    /** The most urgent first. */
    private static final List<AlertState> URGENCY = List.of(
            AlertState.ACTIVE_UNACKNOWLEDGED,
            AlertState.ACTIVE_ACKNOWLEDGED,
            AlertState.CLEARED_UNACKNOWLEDGED,
            AlertState.SHELVED,
            AlertState.SUPPRESSED,
            AlertState.UNKNOWN);

    /**
     * What a source shows.
     *
     * @param state {@value #NORMAL}, {@code MAINTENANCE}, or that of its most urgent alert
     * @param openAlerts its own and those of its parts
     */
    record Summary(String state, int openAlerts) {}

    /** What is known of a source. */
    private static final class Entry {
        private Instant seen;
        private @Nullable InspectionResult last;
        private @Nullable String maintenance;

        Entry(Instant seen) {
            this.seen = seen;
        }
    }

    private final Map<Source, Entry> sources = new LinkedHashMap<>();
    private final Map<String, Alert> open = new LinkedHashMap<>();
    private final int maxSources;
    private final int maxAlarms;
    private final Duration forgetAfter;
    private long omitted;

    LineState(int maxSources, int maxAlarms, Duration forgetAfter) {
        this.maxSources = maxSources;
        this.maxAlarms = maxAlarms;
        this.forgetAfter = forgetAfter;
        sources.put(Source.LINE, new Entry(Instant.MAX));
    }

    /** Whether the result is shown; false where there is no room for another camera. */
    boolean apply(InspectionResult result, Instant now) {
        Entry entry = entry(Source.of(result), now);
        if (entry == null) return false;
        entry.last = result;
        entry.seen = now;
        return true;
    }

    /** Whether the alert is new or has changed, and there is room for it. */
    boolean apply(Alert alert, Instant now) {
        if (isMaintenance(alert)) return maintain(alert, now);
        Alert known = open.get(alert.getAlertId());
        if (known != null && known.getRevision() >= alert.getRevision()) return false;
        if (alert.getState() == AlertState.CLOSED) return open.remove(alert.getAlertId()) != null;
        if (known == null && open.size() >= maxAlarms || entry(Source.of(alert), now) == null) {
            omitted++;
            return false;
        }
        open.put(alert.getAlertId(), alert);
        return true;
    }

    static boolean isMaintenance(Alert alert) {
        return alert.getKind() == AlertKind.CAMERA && alert.getCondition().equals(MAINTENANCE);
    }

    private boolean maintain(Alert alert, Instant now) {
        Source camera = new Source(alert.getCameraId(), "");
        if (alert.getState() != AlertState.CLOSED) {
            Entry entry = entry(camera, now);
            if (entry != null) entry.maintenance = alert.getAlertId();
            return entry != null;
        }
        Entry entry = sources.get(camera);
        if (entry == null || !alert.getAlertId().equals(entry.maintenance)) return false;
        entry.maintenance = null;
        return true;
    }

    /** @return null when there is no room */
    private @Nullable Entry entry(Source source, Instant now) {
        Entry known = sources.get(source);
        if (known != null) {
            // A camera is as young as the youngest of its products.
            Entry parent = sources.get(source.parent());
            if (parent != null && parent.seen.isBefore(now)) parent.seen = now;
            return known;
        }
        if (!source.parent().equals(source) && entry(source.parent(), now) == null) return null;
        if (sources.size() >= maxSources && !makeRoom(source)) {
            omitted++;
            return null;
        }
        Entry created = new Entry(now);
        sources.put(source, created);
        return created;
    }

    /** Forgets the source that has been silent for the longest, of those that nobody misses. */
    private boolean makeRoom(Source wanted) {
        Optional<Source> oldest = idle().stream()
                .filter(s -> !s.equals(wanted.parent()))
                .min(Comparator.comparing(s -> sources.get(s).seen));
        oldest.ifPresent(sources::remove);
        return oldest.isPresent();
    }

    /** Sources without an open alert, without maintenance and without parts. */
    private List<Source> idle() {
        Set<Source> needed = new HashSet<>(Set.of(Source.LINE));
        for (Source s : sources.keySet()) if (!s.parent().equals(s)) needed.add(s.parent());
        for (Alert a : open.values()) needed.add(Source.of(a));
        List<Source> idle = new ArrayList<>();
        sources.forEach((s, entry) -> {
            if (!needed.contains(s) && entry.maintenance == null) idle.add(s);
        });
        return idle;
    }

    /** Forgets sources that have been silent for too long. */
    void forgetSilent(Instant now) {
        Instant limit = now.minus(forgetAfter);
        boolean changed;
        // Twice at most: a camera is idle once its products are gone.
        do {
            changed = sources.keySet()
                    .removeAll(idle().stream()
                            .filter(s -> sources.get(s).seen.isBefore(limit))
                            .toList());
        } while (changed);
    }

    Collection<Source> sources() {
        return List.copyOf(sources.keySet());
    }

    Collection<Alert> alerts() {
        return List.copyOf(open.values());
    }

    /** Empty when it is not open or not shown. */
    Optional<Alert> alert(String id) {
        return Optional.ofNullable(open.get(id));
    }

    Optional<InspectionResult> lastResult(Source source) {
        Entry entry = sources.get(source);
        return entry == null ? Optional.empty() : Optional.ofNullable(entry.last);
    }

    Summary summary(Source source) {
        List<Alert> own = open.values().stream()
                .filter(a -> isWithin(Source.of(a), source))
                .toList();
        Entry entry = sources.get(source);
        String state = entry != null && entry.maintenance != null
                ? MAINTENANCE
                : own.stream()
                        .map(Alert::getState)
                        .min(Comparator.comparingInt(URGENCY::indexOf))
                        .map(AlertState::name)
                        .orElse(NORMAL);
        return new Summary(state, own.size());
    }

    private static boolean isWithin(Source part, Source whole) {
        return part.equals(whole) || part.parent().equals(whole) || whole.equals(Source.LINE);
    }

    /** Records that were not shown, because there was no room. */
    long omitted() {
        return omitted;
    }
}
