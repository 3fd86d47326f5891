package io.linesight.notify.opcua;

import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.eclipse.milo.opcua.sdk.core.AccessLevel;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.nodes.UaFolderNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaNodeContext;
import org.eclipse.milo.opcua.sdk.server.nodes.UaObjectNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.sdk.server.nodes.filters.AttributeFilter;
import org.eclipse.milo.opcua.sdk.server.nodes.filters.AttributeFilters;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.jspecify.annotations.Nullable;

/**
 * Makes nodes of our namespace. All variables are read-only, and uncertain while Kafka or the registry is unavailable.
 */
final class Nodes {
    private static final StatusCode STALE = new StatusCode(StatusCodes.Uncertain_NoCommunicationLastUsableValue);
    private static final StatusCode NONE_YET = new StatusCode(StatusCodes.Bad_WaitingForInitialData);
    /** What OPC UA's times can hold. */
    private static final Instant MAX_TIME = Instant.parse("9999-12-31T00:00:00Z");

    private static final Instant MIN_TIME = Instant.parse("1601-01-01T00:00:00Z");

    private final UaNodeContext context;
    private final UShort index;
    private final AttributeFilter freshness;

    Nodes(UaNodeContext context, UShort index, BooleanSupplier fresh) {
        this.context = context;
        this.index = index;
        freshness = AttributeFilters.getValue(c -> {
            DataValue value = (DataValue) c.getAttribute(AttributeId.Value);
            return fresh.getAsBoolean() || !value.statusCode().isGood()
                    ? value
                    : new DataValue(value.value(), STALE, value.getSourceTime(), value.getServerTime());
        });
    }

    NodeId id(String id) {
        return new NodeId(index, id);
    }

    QualifiedName name(String name) {
        return new QualifiedName(index, name);
    }

    UaObjectNode folder(UaNode parent, String id, String name) {
        UaFolderNode folder = new UaFolderNode(context, id(id), name(name), LocalizedText.english(name));
        return under(parent, folder, NodeIds.Organizes);
    }

    UaObjectNode object(UaNode parent, String id, String browseName, String displayName) {
        UaObjectNode object = UaObjectNode.builder(context)
                .setNodeId(id(id))
                .setBrowseName(name(browseName))
                .setDisplayName(LocalizedText.english(displayName))
                .setTypeDefinition(NodeIds.BaseObjectType)
                .build();
        return under(parent, object, NodeIds.HasComponent);
    }

    private <N extends UaNode> N under(UaNode parent, N node, NodeId reference) {
        context.getNodeManager().addNode(node);
        node.addReference(
                new Reference(node.getNodeId(), reference, parent.getNodeId().expanded(), false));
        return node;
    }

    /** A variable of a component; without a value until {@link #set}. */
    UaVariableNode variable(UaObjectNode parent, String name, NodeId type) {
        UaVariableNode variable = UaVariableNode.builder(context)
                .setNodeId(id(parent.getNodeId().getIdentifier() + "/" + name))
                .setBrowseName(name(name))
                .setDisplayName(LocalizedText.english(name))
                .setDataType(type)
                .setTypeDefinition(NodeIds.BaseDataVariableType)
                .setAccessLevel(AccessLevel.READ_ONLY)
                .setUserAccessLevel(AccessLevel.READ_ONLY)
                .setValue(new DataValue(Variant.NULL_VALUE, NONE_YET))
                .build();
        keepFresh(variable);
        return under(parent, variable, NodeIds.HasComponent);
    }

    /** Makes the variable uncertain while nothing newer can arrive. */
    void keepFresh(UaVariableNode variable) {
        variable.getFilterChain().addLast(freshness);
    }

    static void set(UaVariableNode variable, @Nullable Object value, Instant at) {
        variable.setValue(new DataValue(Variant.of(value), StatusCode.GOOD, time(at), DateTime.now()));
    }

    /** The nearest time that OPC UA can say. */
    static DateTime time(Instant at) {
        return new DateTime(at.isBefore(MIN_TIME) ? MIN_TIME : at.isAfter(MAX_TIME) ? MAX_TIME : at);
    }
}
