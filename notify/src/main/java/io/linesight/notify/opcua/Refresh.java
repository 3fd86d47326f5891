package io.linesight.notify.opcua;

import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.Session;
import org.eclipse.milo.opcua.sdk.server.items.BaseMonitoredItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredEventItem;
import org.eclipse.milo.opcua.sdk.server.methods.AbstractMethodInvocationHandler;
import org.eclipse.milo.opcua.sdk.server.methods.AbstractMethodInvocationHandler.InvocationContext;
import org.eclipse.milo.opcua.sdk.server.model.objects.BaseEventTypeNode;
import org.eclipse.milo.opcua.sdk.server.model.objects.ConditionType.ConditionRefresh2Method;
import org.eclipse.milo.opcua.sdk.server.model.objects.ConditionType.ConditionRefreshMethod;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.subscriptions.Subscription;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.util.NonceUtil;

/**
 * {@code ConditionRefresh} of Part 9: a client that subscribes late is told of all conditions that are retained. Milo's
 * own says only that a refresh begins and ends.
 */
final class Refresh {
    private final OpcUaServer server;
    private final LineSpace space;

    private Refresh(OpcUaServer server, LineSpace space) {
        this.server = server;
        this.space = space;
    }

    static void install(OpcUaServer server, LineSpace space) {
        Refresh refresh = new Refresh(server, space);
        UaMethodNode all = refresh.method(NodeIds.ConditionType_ConditionRefresh);
        refresh.install(all, new ConditionRefreshMethod(all) {
            @Override
            protected void invoke(InvocationContext context, UInteger subscription) throws UaException {
                if (!refresh.run(context, subscription, item -> true))
                    throw new UaException(StatusCodes.Bad_NothingToDo);
            }
        });
        UaMethodNode one = refresh.method(NodeIds.ConditionType_ConditionRefresh2);
        refresh.install(one, new ConditionRefresh2Method(one) {
            @Override
            protected void invoke(InvocationContext context, UInteger subscription, UInteger item) throws UaException {
                if (!refresh.run(context, subscription, i -> i.getId().equals(item)))
                    throw new UaException(StatusCodes.Bad_MonitoredItemIdInvalid);
            }
        });
    }

    private UaMethodNode method(NodeId id) {
        return (UaMethodNode) server.getAddressSpaceManager().getManagedNode(id).orElseThrow();
    }

    private void install(UaMethodNode method, AbstractMethodInvocationHandler handler) {
        method.setInvocationHandler(handler);
        method.setInputArguments(handler.getInputArguments());
    }

    /** @return false when no item of the subscription wants events */
    private boolean run(InvocationContext context, UInteger id, Predicate<BaseMonitoredItem<?>> wanted)
            throws UaException {
        Session session = context.getSession().orElseThrow(() -> new UaException(StatusCodes.Bad_SessionIdInvalid));
        Subscription subscription = session.getSubscriptionManager().getSubscription(id);
        if (subscription == null) throw new UaException(StatusCodes.Bad_SubscriptionIdInvalid);
        List<MonitoredEventItem> items = subscription.getMonitoredItems().values().stream()
                .filter(wanted)
                .filter(MonitoredEventItem.class::isInstance)
                .map(MonitoredEventItem.class::cast)
                .toList();
        if (items.isEmpty()) return false;
        BaseEventTypeNode start = event(NodeIds.RefreshStartEventType, "RefreshStart");
        BaseEventTypeNode end = event(NodeIds.RefreshEndEventType, "RefreshEnd");
        try {
            items.forEach(i -> i.onEvent(start));
            space.forEachCondition(condition -> items.forEach(i -> i.onEvent(condition)));
            items.forEach(i -> i.onEvent(end));
        } finally {
            start.delete();
            end.delete();
        }
        return true;
    }

    private BaseEventTypeNode event(NodeId type, String name) throws UaException {
        BaseEventTypeNode event = server.getEventFactory().createEvent(new NodeId(1, UUID.randomUUID()), type);
        event.setBrowseName(new QualifiedName(1, name));
        event.setDisplayName(LocalizedText.english(name));
        event.setEventId(NonceUtil.generateNonce(16));
        event.setEventType(type);
        event.setSourceNode(NodeIds.Server);
        event.setSourceName("Server");
        event.setTime(DateTime.now());
        event.setReceiveTime(DateTime.now());
        event.setMessage(LocalizedText.english(name));
        event.setSeverity(Unsigned.ushort(1));
        return event;
    }
}
