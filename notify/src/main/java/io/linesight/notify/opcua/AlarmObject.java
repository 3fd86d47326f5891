package io.linesight.notify.opcua;

import io.linesight.notify.AvroJson;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.AlertState;
import java.time.Instant;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.model.objects.AlarmConditionTypeNode;
import org.eclipse.milo.opcua.sdk.server.model.variables.TwoStateVariableTypeNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaObjectNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.sdk.server.nodes.factories.NodeFactory;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;

/** An alert as an {@code AlarmConditionType} of OPC UA Part 9. The node is also the event that is sent. */
final class AlarmObject {
    private final AlarmConditionTypeNode node;
    private final UaVariableNode content;
    private final EventIds ids;
    private volatile Alert alert;

    /** What becomes of the methods of a condition. */
    interface Methods {
        void add(AlarmObject alarm, UaMethodNode method);
    }

    AlarmObject(
            Nodes nodes,
            NodeFactory factory,
            UaObjectNode folder,
            UaObjectNode source,
            EventIds ids,
            Alert alert,
            Methods methods)
            throws UaException {
        this.ids = ids;
        this.alert = alert;
        NodeId id = nodes.id("alarm=" + Source.escaped(alert.getAlertId()));
        node = (AlarmConditionTypeNode)
                factory.createNode(id, NodeIds.AlarmConditionType, new NodeFactory.InstantiationCallback() {
                    @Override
                    public boolean includeOptionalNode(NodeId type, QualifiedName name) {
                        return name.getName() != null && name.getName().equals("SuppressedState");
                    }

                    @Override
                    public void onMethodAdded(UaObjectNode parent, UaMethodNode method) {
                        methods.add(AlarmObject.this, method);
                    }
                });
        node.setBrowseName(nodes.name(Source.escaped(alert.getAlertId())));
        node.setDisplayName(LocalizedText.english(Source.readable(alert.getAlertId())));
        node.addReference(
                new Reference(id, NodeIds.HasComponent, folder.getNodeId().expanded(), false));
        node.addReference(
                new Reference(id, NodeIds.HasCondition, source.getNodeId().expanded(), false));
        content = nodes.variable(node, "Alert", NodeIds.String);
        setConstants(Source.of(alert), source.getNodeId());
    }

    private void setConstants(Source source, NodeId sourceNode) {
        node.setEventType(NodeIds.AlarmConditionType);
        node.setSourceNode(sourceNode);
        node.setSourceName(source.path());
        node.setConditionName(alert.getKind() + " " + Source.readable(alert.getCondition()));
        node.setConditionClassId(NodeIds.ProcessConditionClassType);
        node.setConditionClassName(LocalizedText.english("ProcessConditionClass"));
        node.setBranchId(NodeId.NULL_VALUE);
        node.setInputNode(NodeId.NULL_VALUE);
        node.setQuality(StatusCode.GOOD);
        set(node.getEnabledStateNode(), true, "Enabled", "Disabled");
        node.setLastSeverity(severity(AlertSeverity.UNKNOWN));
    }

    Alert alert() {
        return alert;
    }

    AlarmConditionTypeNode node() {
        return node;
    }

    /** Shows a newer revision; the event that it makes is {@link #node}. */
    void show(Alert next) {
        if (next.getSeverity() != alert.getSeverity()) node.setLastSeverity(severity(alert.getSeverity()));
        alert = next;
        Instant at = next.getAt();
        node.setEventId(ids.next(next));
        node.setTime(Nodes.time(at));
        node.setReceiveTime(DateTime.now());
        node.setMessage(LocalizedText.english(next.getMessage()));
        node.setSeverity(severity(next.getSeverity()));
        // A client lists a condition as long as it is retained.
        node.setRetain(next.getState() != AlertState.CLOSED);
        node.setComment(LocalizedText.english(next.getReason()));
        node.setClientUserId(next.getBy());
        node.setSuppressedOrShelved(next.getState() == AlertState.SHELVED || next.getState() == AlertState.SUPPRESSED);
        set(node.getActiveStateNode(), next.getActive(), "Active", "Inactive");
        set(node.getAckedStateNode(), next.getAcknowledged(), "Acknowledged", "Unacknowledged");
        TwoStateVariableTypeNode suppressed = node.getSuppressedStateNode();
        if (suppressed != null) set(suppressed, next.getState() == AlertState.SUPPRESSED, "Suppressed", "Unsuppressed");
        Nodes.set(content, AvroJson.of(next).toString(), at);
    }

    private static void set(TwoStateVariableTypeNode variable, boolean value, String whenTrue, String whenFalse) {
        variable.setValue(new DataValue(new Variant(LocalizedText.english(value ? whenTrue : whenFalse))));
        variable.setId(value);
    }

    /** In the range of Part 5, 1 to 1,000, where 1 is the least. */
    private static UShort severity(AlertSeverity severity) {
        return Unsigned.ushort(
                switch (severity) {
                    case UNKNOWN -> 1;
                    case LOW -> 250;
                    case MEDIUM -> 500;
                    case HIGH -> 750;
                    case CRITICAL -> 1_000;
                });
    }

    void delete() {
        node.delete();
    }
}
