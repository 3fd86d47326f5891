package io.linesight.app.cli.alerts;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertFrame;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What there is to say of an alert. */
final class Facts {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Facts() {}

    static ArrayNode array() {
        return JSON.createArrayNode();
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    static ObjectNode of(Alert a) {
        ObjectNode o = JSON.createObjectNode();
        o.put("alert", a.getAlertId());
        o.put("revision", a.getRevision());
        o.put("change", a.getChange().name());
        o.put("state", a.getState().name());
        o.put("kind", a.getKind().name());
        o.put("condition", a.getCondition());
        o.put("severity", a.getSeverity().name());
        o.put("camera", a.getCameraId());
        o.put("line", a.getLineId());
        o.put("product", a.getProduct());
        o.put("active", a.getActive());
        o.put("acknowledged", a.getAcknowledged());
        o.put("acknowledgedBy", a.getAcknowledgedBy());
        o.put("at", a.getAt().toString());
        o.put("openedAt", a.getOpenedAt().toString());
        o.put("lastAt", a.getLastAt().toString());
        o.put("clearedAt", text(a.getClearedAt()));
        o.put("closedAt", text(a.getClosedAt()));
        o.put("shelvedUntil", text(a.getShelvedUntil()));
        o.put("suppressedBy", a.getSuppressedBy());
        o.put("anomalousFrames", a.getAnomalousFrames());
        o.put("frames", a.getFrames());
        frame(o, "first", a.getFirst());
        frame(o, "worst", a.getWorst());
        frame(o, "last", a.getLast());
        o.set("attributes", JSON.valueToTree(a.getAttributes()));
        o.set("details", JSON.valueToTree(a.getDetails()));
        o.put("model", a.getModelVersion());
        o.put("policyRevision", a.getPolicyRevision());
        o.put("message", a.getMessage());
        o.put("by", a.getBy());
        o.put("reason", a.getReason());
        ArrayNode notes = o.putArray("notes");
        a.getNotes().forEach(n -> notes.addObject()
                .put("by", n.getBy())
                .put("at", n.getAt().toString())
                .put("text", n.getText()));
        return o;
    }

    private static void frame(ObjectNode o, String name, @Nullable AlertFrame f) {
        if (f == null) {
            o.putNull(name);
            return;
        }
        o.putObject(name)
                .put("result", f.getResultId())
                .put("frame", f.getFrameId())
                .put("capturedAt", f.getCapturedAt().toString())
                .put("score", f.getScore())
                .put("rawScore", f.getRawScore())
                .put("threshold", f.getThreshold());
    }

    private static @Nullable String text(@Nullable Instant at) {
        return at == null ? null : at.toString();
    }

    /** As people read it: {@code active, acknowledged}. */
    static String state(Alert a) {
        return switch (a.getState()) {
            case ACTIVE_UNACKNOWLEDGED -> "active";
            case ACTIVE_ACKNOWLEDGED -> "active, acknowledged";
            case CLEARED_UNACKNOWLEDGED -> "cleared, not acknowledged";
            default -> a.getState().name().toLowerCase(Locale.ROOT);
        };
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
