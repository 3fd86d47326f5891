package io.linesight.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;
import io.linesight.notify.Sink.DeliveryException;
import io.linesight.schemas.AlertChange;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against Debian's mosquitto, where it is installed. */
@Timeout(180)
class MosquittoIT {
    @TempDir
    Path dir;

    private Process broker;
    private int port;

    @BeforeEach
    void find() throws IOException {
        assumeTrue(program() != null, "mosquitto is not installed");
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
    }

    @AfterEach
    void stop() {
        if (broker != null) broker.destroyForcibly();
    }

    private static Path program() {
        return Stream.of("/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto")
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    private void start(String... more) throws Exception {
        Path conf = dir.resolve("mosquitto.conf");
        Files.write(
                conf,
                Stream.concat(
                                Stream.of("listener " + port + " 127.0.0.1", "allow_anonymous true", "user root"),
                                Stream.of(more))
                        .toList());
        broker = new ProcessBuilder(program().toString(), "-c", conf.toString())
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("log").toFile())
                .start();
        Awaitility.await("the broker").atMost(Duration.ofSeconds(60)).until(() -> {
            assertThat(broker.isAlive())
                    .as(Files.readString(dir.resolve("log")))
                    .isTrue();
            try (java.net.Socket s = new java.net.Socket("127.0.0.1", port)) {
                return s.isConnected();
            } catch (IOException e) {
                return false;
            }
        });
    }

    private MqttSink sink(String scheme, Path ca) throws IOException {
        return MqttSink.of(new MqttSink.Options(
                scheme + "://localhost:" + port, MqttSink.DEFAULT_TOPIC, null, null, ca, true, Duration.ofSeconds(20)));
    }

    @Test
    void shouldPublishAndComeBackAfterTheBrokerWasAway() throws Exception {
        start();
        Notification n = Notification.of(Alerts.of("cam 1", 7, AlertChange.OPENED));
        try (MqttSink sink = sink("mqtt", null)) {
            sink.deliver(n);
            Mqtt5BlockingClient reader = Mqtt5Client.builder()
                    .serverHost("localhost")
                    .serverPort(port)
                    .buildBlocking();
            reader.connect();
            try (Mqtt5BlockingClient.Mqtt5Publishes publishes = reader.publishes(MqttGlobalPublishFilter.ALL)) {
                reader.subscribeWith().topicFilter("linesight/alerts/#").send();
                Mqtt5Publish retained = publishes.receive(60, TimeUnit.SECONDS).orElseThrow();
                assertThat(retained.getTopic().toString()).isEqualTo("linesight/alerts/line 1/cam 1/defect");
                assertThat(retained.getPayloadAsBytes()).isEqualTo(n.json());
                assertThat(retained.getContentType().orElseThrow().toString())
                        .isEqualTo("application/cloudevents+json");
            }
            reader.disconnect();

            broker.destroyForcibly().waitFor();
            DeliveryException e = catchThrowableOfType(DeliveryException.class, () -> sink.deliver(n));
            assertThat(e.mayPass()).isTrue();
            start();
            Awaitility.await("taken again").atMost(Duration.ofSeconds(60)).untilAsserted(() -> sink.deliver(n));
        }
    }

    @Test
    void shouldSpeakTlsAndTrustOnlyTheGivenAuthority() throws Exception {
        Path store = dir.resolve("broker.p12");
        keytool(
                "-genkeypair",
                "-alias",
                "b",
                "-keyalg",
                "RSA",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost",
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit");
        Path certificate = dir.resolve("cert.pem");
        keytool(
                "-exportcert",
                "-rfc",
                "-alias",
                "b",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit",
                "-file",
                certificate.toString());
        Path key = dir.resolve("key.pem");
        java.security.KeyStore keys = java.security.KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
        Files.writeString(
                key,
                "-----BEGIN PRIVATE KEY-----\n"
                        + java.util.Base64.getMimeEncoder()
                                .encodeToString(keys.getKey("b", "changeit".toCharArray())
                                        .getEncoded())
                        + "\n-----END PRIVATE KEY-----\n");
        start("certfile " + certificate, "keyfile " + key);
        Notification n = Notification.of(Alerts.of("cam", 7, AlertChange.OPENED));
        try (MqttSink sink = sink("mqtts", certificate)) {
            sink.deliver(n);
        }
        try (MqttSink stranger = sink("mqtts", null)) {
            DeliveryException e = catchThrowableOfType(DeliveryException.class, () -> stranger.deliver(n));
            assertThat(e).hasMessageContaining("cannot be reached");
        }
    }

    private static void keytool(String... arguments) throws Exception {
        List<String> command = new java.util.ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }
}
