package io.linesight.notify.opcua;

import io.linesight.notify.AvroJson;
import io.linesight.notify.opcua.LineState.Summary;
import io.linesight.schemas.InspectionResult;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.eclipse.milo.opcua.sdk.server.nodes.UaObjectNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a camera, a product or the line: state, number of open alerts, and the last result. Names of a result's
 * variables are those of {@code ResultDataType} of OPC 40100-1 where that has such a field.
 */
final class SourceObject {
    /** Of OPC 40100-1: processing was carried out completely. */
    private static final int COMPLETED = 1;

    private static final String PART = "part";

    private static final Map<String, NodeId> RESULT = new LinkedHashMap<>();

    static {
        RESULT.put("ResultId", NodeIds.String);
        RESULT.put("IsPartial", NodeIds.Boolean);
        RESULT.put("ResultState", NodeIds.Int32);
        RESULT.put("PartId", NodeIds.String);
        RESULT.put("ProductId", NodeIds.String);
        RESULT.put("CreationTime", NodeIds.DateTime);
        RESULT.put("ResultContent", NodeIds.String);
        RESULT.put("Verdict", NodeIds.String);
        RESULT.put("Reason", NodeIds.String);
        RESULT.put("Score", NodeIds.Float);
        RESULT.put("RawScore", NodeIds.Float);
        RESULT.put("Threshold", NodeIds.Float);
        RESULT.put("ModelVersion", NodeIds.String);
        RESULT.put("CapturedAt", NodeIds.DateTime);
        RESULT.put("FrameId", NodeIds.String);
        RESULT.put("FrameTopic", NodeIds.String);
        RESULT.put("FramePartition", NodeIds.Int32);
        RESULT.put("FrameOffset", NodeIds.Int64);
    }

    private final Nodes nodes;
    private final UaObjectNode object;
    private final UaVariableNode state;
    private final UaVariableNode openAlerts;
    private final Map<String, UaVariableNode> result = new LinkedHashMap<>();
    private @Nullable Summary shown;
    private @Nullable InspectionResult last;

    SourceObject(Nodes nodes, UaObjectNode object) {
        this.nodes = nodes;
        this.object = object;
        state = nodes.variable(object, "State", NodeIds.String);
        openAlerts = nodes.variable(object, "OpenAlerts", NodeIds.UInt32);
    }

    UaObjectNode object() {
        return object;
    }

    void show(Summary summary, Instant at) {
        if (summary.equals(shown)) return;
        shown = summary;
        Nodes.set(state, summary.state(), at);
        Nodes.set(openAlerts, Unsigned.uint(summary.openAlerts()), at);
    }

    void show(InspectionResult r) {
        if (r == last) return;
        last = r;
        if (result.isEmpty()) {
            UaObjectNode parent = nodes.object(
                    object, object.getNodeId().getIdentifier() + "/LastResult", "LastResult", "LastResult");
            RESULT.forEach((name, type) -> result.put(name, nodes.variable(parent, name, type)));
        }
        Instant at = r.getScoredAt();
        set("ResultId", r.getResultId(), at);
        set("IsPartial", false, at);
        set("ResultState", COMPLETED, at);
        set("PartId", r.getAttributes().getOrDefault(PART, ""), at);
        set("ProductId", r.getProduct(), at);
        set("CreationTime", Nodes.time(at), at);
        set("ResultContent", AvroJson.of(r).toString(), at);
        set("Verdict", r.getVerdict().name(), at);
        set("Reason", r.getReason(), at);
        set("Score", r.getScore(), at);
        set("RawScore", r.getRawScore(), at);
        set("Threshold", r.getThreshold(), at);
        set("ModelVersion", r.getModelVersion(), at);
        set("CapturedAt", Nodes.time(r.getCapturedAt()), at);
        set("FrameId", r.getFrameId(), at);
        set("FrameTopic", r.getFrameRef().getTopic(), at);
        set("FramePartition", r.getFrameRef().getPartition(), at);
        set("FrameOffset", r.getFrameRef().getOffset(), at);
    }

    private void set(String name, @Nullable Object value, Instant at) {
        Nodes.set(result.get(name), value, at);
    }

    void delete() {
        object.delete();
    }
}
