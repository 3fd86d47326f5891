package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertFrame;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertNote;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.FrameRef;
import io.linesight.streams.alert.CameraState.LiveAlert;
import io.linesight.streams.alert.CameraState.Maintenance;
import io.linesight.streams.alert.CameraState.Seen;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Alerts as records of their topic. */
final class AlertRecords {

    private AlertRecords() {}

    /**
     * A change.
     *
     * @param closes whether the alert is closed with it
     * @param at microseconds since 1970
     */
    record Change(AlertChange change, boolean closes, long at, Turn.Author author) {}

    static Alert of(CameraState state, LiveAlert a, Change c) {
        Instant at = instant(c.at);
        return Alert.newBuilder()
                .setAlertId(a.id)
                .setRevision(a.revision)
                .setStateRevision(a.stateRevision)
                .setCameraId(state.camera)
                .setLineId(state.line)
                .setProduct(a.product)
                .setKind(a.kind)
                .setCondition(a.condition)
                .setChange(c.change)
                .setState(c.closes ? AlertState.CLOSED : stateOf(a))
                .setActive(a.active)
                .setAcknowledged(a.acknowledged)
                .setSeverity(a.severity)
                .setOpenedAt(instant(a.openedAt))
                .setLastAt(instant(a.lastAt))
                .setClearedAt(a.clearedAt == 0 ? null : instant(a.clearedAt))
                .setClosedAt(c.closes ? at : null)
                .setShelvedUntil(a.shelvedUntil == 0 ? null : instant(a.shelvedUntil))
                .setSuppressedBy(a.suppressedBy)
                .setAnomalousFrames(a.anomalous)
                .setFrames(a.frames)
                .setFirst(frame(a.first))
                .setWorst(frame(a.worst))
                .setLast(frame(a.last))
                .setAttributes(new TreeMap<>(a.attributes))
                .setModelVersion(a.model)
                .setPolicyRevision(a.policyRevision)
                .setMessage(Messages.of(state, a))
                .setDetails(new TreeMap<>(a.details))
                .setActionId(c.author.actionId())
                .setBy(c.author.by())
                .setReason(c.author.reason())
                .setAcknowledgedBy(a.acknowledgedBy)
                .setNotes(a.notes.stream()
                        .map(n -> new AlertNote(n.by(), instant(n.at()), n.text()))
                        .toList())
                .setAt(at)
                .build();
    }

    private static AlertState stateOf(LiveAlert a) {
        if (a.shelvedUntil != 0) return AlertState.SHELVED;
        if (a.suppressedBy != null) return AlertState.SUPPRESSED;
        if (!a.active) return AlertState.CLEARED_UNACKNOWLEDGED;
        return a.acknowledged ? AlertState.ACTIVE_ACKNOWLEDGED : AlertState.ACTIVE_UNACKNOWLEDGED;
    }

    /** The answer to an action on an alert that there is not: a record of its own, which no alert has. */
    static Alert refused(CameraState state, AlertAction action, String reason, long now) {
        Instant at = instant(now);
        Map<String, String> details = new TreeMap<>();
        if (action.getAlertId() != null) details.put("alertId", action.getAlertId());
        return Alert.newBuilder()
                .setAlertId("REFUSED-" + action.getActionId())
                .setRevision(1)
                .setCameraId(action.getCameraId())
                .setLineId(state.line)
                .setKind(AlertKind.UNKNOWN)
                .setChange(AlertChange.REFUSED)
                .setState(AlertState.CLOSED)
                .setSeverity(AlertSeverity.UNKNOWN)
                .setOpenedAt(at)
                .setLastAt(at)
                .setClosedAt(at)
                .setMessage("An action of " + action.getBy() + " was refused.")
                .setDetails(details)
                .setActionId(action.getActionId())
                .setBy(action.getBy())
                .setReason(reason)
                .setAt(at)
                .build();
    }

    static Alert maintenance(CameraState state, Maintenance m, Change c) {
        boolean ended = c.change == AlertChange.MAINTENANCE_ENDED;
        return Alert.newBuilder()
                .setAlertId(m.id())
                .setRevision(m.revision())
                .setStateRevision(m.revision())
                .setCameraId(state.camera)
                .setLineId(state.line)
                .setKind(AlertKind.CAMERA)
                .setCondition(Conditions.MAINTENANCE)
                .setChange(c.change)
                .setState(ended ? AlertState.CLOSED : AlertState.SUPPRESSED)
                .setActive(!ended)
                .setAcknowledged(true)
                .setAcknowledgedBy(m.by())
                .setSeverity(AlertSeverity.LOW)
                .setOpenedAt(instant(m.since()))
                .setLastAt(instant(c.at))
                .setClosedAt(ended ? instant(c.at) : null)
                .setShelvedUntil(instant(m.until()))
                .setMessage("Camera " + state.camera + " is in maintenance" + (ended ? " no longer." : "."))
                .setActionId(c.author.actionId())
                .setBy(c.author.by())
                .setReason(c.author.reason())
                .setAt(instant(c.at))
                .build();
    }

    /** A record that is written to nowhere, so that its schema is registered. */
    static Alert sample() {
        AlertAction nothing = AlertAction.newBuilder()
                .setActionId("")
                .setAction(AlertActionKind.NOTE)
                .setBy("")
                .setAt(Instant.EPOCH)
                .build();
        return refused(new CameraState(), nothing, "", 0);
    }

    private static @Nullable AlertFrame frame(@Nullable Seen s) {
        if (s == null) return null;
        return new AlertFrame(
                s.resultId(),
                new FrameRef(s.topic(), s.partition(), s.offset()),
                s.frameId(),
                instant(s.capturedAt()),
                s.score(),
                s.rawScore(),
                s.threshold());
    }

    static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    static long micros(Instant at) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, at);
    }
}
