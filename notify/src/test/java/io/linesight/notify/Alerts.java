package io.linesight.notify;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertFrame;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.FrameRef;
import java.time.Instant;
import java.util.Map;

/** Alerts as the line writes them. */
public final class Alerts {
    private static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");

    private Alerts() {}

    public static Alert of(String camera, int number, AlertChange change) {
        AlertFrame frame = AlertFrame.newBuilder()
                .setResultId("linesight.frames.v1-0-" + number)
                .setFrameRef(new FrameRef("linesight.frames.v1", 0, (long) number))
                .setCapturedAt(AT)
                .setScore(0.9f)
                .setRawScore(Float.NaN)
                .setThreshold(2)
                .build();
        return Alert.newBuilder()
                .setAlertId("DEFECT-ANOMALOUS-" + camera + "-" + number)
                .setRevision(1)
                .setCameraId(camera)
                .setLineId("line 1")
                .setProduct("flange")
                .setKind(AlertKind.DEFECT)
                .setCondition("ANOMALOUS")
                .setChange(change)
                .setState(AlertState.ACTIVE_UNACKNOWLEDGED)
                .setActive(true)
                .setSeverity(AlertSeverity.MEDIUM)
                .setOpenedAt(AT)
                .setLastAt(AT)
                .setFirst(frame)
                .setAttributes(Map.of("lot", "A 17"))
                .setMessage("3 of 5 frames were anomalous")
                .setAt(AT)
                .build();
    }
}
