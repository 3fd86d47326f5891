package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.streams.alert.CameraState.Closed;
import io.linesight.streams.alert.CameraState.LiveAlert;
import io.linesight.streams.alert.CameraState.Maintenance;
import io.linesight.streams.alert.CameraState.Note;
import io.linesight.streams.config.AlertSettings;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What people do about alerts. Every action has an answer: a record that carries its id. */
final class ActionRules {

    private static final int REMEMBERED_ACTIONS = 32;
    private static final int MAX_NOTES = 20;
    private static final int MAX_TEXT = 1_000;

    private final AlertSettings limits;

    ActionRules(AlertSettings limits) {
        this.limits = limits;
    }

    /** @return false for an action that was read before */
    boolean apply(Turn turn, AlertAction action) {
        CameraState state = turn.state;
        if (state.actions.contains(action.getActionId())) return false;
        state.actions.add(action.getActionId());
        while (state.actions.size() > REMEMBERED_ACTIONS) state.actions.remove(0);
        switch (action.getAction()) {
            case START_MAINTENANCE -> startMaintenance(turn, action);
            case END_MAINTENANCE -> endMaintenance(turn, action);
            default -> onAlert(turn, action);
        }
        return true;
    }

    private void onAlert(Turn turn, AlertAction action) {
        LiveAlert a = find(turn.state, action.getAlertId());
        if (a == null) {
            refuse(turn, null, action, unknown(turn.state, action.getAlertId()));
            return;
        }
        String obstacle = changedSince(a, action.getBasedOn());
        if (obstacle == null) obstacle = obstacle(turn, a, action);
        if (obstacle != null) refuse(turn, a, action, obstacle);
        else carryOut(turn, a, action);
    }

    private static @Nullable LiveAlert find(CameraState state, @Nullable String id) {
        return state.alerts.stream().filter(a -> a.id.equals(id)).findFirst().orElse(null);
    }

    private static String unknown(CameraState state, @Nullable String id) {
        for (Closed c : state.closed)
            if (c.id().equals(id)) return "the alert was closed at " + text(c.at()) + " (" + c.how() + ")";
        return "there is no open alert of this id at this camera";
    }

    /** Why an action based on what somebody saw is too late; null where it is not. */
    private static @Nullable String changedSince(LiveAlert a, @Nullable Long basedOn) {
        if (basedOn == null || basedOn >= a.stateRevision && basedOn <= a.revision) return null;
        return basedOn > a.revision
                ? "it is based on revision " + basedOn + ", and the alert has only reached " + a.revision
                : "the alert has changed since revision " + basedOn + ": " + a.lastChange + " (revision "
                        + a.stateRevision + ")";
    }

    private @Nullable String obstacle(Turn turn, LiveAlert a, AlertAction action) {
        return switch (action.getAction()) {
            case ACKNOWLEDGE -> a.acknowledged ? "it is acknowledged already, by " + a.acknowledgedBy : null;
            case SHELVE -> wrongEnd(turn, action.getUntil());
            case UNSHELVE -> a.shelvedUntil == 0 ? "it is not shelved" : null;
            case CLOSE -> null;
            case NOTE -> action.getNote().isBlank() ? "the note is empty" : null;
            default -> "this version of Linesight does not know the action";
        };
    }

    private @Nullable String wrongEnd(Turn turn, @Nullable Instant until) {
        if (until == null) return "it has no end";
        long end = AlertRecords.micros(until);
        if (end <= turn.now) return "its end " + until + " has passed";
        Duration max = limits.maxShelve();
        if (end - turn.now > max.toNanos() / 1_000)
            return "its end " + until + " is more than " + max.toSeconds()
                    + " s ahead, the most that linesight.alerts.shelve.max.ms allows";
        return null;
    }

    private static void carryOut(Turn turn, LiveAlert a, AlertAction action) {
        Turn.Author author = author(action);
        if (!action.getNote().isBlank()) note(turn, a, author);
        a.announced = true;
        switch (action.getAction()) {
            case ACKNOWLEDGE -> {
                a.acknowledged = true;
                a.acknowledgedBy = author.by();
                turn.tell(a, AlertChange.ACKNOWLEDGED, turn.now, author);
            }
            case SHELVE -> {
                a.shelvedUntil = AlertRecords.micros(action.getUntil());
                turn.tell(a, AlertChange.SHELVED, turn.now, author);
            }
            case UNSHELVE -> {
                a.shelvedUntil = 0;
                a.notifiedAt = turn.now;
                turn.tell(a, AlertChange.UNSHELVED, turn.now, author);
            }
            case CLOSE -> {
                startOver(turn, a);
                turn.close(a, turn.now, author);
            }
            default -> turn.tell(a, AlertChange.NOTED, turn.now, author);
        }
    }

    private static void note(Turn turn, LiveAlert a, Turn.Author author) {
        a.notes.add(new Note(author.by(), turn.now, author.reason()));
        while (a.notes.size() > MAX_NOTES) a.notes.remove(0);
    }

    /** Where the condition still holds, it has to show itself again; and how images are now is the usual. */
    private static void startOver(Turn turn, LiveAlert a) {
        CameraState state = turn.state;
        if (a.kind == AlertKind.DRIFT) DriftRules.forget(turn, FrameRules.key(a.product));
        if (a.kind != AlertKind.CAMERA) return;
        state.runs.remove(a.condition);
        if (a.condition.equals(Conditions.FROZEN)) state.samePixels = 0;
        if (a.condition.equals(Conditions.BLURRED)) state.products.values().forEach(p -> p.sharpnessFrames = 0);
    }

    private void startMaintenance(Turn turn, AlertAction action) {
        String obstacle = turn.state.camera.isEmpty() ? "it names no camera" : wrongEnd(turn, action.getUntil());
        if (obstacle != null) {
            refuse(turn, null, action, obstacle);
            return;
        }
        Maintenance before = turn.state.maintenance;
        Turn.Author author = author(action);
        Maintenance m = new Maintenance(
                before == null ? Conditions.MAINTENANCE + "-" + action.getActionId() : before.id(),
                before == null ? turn.now : before.since(),
                AlertRecords.micros(action.getUntil()),
                author.by(),
                author.reason(),
                before == null ? 1 : before.revision() + 1);
        turn.state.maintenance = m;
        turn.tell(AlertRecords.maintenance(
                turn.state, m, new AlertRecords.Change(AlertChange.MAINTENANCE_STARTED, false, turn.now, author)));
    }

    private static void endMaintenance(Turn turn, AlertAction action) {
        if (turn.state.maintenance == null) refuse(turn, null, action, "the camera is not in maintenance");
        else endMaintenance(turn, author(action));
    }

    /** Ends it, and counts silence from now on. */
    static void endMaintenance(Turn turn, Turn.Author author) {
        Maintenance m = turn.state.maintenance;
        if (m == null) return;
        turn.state.maintenance = null;
        turn.state.seenAt = Math.max(turn.state.seenAt, turn.now);
        Maintenance ended = new Maintenance(m.id(), m.since(), m.until(), m.by(), m.note(), m.revision() + 1);
        turn.tell(AlertRecords.maintenance(
                turn.state, ended, new AlertRecords.Change(AlertChange.MAINTENANCE_ENDED, true, turn.now, author)));
    }

    private static void refuse(Turn turn, @Nullable LiveAlert a, AlertAction action, String why) {
        if (a != null) {
            turn.tell(
                    a, AlertChange.REFUSED, turn.now, new Turn.Author(cut(action.getBy()), why, action.getActionId()));
            return;
        }
        Alert answer = AlertRecords.refused(turn.state, action, why, turn.now);
        turn.tell(answer);
    }

    private static Turn.Author author(AlertAction action) {
        return new Turn.Author(cut(action.getBy()), cut(action.getNote()), action.getActionId());
    }

    private static String cut(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
    }

    private static String text(long micros) {
        return AlertRecords.instant(micros)
                .truncatedTo(java.time.temporal.ChronoUnit.SECONDS)
                .toString();
    }

    /** Whether the action is about an alert, which it has to name then. */
    static boolean isAboutAnAlert(AlertActionKind kind) {
        return kind != AlertActionKind.START_MAINTENANCE && kind != AlertActionKind.END_MAINTENANCE;
    }
}
