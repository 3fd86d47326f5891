package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.streams.alert.CameraState.Closed;
import io.linesight.streams.alert.CameraState.LiveAlert;
import io.linesight.streams.alert.CameraState.Seen;
import io.linesight.streams.drift.DriftStore;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One event in the life of a camera: its state, the time, and the records that come of it. Not thread-safe. */
final class Turn {

    /** Who makes a change, and why. */
    record Author(String by, String reason, @Nullable String actionId) {
        static final Author PROGRAM = new Author("", "", null);

        static Author program(String reason) {
            return new Author("", reason, null);
        }
    }

    /** What changes the state or the severity that people see. */
    private static final Set<AlertChange> VISIBLE = EnumSet.complementOf(EnumSet.of(
            AlertChange.UNKNOWN, AlertChange.COUNTED, AlertChange.NOTED, AlertChange.RENOTIFIED, AlertChange.REFUSED));
    /** After which an alert that is cleared and needs nobody leaves the list. */
    private static final Set<AlertChange> LEAVING =
            EnumSet.of(AlertChange.CLEARED, AlertChange.ACKNOWLEDGED, AlertChange.UNSHELVED, AlertChange.UNSUPPRESSED);
    /** With these nobody can tell good parts from bad ones, so what the frames say is secondary. */
    private static final Set<String> PARENTS =
            Set.of(Conditions.SILENT, Conditions.FROZEN, Conditions.BLACK, Conditions.OVEREXPOSED);

    private static final int REMEMBERED_CLOSED = 8;

    final CameraState state;
    /** Microseconds since 1970, by this machine's clock. */
    final long now;
    /** The camera's distributions. */
    final DriftStore drift;

    private final boolean driftSuppresses;
    private final List<Alert> out = new ArrayList<>();

    /** @param driftSuppresses whether defects are secondary while their camera and product drift */
    Turn(CameraState state, DriftStore drift, boolean driftSuppresses, long now) {
        this.state = state;
        this.drift = drift;
        this.driftSuppresses = driftSuppresses;
        this.now = now;
    }

    /** The records that the event makes, in order. */
    List<Alert> out() {
        return out;
    }

    /** The alert of a condition that is not closed. */
    @Nullable
    LiveAlert find(AlertKind kind, String condition, @Nullable String product) {
        for (LiveAlert a : state.alerts)
            if (a.kind == kind && a.condition.equals(condition) && Objects.equals(a.product, product)) return a;
        return null;
    }

    /** Opens an alert that is filled in but for what follows from opening it. */
    void open(LiveAlert a, Seen openedBy, long at) {
        openAs(a, openedBy.resultId(), at);
    }

    /**
     * As {@link #open}, where no result opens it.
     *
     * @param name that no other alert of this condition ever has
     */
    void openAs(LiveAlert a, String name, long at) {
        a.id = a.kind + "-" + a.condition + "-" + name;
        a.active = true;
        a.openedAt = at;
        a.lastAt = at;
        a.notifiedAt = now;
        a.suppressedBy = suppressor(a);
        a.announced = a.suppressedBy == null;
        state.alerts.add(a);
        tell(a, AlertChange.OPENED, at, Author.PROGRAM);
    }

    /** The condition holds no longer, as long as the off-delay wants. A latched alert waits for a person. */
    void clear(LiveAlert a, boolean latched, long at) {
        if (latched && !a.acknowledged && a.announced) return;
        a.active = false;
        a.clearedAt = at;
        tell(a, AlertChange.CLEARED, at, Author.PROGRAM);
    }

    /** A cleared alert is active again. */
    void reopen(LiveAlert a, long at) {
        a.active = true;
        a.acknowledged = false;
        a.acknowledgedBy = "";
        a.clearedAt = 0;
        a.goodRun = 0;
        a.notifiedAt = now;
        tell(a, AlertChange.REOPENED, at, Author.PROGRAM);
    }

    void close(LiveAlert a, long at, Author author) {
        tell(a, AlertChange.CLOSED, at, author);
    }

    /** Writes a change down. */
    void tell(LiveAlert a, AlertChange change, long at, Author author) {
        boolean leaves = change == AlertChange.CLOSED
                || LEAVING.contains(change) && !a.active && a.shelvedUntil == 0 && (a.acknowledged || !a.announced);
        a.revision++;
        if (VISIBLE.contains(change)) {
            a.stateRevision = a.revision;
            a.lastChange = change + (author.by().isEmpty() ? "" : " by " + author.by());
        }
        a.writtenAt = now;
        a.newerCounts = false;
        out.add(AlertRecords.of(state, a, new AlertRecords.Change(change, leaves, at, author)));
        if (!leaves) return;
        state.alerts.remove(a);
        state.closed.add(
                new Closed(a.id, at, author.reason().isEmpty() ? a.lastChange : a.lastChange + ": " + author.reason()));
        while (state.closed.size() > REMEMBERED_CLOSED) state.closed.remove(0);
    }

    /** Writes down what concerns no alert. */
    void tell(Alert record) {
        out.add(record);
    }

    /** What makes an alert secondary; null for nothing. */
    private @Nullable String suppressor(LiveAlert a) {
        if (state.maintenance != null) return state.maintenance.id();
        if (a.kind != AlertKind.DEFECT && a.kind != AlertKind.DRIFT) return null;
        for (LiveAlert parent : state.alerts) if (parent != a && isParent(parent, a)) return parent.id;
        return null;
    }

    /** A drift does not make defects secondary by itself: under another lamp there are still scratched parts. */
    private boolean isParent(LiveAlert a, LiveAlert child) {
        boolean drift = driftSuppresses && a.kind == AlertKind.DRIFT && Objects.equals(a.product, child.product);
        boolean wider =
                drift && child.kind == AlertKind.DEFECT || a.kind == AlertKind.CAMERA && PARENTS.contains(a.condition);
        return wider && a.active && a.shelvedUntil == 0;
    }

    /** Suppresses what has become secondary and says again what no longer is. */
    void updateSuppression() {
        for (LiveAlert a : List.copyOf(state.alerts)) {
            String wanted = suppressor(a);
            boolean was = a.suppressedBy != null;
            a.suppressedBy = wanted;
            if (was == (wanted != null)) continue;
            if (wanted == null) {
                if (a.active) a.announced = true;
                a.notifiedAt = now;
            }
            tell(a, wanted == null ? AlertChange.UNSUPPRESSED : AlertChange.SUPPRESSED, now, Author.PROGRAM);
        }
    }
}
