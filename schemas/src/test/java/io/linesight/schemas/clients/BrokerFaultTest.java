package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.cert.CertificateExpiredException;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BrokerFaultTest {

    /** A table: one entry for each fault that a client can meet. */
    static Stream<Arguments> faults() {
        return Stream.of(
                Arguments.of(
                        new ExecutionException(new SaslAuthenticationException(
                                "Authentication failed during authentication due to invalid credentials with "
                                        + "SASL mechanism SCRAM-SHA-512")),
                        BrokerFault.WRONG_CREDENTIALS,
                        "invalid credentials",
                        "sasl.jaas.config"),
                Arguments.of(
                        ssl(new CertificateExpiredException("NotAfter: Sat Jan 03 10:00:00 UTC 2026")),
                        BrokerFault.EXPIRED_CERTIFICATE,
                        "Jan 03",
                        "Renew the certificate"),
                Arguments.of(
                        ssl(new SSLException("Received fatal alert: certificate_expired")),
                        BrokerFault.EXPIRED_CERTIFICATE,
                        "certificate_expired",
                        "ssl.keystore.location"),
                Arguments.of(
                        ssl(new java.security.cert.CertPathBuilderException(
                                "unable to find valid certification path to requested target")),
                        BrokerFault.UNTRUSTED_CERTIFICATE,
                        "signed by nobody",
                        "ssl.truststore.location"),
                Arguments.of(
                        ssl(new java.security.cert.CertificateException(
                                "No subject alternative DNS name matching broker-7 found.")),
                        BrokerFault.WRONG_NAME,
                        "broker-7",
                        "bootstrap.servers"),
                Arguments.of(
                        ssl(new SSLException("Unsupported or unrecognized SSL message")),
                        BrokerFault.TLS_AGAINST_PLAIN,
                        "does not speak TLS",
                        "security.protocol"),
                Arguments.of(
                        ssl(new SSLException("Received fatal alert: bad_certificate")),
                        BrokerFault.TLS_REJECTED,
                        "bad_certificate",
                        "ssl.keystore.location"),
                Arguments.of(
                        new KafkaException("stopped", new TopicAuthorizationException(Set.of("plant.frames.v1"))),
                        BrokerFault.NOT_ALLOWED,
                        "plant.frames.v1",
                        "linesight doctor --acls"),
                Arguments.of(
                        new TransactionalIdAuthorizationException("Transactional Id authorization failed."),
                        BrokerFault.NOT_ALLOWED,
                        "Transactional Id",
                        "kafka-acls"),
                Arguments.of(
                        new ExecutionException(new ClusterAuthorizationException("Cluster authorization failed.")),
                        BrokerFault.NOT_ALLOWED,
                        "Cluster authorization",
                        "kafka-acls"),
                Arguments.of(
                        new ExecutionException(new TimeoutException("Timed out waiting for a node assignment.")),
                        BrokerFault.SILENT,
                        "No Kafka broker answered at b:9092",
                        "firewall"),
                Arguments.of(
                        new KafkaException(
                                "Failed to create new KafkaAdminClient",
                                new ConfigException("No resolvable bootstrap urls given in bootstrap.servers")),
                        BrokerFault.UNKNOWN_HOST,
                        "b:9092",
                        "name service"),
                Arguments.of(
                        new KafkaException("Failed", new ConfigException("Missing required configuration x")),
                        BrokerFault.WRONG_SETTING,
                        "configuration x",
                        "nothing was sent"),
                Arguments.of(new IllegalStateException("boom"), BrokerFault.OTHER, "boom", "its log"));
    }

    private static Throwable ssl(Throwable cause) {
        SSLHandshakeException handshake = new SSLHandshakeException(cause.getMessage());
        handshake.initCause(cause);
        return new ExecutionException(new SslAuthenticationException("SSL handshake failed", handshake));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void shouldSayWhatIsWrongAndWhatToDo(Throwable thrown, BrokerFault fault, String what, String fix) {
        assertThat(BrokerFault.of(thrown)).isEqualTo(fault);
        assertThat(BrokerFault.explain("b:9092", thrown)).contains(what, fix, fault.fix());
    }

    @Test
    void shouldEndOnChainsThatEndInThemselves() {
        RuntimeException a = new RuntimeException("a");
        RuntimeException b = new RuntimeException("b", a);
        a.initCause(b);
        assertThat(BrokerFault.explain("b:9092", a)).contains("cannot be used");
    }
}
