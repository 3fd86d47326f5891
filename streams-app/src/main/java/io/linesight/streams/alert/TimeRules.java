package io.linesight.streams.alert;

import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import io.linesight.streams.alert.CameraState.LiveAlert;
import io.linesight.streams.alert.CameraState.ProductState;
import io.linesight.streams.alert.CameraState.Seen;
import io.linesight.streams.config.AlertSettings;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** What the passing of time does: silence, ends of shelving and maintenance, reminders, forgetting. */
final class TimeRules {

    /** Counts of an alert are written at most this often. */
    static final long COUNT_MICROS = 5_000_000;
    /** Frames after which a camera is expected to go on. */
    private static final int EXPECTED_FRAMES = 10;

    private static final int SILENT_INTERVALS = 20;
    /** A camera of so few frames, and a camera of none that only somebody acted on, is not remembered for long. */
    private static final long PASSING_MICROS = 3_600_000_000L;
    /** After a jump of the clock or a start, frames have so long to show that their camera is there. */
    private static final long GRACE_MICROS = 60_000_000;

    private final AlertSettings limits;
    private final AlertPolicies policies;

    TimeRules(AlertSettings limits, AlertPolicies policies) {
        this.limits = limits;
        this.policies = policies;
    }

    /** @return whether nothing of the camera needs to be remembered */
    boolean apply(Turn turn, long quietSince) {
        CameraState state = turn.state;
        followClock(turn);
        if (state.maintenance != null && turn.now >= state.maintenance.until())
            ActionRules.endMaintenance(turn, Turn.Author.program("the time for it is over"));
        boolean settled = turn.now - quietSince >= GRACE_MICROS;
        for (LiveAlert a : List.copyOf(state.alerts)) passTime(turn, a, settled);
        if (!state.camera.isEmpty()) watchSilence(turn, quietSince);
        // What was alarmed about models is remembered for ever, or it would be alarmed again.
        if (!settled || state.camera.isEmpty()) return false;
        forgetProducts(turn);
        if (state.maintenance != null) return false;
        long idle = turn.now - state.seenAt;
        if (state.frames < EXPECTED_FRAMES && state.alerts.isEmpty())
            return idle >= Math.min(PASSING_MICROS, micros(limits.forget()));
        if (idle < micros(limits.forget())) return false;
        return forget(
                turn, "the camera has sent no frame for " + limits.forget().toSeconds() + " s");
    }

    /** Closes what is open; always true. */
    boolean forget(Turn turn, String why) {
        if (turn.state.maintenance != null) ActionRules.endMaintenance(turn, Turn.Author.program(why));
        for (LiveAlert a : List.copyOf(turn.state.alerts)) turn.close(a, turn.now, Turn.Author.program(why));
        return true;
    }

    /** A clock that was set back must not make anything wait for the time to come again. */
    private static void followClock(Turn turn) {
        CameraState state = turn.state;
        state.seenAt = state.seenAt == 0 ? turn.now : Math.min(state.seenAt, turn.now);
        for (LiveAlert a : state.alerts) {
            a.notifiedAt = Math.min(a.notifiedAt, turn.now);
            a.writtenAt = Math.min(a.writtenAt, turn.now);
        }
        for (ProductState p : state.products.values()) p.seenAt = Math.min(p.seenAt, turn.now);
    }

    private void passTime(Turn turn, LiveAlert a, boolean settled) {
        if (a.shelvedUntil != 0 && turn.now >= a.shelvedUntil) {
            a.shelvedUntil = 0;
            a.notifiedAt = turn.now;
            turn.tell(a, AlertChange.UNSHELVED, turn.now, Turn.Author.program("the time for it is over"));
            return;
        }
        if (settled && !a.active && a.shelvedUntil == 0 && turn.now - a.writtenAt >= micros(limits.forget())) {
            turn.close(
                    a,
                    turn.now,
                    Turn.Author.program("it is cleared, and nobody acknowledged it for "
                            + limits.forget().toSeconds() + " s"));
            return;
        }
        long renotify = micros(policies.of(turn.state.camera, a.product).renotify());
        if (asksForSomebody(a) && renotify > 0 && turn.now - a.notifiedAt >= renotify) {
            a.notifiedAt = turn.now;
            turn.tell(a, AlertChange.RENOTIFIED, turn.now, Turn.Author.PROGRAM);
        } else if (a.newerCounts && turn.now - a.writtenAt >= COUNT_MICROS) {
            turn.tell(a, AlertChange.COUNTED, turn.now, Turn.Author.PROGRAM);
        }
    }

    private static boolean asksForSomebody(LiveAlert a) {
        return a.active && !a.acknowledged && a.shelvedUntil == 0 && a.suppressedBy == null;
    }

    private void watchSilence(Turn turn, long quietSince) {
        CameraState state = turn.state;
        Seen last = state.last;
        if (!isExpected(state) || last == null) return;
        if (turn.now - Math.max(state.seenAt, quietSince) < silence(state)) return;
        state.silentAfter = last.resultId();
        LiveAlert before = turn.find(AlertKind.CAMERA, Conditions.SILENT, null);
        if (before != null) {
            before.lastAt = turn.now;
            before.last = last;
            turn.reopen(before, turn.now);
            return;
        }
        LiveAlert a = new LiveAlert();
        a.kind = AlertKind.CAMERA;
        a.condition = Conditions.SILENT;
        a.severity = AlertSeverity.HIGH;
        a.first = last;
        a.last = last;
        a.policyRevision = policies.of(state.camera, null).revision();
        a.details.put("lastFrameAt", AlertRecords.instant(last.capturedAt()).toString());
        turn.open(a, last, turn.now);
    }

    private boolean isExpected(CameraState state) {
        return state.frames >= EXPECTED_FRAMES
                && state.maintenance == null
                && silence(state) > 0
                && !state.last.resultId().equals(state.silentAfter);
    }

    private long silence(CameraState state) {
        long silent = micros(policies.of(state.camera, null).silent());
        return silent == 0 ? 0 : Math.max(silent, (long) (SILENT_INTERVALS * state.interval));
    }

    private void forgetProducts(Turn turn) {
        long forget = micros(limits.forget());
        Iterator<Map.Entry<String, ProductState>> all =
                turn.state.products.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<String, ProductState> p = all.next();
            if (turn.now - p.getValue().seenAt < forget) continue;
            for (LiveAlert open : FrameRules.alertsOf(turn, p.getKey()))
                turn.close(
                        open,
                        turn.now,
                        Turn.Author.program("the camera has sent no frame of the product for "
                                + limits.forget().toSeconds() + " s"));
            DriftRules.forget(turn, p.getKey());
            all.remove();
        }
    }

    /** See {@link AlertRules#due}. */
    long due(CameraState state, long now) {
        long forget = micros(limits.forget());
        boolean passing = state.frames < EXPECTED_FRAMES && state.alerts.isEmpty();
        long due = Math.max(state.seenAt, now) + (passing ? Math.min(PASSING_MICROS, forget) : forget);
        if (state.camera.isEmpty()) due = Long.MAX_VALUE;
        else if (state.seenAt != 0) due = state.seenAt + (passing ? Math.min(PASSING_MICROS, forget) : forget);
        if (state.last != null && isExpected(state)) due = Math.min(due, state.seenAt + silence(state));
        if (state.maintenance != null) due = Math.min(due, state.maintenance.until());
        for (ProductState p : state.products.values()) due = Math.min(due, p.seenAt + forget);
        for (LiveAlert a : state.alerts) due = Math.min(due, due(state, a, forget));
        return due;
    }

    private long due(CameraState state, LiveAlert a, long forget) {
        long due = Long.MAX_VALUE;
        if (a.shelvedUntil != 0) due = a.shelvedUntil;
        else if (!a.active) due = a.writtenAt + forget;
        if (a.newerCounts) due = Math.min(due, a.writtenAt + COUNT_MICROS);
        long renotify = micros(policies.of(state.camera, a.product).renotify());
        if (asksForSomebody(a) && renotify > 0) due = Math.min(due, a.notifiedAt + renotify);
        return due;
    }

    private static long micros(Duration time) {
        return time.toNanos() / 1_000;
    }
}
