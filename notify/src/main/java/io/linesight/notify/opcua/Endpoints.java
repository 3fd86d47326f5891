package io.linesight.notify.opcua;

import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.eclipse.milo.opcua.sdk.server.EndpointConfig;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfig;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.sdk.server.Session;
import org.eclipse.milo.opcua.sdk.server.identity.AbstractUsernameIdentityValidator;
import org.eclipse.milo.opcua.sdk.server.identity.AnonymousIdentityValidator;
import org.eclipse.milo.opcua.sdk.server.identity.CompositeValidator;
import org.eclipse.milo.opcua.sdk.server.identity.DefaultUsernameIdentity;
import org.eclipse.milo.opcua.sdk.server.identity.Identity;
import org.eclipse.milo.opcua.sdk.server.identity.IdentityValidator;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.transport.TransportProfile;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.structured.BuildInfo;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransport;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransportConfig;
import org.jspecify.annotations.Nullable;

/** What clients may connect to, and as whom: encrypted and by name, or openly where that was asked for. */
final class Endpoints {
    static final String PATH = "/linesight";
    private static final List<SecurityPolicy> POLICIES = List.of(
            SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes128_Sha256_RsaOaep, SecurityPolicy.Aes256_Sha256_RsaPss);

    private Endpoints() {}

    /** The URI that names this application in its certificate. */
    static String applicationUri(OpcUaConfig config) {
        return "urn:" + config.host() + ":linesight:opcua";
    }

    /** A server that is not started. */
    static OpcUaServer server(OpcUaConfig config, Certificates certificates, LogIns logIns) {
        OpcUaServerConfig server = OpcUaServerConfig.builder()
                .setApplicationName(LocalizedText.english("Linesight"))
                .setApplicationUri(applicationUri(config))
                .setProductUri("urn:io.linesight")
                .setBuildInfo(new BuildInfo("urn:io.linesight", "Linesight", "Linesight", "1", "", DateTime.now()))
                .setCertificateManager(certificates.manager())
                .setIdentityValidator(identities(config, logIns))
                .setEndpoints(endpoints(config, certificates.own()))
                .setLimits(new Limits())
                .build();
        return new OpcUaServer(
                server,
                profile -> profile == TransportProfile.TCP_UASC_UABINARY
                        ? new OpcTcpServerTransport(
                                OpcTcpServerTransportConfig.newBuilder().build())
                        : null);
    }

    private static IdentityValidator identities(OpcUaConfig config, LogIns logIns) {
        List<IdentityValidator> validators = new ArrayList<>();
        validators.add(new ByName(logIns));
        if (config.anonymous()) validators.add(AnonymousIdentityValidator.INSTANCE);
        return new CompositeValidator(validators);
    }

    private static Set<EndpointConfig> endpoints(OpcUaConfig config, X509Certificate certificate) {
        Set<EndpointConfig> endpoints = new LinkedHashSet<>();
        EndpointConfig.Builder base = EndpointConfig.newBuilder()
                .setTransportProfile(TransportProfile.TCP_UASC_UABINARY)
                .setBindAddress(config.bind())
                .setBindPort(config.port())
                .setHostname(config.host())
                .setPath(PATH)
                .setCertificate(certificate);
        if (!config.users().isEmpty())
            for (SecurityPolicy policy : POLICIES)
                endpoints.add(base.copy()
                        .setSecurityPolicy(policy)
                        .setSecurityMode(MessageSecurityMode.SignAndEncrypt)
                        .addTokenPolicy(OpcUaServerConfig.USER_TOKEN_POLICY_USERNAME)
                        .build());
        EndpointConfig.Builder open =
                base.copy().setSecurityPolicy(SecurityPolicy.None).setSecurityMode(MessageSecurityMode.None);
        if (config.anonymous())
            endpoints.add(open.copy()
                    .addTokenPolicy(OpcUaServerConfig.USER_TOKEN_POLICY_ANONYMOUS)
                    .build());
        // Tells clients of the endpoints and does nothing else, so it needs no encryption.
        endpoints.add(open.copy()
                .setPath(PATH + "/discovery")
                .addTokenPolicy(OpcUaServerConfig.USER_TOKEN_POLICY_ANONYMOUS)
                .build());
        return endpoints;
    }

    private static final class ByName extends AbstractUsernameIdentityValidator {
        private final LogIns logIns;

        ByName(LogIns logIns) {
            this.logIns = logIns;
        }

        @Override
        protected Identity.@Nullable UsernameIdentity authenticateUsernamePassword(
                Session session, String user, String password) {
            InetAddress address = session.getClientAddress();
            String from = address == null ? "an unknown address" : address.getHostAddress();
            return logIns.allows(from, user, password) ? new DefaultUsernameIdentity(user) : null;
        }
    }

    /** Bounds for clients, trusted or not. */
    private static final class Limits implements OpcUaServerConfigLimits {
        @Override
        public UInteger getMaxSessions() {
            return Unsigned.uint(100);
        }

        @Override
        public UInteger getMaxMonitoredItems() {
            return Unsigned.uint(200_000);
        }

        @Override
        public UInteger getMaxMonitoredItemsPerSession() {
            return Unsigned.uint(50_000);
        }
    }
}
