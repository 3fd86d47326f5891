package io.linesight.notify.opcua;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.ManagedNamespaceWithLifecycle;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.Session;
import org.eclipse.milo.opcua.sdk.server.identity.Identity;
import org.eclipse.milo.opcua.sdk.server.items.DataItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredItem;
import org.eclipse.milo.opcua.sdk.server.methods.AbstractMethodInvocationHandler.InvocationContext;
import org.eclipse.milo.opcua.sdk.server.model.objects.AcknowledgeableConditionType.AcknowledgeMethod;
import org.eclipse.milo.opcua.sdk.server.model.objects.BaseEventTypeNode;
import org.eclipse.milo.opcua.sdk.server.model.objects.ConditionType.AddCommentMethod;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaObjectNode;
import org.eclipse.milo.opcua.sdk.server.util.SubscriptionModel;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes of the line, kept as {@link LineState} has it. One thread shows; clients read, browse and call on threads
 * of Milo.
 */
final class LineSpace extends ManagedNamespaceWithLifecycle {
    static final String URI = "urn:io.linesight:opcua";
    private static final Logger LOG = LoggerFactory.getLogger(LineSpace.class);
    private static final int MAX_NOTE = 2_000;

    private final Nodes nodes;
    private final SubscriptionModel subscriptions;
    private final Acknowledger acknowledger;
    private final EventIds ids = new EventIds();
    private final Map<Source, SourceObject> sources = new HashMap<>();
    private final Map<String, AlarmObject> alarms = new HashMap<>();
    private final UaObjectNode cameras;
    private final UaObjectNode alarmFolder;
    private volatile boolean fresh = true;

    LineSpace(OpcUaServer server, Acknowledger acknowledger) {
        super(server, URI);
        this.acknowledger = acknowledger;
        nodes = new Nodes(getNodeContext(), getNamespaceIndex(), () -> fresh);
        subscriptions = new SubscriptionModel(server, this);
        getLifecycleManager().addLifecycle(subscriptions);
        UaNode objects = server.getAddressSpaceManager()
                .getManagedNode(NodeIds.ObjectsFolder)
                .orElseThrow();
        UaObjectNode line = nodes.object(objects, Source.LINE.id(), "Linesight", "Linesight");
        line.addReference(new Reference(
                line.getNodeId(), NodeIds.Organizes, objects.getNodeId().expanded(), false));
        sources.put(Source.LINE, new SourceObject(nodes, line));
        cameras = nodes.folder(line, "line/Cameras", "Cameras");
        alarmFolder = nodes.folder(line, "line/Alarms", "Alarms");
    }

    /** Whether what is shown can be the newest: Kafka and the registry answer. */
    void setFresh(boolean now) {
        fresh = now;
    }

    boolean isFresh() {
        return fresh;
    }

    /** Shows everything; nobody is told. */
    synchronized void showAll(LineState state, Instant now) {
        removeForgotten(state);
        state.sources().forEach(s -> showSource(s, state, now));
        for (Alert alert : state.alerts()) {
            AlarmObject alarm = alarm(alert);
            if (alarm != null) alarm.show(alert);
        }
    }

    /** Shows the newest result of a source. */
    synchronized void showResult(Source source, LineState state, Instant now) {
        showSource(source, state, now);
    }

    /** Shows a change of an alert, and tells the clients. */
    synchronized void showAlert(Alert alert, LineState state) {
        Source source = Source.of(alert);
        for (Source s : Set.of(source, source.parent(), Source.LINE)) showSource(s, state, alert.getAt());
        if (LineState.isMaintenance(alert)) return;
        AlarmObject alarm = alarm(alert);
        if (alarm == null) return;
        alarm.show(alert);
        getServer().getEventNotifier().fire(alarm.node());
        if (alert.getState() == AlertState.CLOSED) {
            alarms.remove(alert.getAlertId());
            alarm.delete();
        }
    }

    /** Removes what the state has forgotten. */
    synchronized void removeForgotten(LineState state) {
        Set<Source> gone = new HashSet<>(sources.keySet());
        gone.removeAll(state.sources());
        // Products before their cameras.
        gone.stream().sorted(Comparator.comparing(s -> s.product().isEmpty())).forEach(s -> sources.remove(s)
                .delete());
    }

    private SourceObject showSource(Source source, LineState state, Instant at) {
        SourceObject object = object(source);
        object.show(state.summary(source), at);
        state.lastResult(source).ifPresent(object::show);
        return object;
    }

    private SourceObject object(Source source) {
        SourceObject known = sources.get(source);
        if (known != null) return known;
        UaNode parent =
                source.product().isEmpty() ? cameras : object(source.parent()).object();
        String last = source.product().isEmpty() ? source.camera() : source.product();
        UaObjectNode object = nodes.object(parent, source.id(), Source.escaped(last), source.name());
        object.addReference(
                new Reference(object.getNodeId(), NodeIds.HasEventSource, NodeIds.Server.expanded(), false));
        SourceObject created = new SourceObject(nodes, object);
        sources.put(source, created);
        return created;
    }

    /** @return null when it was closed before anybody saw it, or cannot be made */
    private @Nullable AlarmObject alarm(Alert alert) {
        AlarmObject known = alarms.get(alert.getAlertId());
        if (known != null || alert.getState() == AlertState.CLOSED) return known;
        try {
            AlarmObject created = new AlarmObject(
                    nodes,
                    getNodeFactory(),
                    alarmFolder,
                    object(Source.of(alert)).object(),
                    ids,
                    alert,
                    this::addMethod);
            alarms.put(alert.getAlertId(), created);
            return created;
        } catch (UaException e) {
            LOG.error("Alert {} is not shown", Source.readable(alert.getAlertId()), e);
            return null;
        }
    }

    private void addMethod(AlarmObject alarm, UaMethodNode method) {
        String name = String.valueOf(method.getBrowseName().getName());
        if (name.equals("Acknowledge"))
            method.setInvocationHandler(new AcknowledgeMethod(method) {
                @Override
                protected void invoke(InvocationContext context, ByteString event, LocalizedText comment)
                        throws UaException {
                    act(AlertActionKind.ACKNOWLEDGE, alarm, context, event, comment);
                }
            });
        else if (name.equals("AddComment"))
            method.setInvocationHandler(new AddCommentMethod(method) {
                @Override
                protected void invoke(InvocationContext context, ByteString event, LocalizedText comment)
                        throws UaException {
                    act(AlertActionKind.NOTE, alarm, context, event, comment);
                }
            });
    }

    private void act(
            AlertActionKind kind,
            AlarmObject alarm,
            InvocationContext context,
            @Nullable ByteString event,
            @Nullable LocalizedText comment)
            throws UaException {
        String user = context.getSession().map(LineSpace::userOf).orElse("");
        if (user.isEmpty()) throw new UaException(StatusCodes.Bad_UserAccessDenied, "log in with a name");
        Alert alert = alarm.alert();
        OptionalLong revision = EventIds.revision(event, alert);
        if (revision.isEmpty()) throw new UaException(StatusCodes.Bad_EventIdUnknown);
        if (kind == AlertActionKind.ACKNOWLEDGE && alert.getAcknowledged())
            throw new UaException(StatusCodes.Bad_ConditionBranchAlreadyAcked);
        if (!fresh) throw new UaException(StatusCodes.Bad_NoCommunication);
        StatusCode outcome = acknowledger.act(kind, alert, revision.getAsLong(), user, text(comment));
        if (!outcome.equals(StatusCode.GOOD)) throw new UaException(outcome.value());
    }

    private static String text(@Nullable LocalizedText comment) {
        String text = comment == null || comment.getText() == null ? "" : comment.getText();
        return text.length() <= MAX_NOTE ? text : text.substring(0, MAX_NOTE);
    }

    private static String userOf(Session session) {
        return session.getIdentity() instanceof Identity.UsernameIdentity named ? named.getUsername() : "";
    }

    /** Hands the open conditions to somebody, as they are. */
    synchronized void forEachCondition(Consumer<BaseEventTypeNode> consumer) {
        for (AlarmObject alarm : new ArrayList<>(alarms.values())) consumer.accept(alarm.node());
    }

    synchronized int sources() {
        return sources.size() - 1;
    }

    synchronized int alarms() {
        return alarms.size();
    }

    @Override
    public void onDataItemsCreated(List<DataItem> items) {
        subscriptions.onDataItemsCreated(items);
    }

    @Override
    public void onDataItemsModified(List<DataItem> items) {
        subscriptions.onDataItemsModified(items);
    }

    @Override
    public void onDataItemsDeleted(List<DataItem> items) {
        subscriptions.onDataItemsDeleted(items);
    }

    @Override
    public void onMonitoringModeChanged(List<MonitoredItem> items) {
        subscriptions.onMonitoringModeChanged(items);
    }
}
