package io.linesight.notify.opcua;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.sdk.client.identity.AnonymousProvider;
import org.eclipse.milo.opcua.sdk.client.identity.UsernameProvider;
import org.eclipse.milo.opcua.sdk.client.subscriptions.EventFilterBuilder;
import org.eclipse.milo.opcua.sdk.client.subscriptions.OpcUaMonitoredItem;
import org.eclipse.milo.opcua.sdk.client.subscriptions.OpcUaSubscription;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.BrowseDirection;
import org.eclipse.milo.opcua.stack.core.types.enumerated.BrowseResultMask;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.SimpleAttributeOperand;
import org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateBuilder;
import org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateGenerator;

/** A client as a control room has it. */
public final class Scada implements AutoCloseable {
    static final String CLIENT_URI = "urn:scada:client";

    /** What an event of a condition says. */
    public record Event(
            ByteString id,
            NodeId type,
            String message,
            NodeId condition,
            boolean active,
            boolean acked,
            boolean retain) {}

    final OpcUaClient client;
    final List<Event> events = new CopyOnWriteArrayList<>();
    final List<DataValue> values = new CopyOnWriteArrayList<>();

    private Scada(OpcUaClient client) {
        this.client = client;
    }

    /** A client's keys, with a certificate that the server's folder trusts. */
    public record Keys(KeyPair pair, X509Certificate certificate) {
        public static Keys create() throws Exception {
            KeyPair pair = SelfSignedCertificateGenerator.generateRsaKeyPair(2048);
            return new Keys(
                    pair,
                    new SelfSignedCertificateBuilder(pair)
                            .setCommonName("scada")
                            .setApplicationUri(CLIENT_URI)
                            .build());
        }

        public void trustIn(Path folder) throws Exception {
            Path trusted = Files.createDirectories(folder.resolve("trusted").resolve("certs"));
            Files.write(trusted.resolve("scada.der"), certificate.getEncoded());
        }
    }

    public static Scada named(String url, Keys keys, String user, String password) throws Exception {
        OpcUaClient client = OpcUaClient.create(
                url,
                endpoints -> endpoints.stream()
                        .filter(e -> SecurityPolicy.Basic256Sha256.getUri().equals(e.getSecurityPolicyUri()))
                        .findFirst(),
                transport -> {},
                config -> config.setApplicationUri(CLIENT_URI)
                        .setKeyPair(keys.pair())
                        .setCertificate(keys.certificate())
                        .setCertificateChain(new X509Certificate[] {keys.certificate()})
                        .setRequestTimeout(Unsigned.uint(20_000))
                        .setIdentityProvider(new UsernameProvider(user, password)));
        return new Scada(client).connect();
    }

    public static Scada anonymous(String url) throws Exception {
        OpcUaClient client = OpcUaClient.create(
                url,
                endpoints -> endpoints.stream()
                        .filter(e -> SecurityPolicy.None.getUri().equals(e.getSecurityPolicyUri()))
                        .filter(e -> !e.getEndpointUrl().endsWith("/discovery"))
                        .findFirst(),
                transport -> {},
                config -> config.setIdentityProvider(AnonymousProvider.INSTANCE));
        return new Scada(client).connect();
    }

    private Scada connect() throws Exception {
        try {
            client.connect();
            return this;
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    private int index() {
        return client.getNamespaceTable().getIndex(LineSpace.URI).intValue();
    }

    public NodeId node(String id) {
        return new NodeId(index(), id);
    }

    DataValue read(String id) throws Exception {
        return client.readValue(0, TimestampsToReturn.Both, node(id));
    }

    public Object value(String id) throws Exception {
        return read(id).value().value();
    }

    /** Browse names below a node. */
    public List<String> browse(NodeId node) throws Exception {
        ReferenceDescription[] found = client.browse(new BrowseDescription(
                        node,
                        BrowseDirection.Forward,
                        NodeIds.HierarchicalReferences,
                        true,
                        Unsigned.uint(0),
                        Unsigned.uint(BrowseResultMask.All.getValue())))
                .getReferences();
        return found == null
                ? List.of()
                : Arrays.stream(found).map(r -> r.getBrowseName().name()).toList();
    }

    /** Collects values of one variable and events of all conditions. */
    public OpcUaSubscription subscribe(String variable) throws Exception {
        OpcUaSubscription subscription = new OpcUaSubscription(client, 100.0);
        subscription.create();
        OpcUaMonitoredItem data = OpcUaMonitoredItem.newDataItem(node(variable));
        data.setSamplingInterval(100.0);
        data.setDataValueListener((item, value) -> values.add(value));
        EventFilterBuilder filter = new EventFilterBuilder();
        for (String field : List.of("EventId", "EventType", "Message"))
            filter.select(NodeIds.BaseEventType, new QualifiedName(0, field));
        filter.select(new SimpleAttributeOperand(
                NodeIds.ConditionType, new QualifiedName[0], AttributeId.NodeId.uid(), null));
        QualifiedName id = new QualifiedName(0, "Id");
        filter.select(NodeIds.AlarmConditionType, new QualifiedName(0, "ActiveState"), id);
        filter.select(NodeIds.AcknowledgeableConditionType, new QualifiedName(0, "AckedState"), id);
        filter.select(NodeIds.ConditionType, new QualifiedName(0, "Retain"));
        OpcUaMonitoredItem alarms = OpcUaMonitoredItem.newEventItem(NodeIds.Server, filter.build());
        alarms.setQueueSize(Unsigned.uint(1_000));
        alarms.setEventValueListener((item, fields) -> events.add(event(fields)));
        subscription.addMonitoredItems(List.of(data, alarms));
        subscription.synchronizeMonitoredItems();
        return subscription;
    }

    private static Event event(Variant[] f) {
        return new Event(
                (ByteString) f[0].value(),
                (NodeId) f[1].value(),
                String.valueOf(((LocalizedText) f[2].value()).text()),
                (NodeId) f[3].value(),
                Boolean.TRUE.equals(f[4].value()),
                Boolean.TRUE.equals(f[5].value()),
                Boolean.TRUE.equals(f[6].value()));
    }

    /** Waits for an event of a condition. */
    public Event awaitEvent(String what, Predicate<Event> wanted) {
        Awaitility.await(what)
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> events.stream().anyMatch(wanted));
        return new ArrayList<>(events).stream().filter(wanted).findFirst().orElseThrow();
    }

    public StatusCode acknowledge(NodeId condition, ByteString event, String comment) throws Exception {
        return call(
                condition,
                NodeIds.AcknowledgeableConditionType_Acknowledge,
                new Variant(event),
                new Variant(LocalizedText.english(comment)));
    }

    public StatusCode call(NodeId object, NodeId method, Variant... arguments) throws Exception {
        CallMethodResult[] results = client.call(List.of(new CallMethodRequest(object, method, arguments)))
                .getResults();
        return results[0].getStatusCode();
    }

    @Override
    public void close() {
        try {
            client.disconnect();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
