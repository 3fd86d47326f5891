package io.linesight.notify;

import com.hivemq.client.mqtt.MqttClientSslConfig;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.mqtt5.Mqtt5AsyncClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.Mqtt5ClientBuilder;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5PublishResult;
import io.cloudevents.jackson.JsonFormat;
import io.linesight.schemas.Alert;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Publishes alerts to an MQTT 5 broker with QoS 1: an alert is taken once the broker has acknowledged it. It connects
 * at the first delivery, and again when the connection was lost. Payload and content type are those of a webhook.
 */
public final class MqttSink implements Sink {
    /** Topic levels that are filled in: line, camera, product and kind of the alert. */
    public static final String DEFAULT_TOPIC = "linesight/alerts/{line}/{camera}/{kind}";

    /**
     * A broker and how it is used.
     *
     * @param url {@code mqtt://host:1883} or {@code mqtts://host:8883}
     * @param topic with {@code {line}}, {@code {camera}}, {@code {product}}, {@code {kind}} and {@code {id}} filled in
     * @param user null for none
     * @param password null for none
     * @param authorities PEM file with the authorities that sign the broker's certificate; null for Java's own
     * @param retain whether the broker keeps the last alert of each topic for those who subscribe later
     * @param timeout of connecting and of one delivery
     */
    public record Options(
            String url,
            String topic,
            @Nullable String user,
            byte @Nullable [] password,
            @Nullable Path authorities,
            boolean retain,
            Duration timeout) {
        @Override
        public String toString() {
            return "Options[url=" + url + ", topic=" + topic + ", user=" + user + ", authorities=" + authorities
                    + ", retain=" + retain + ", timeout=" + timeout + "]";
        }
    }

    private final Options options;
    private final URI url;
    private final Mqtt5AsyncClient client;

    private MqttSink(Options options, URI url, Mqtt5AsyncClient client) {
        this.options = options;
        this.url = url;
        this.client = client;
    }

    /**
     * Contacts nobody yet.
     *
     * @throws IllegalArgumentException when address or topic cannot be used
     * @throws IOException when the authorities cannot be read
     */
    public static MqttSink of(Options options) throws IOException {
        URI url = URI.create(options.url);
        if (url.getHost() == null || !("mqtt".equals(url.getScheme()) || "mqtts".equals(url.getScheme())))
            throw new IllegalArgumentException("a broker has an address like mqtts://host:8883");
        if (options.topic.isBlank() || options.topic.contains("+") || options.topic.contains("#"))
            throw new IllegalArgumentException("a topic to publish to has no + and no #, and is not empty");
        boolean tls = url.getScheme().equals("mqtts");
        Mqtt5ClientBuilder builder = Mqtt5Client.builder()
                .serverHost(url.getHost())
                .serverPort(url.getPort() > 0 ? url.getPort() : tls ? 8883 : 1883);
        if (tls)
            builder = builder.sslConfig(MqttClientSslConfig.builder()
                    .trustManagerFactory(options.authorities == null ? null : trust(options.authorities))
                    .handshakeTimeout(options.timeout.toMillis(), TimeUnit.MILLISECONDS)
                    .build());
        if (options.user != null) {
            byte[] password = options.password == null ? new byte[0] : options.password;
            builder = builder.simpleAuth()
                    .username(options.user)
                    .password(password)
                    .applySimpleAuth();
        }
        return new MqttSink(options, url, builder.buildAsync());
    }

    private static TrustManagerFactory trust(Path pem) throws IOException {
        try (InputStream in = Files.newInputStream(pem)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int n = 0;
            for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in))
                store.setCertificateEntry("ca" + n++, c);
            if (n == 0) throw new IOException("there is no certificate in " + pem);
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory;
        } catch (GeneralSecurityException e) {
            throw new IOException("the certificates in " + pem + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public String name() {
        return "MQTT broker " + url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort());
    }

    @Override
    public void deliver(Notification n) throws DeliveryException, InterruptedException {
        if (!client.getState().isConnected()) connect();
        Mqtt5Publish publish = Mqtt5Publish.builder()
                .topic(topic(n.alert()))
                .qos(MqttQos.AT_LEAST_ONCE)
                .retain(options.retain)
                .contentType(JsonFormat.CONTENT_TYPE)
                .payload(n.json())
                .build();
        Mqtt5PublishResult result = await(client.publish(publish), "does not acknowledge");
        if (result.getError().isPresent()) {
            Throwable e = result.getError().get();
            throw DeliveryException.passing(name() + " does not take it: " + e.getMessage(), e);
        }
    }

    private void connect() throws DeliveryException, InterruptedException {
        await(client.connectWith().cleanStart(true).send(), "cannot be reached");
    }

    private <T> T await(CompletableFuture<T> future, String what) throws DeliveryException, InterruptedException {
        try {
            return future.get(options.timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw DeliveryException.passing(
                    name() + " " + what + ": " + e.getCause().getMessage(), e.getCause());
        } catch (TimeoutException e) {
            // Whatever hangs goes with the connection.
            client.disconnect();
            throw DeliveryException.passing(name() + " " + what + " within " + options.timeout.toSeconds() + " s", e);
        }
    }

    private String topic(Alert a) {
        return options.topic
                .replace("{line}", level(a.getLineId()))
                .replace("{camera}", level(a.getCameraId()))
                .replace("{product}", level(a.getProduct()))
                .replace("{kind}", a.getKind().name().toLowerCase(Locale.ROOT))
                .replace("{id}", level(a.getAlertId()));
    }

    /** A name as one level of a topic: what has a meaning there is replaced, and it is never empty. */
    static String level(@Nullable String name) {
        if (name == null || name.isEmpty()) return "-";
        String level = name.replaceAll("[/+#\\p{Cntrl}]", "_");
        // The specification's limit is 65,535 bytes for the whole topic.
        byte[] bytes = level.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= 4096 ? level : level.substring(0, 1024);
    }

    @Override
    public void close() {
        if (client.getState().isConnectedOrReconnect()) client.disconnect();
    }
}
