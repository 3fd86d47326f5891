package io.linesight.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpServer;
import io.linesight.notify.Sink.DeliveryException;
import io.linesight.schemas.AlertChange;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WebhookSinkTest {
    private static final byte[] SECRET = "0123456789abcdef".getBytes(StandardCharsets.UTF_8);
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(1_700_000_000), ZoneOffset.UTC);

    private final Notification notification = Notification.of(Alerts.of("cam", 1, AlertChange.OPENED));
    private final Map<String, String> headers = new HashMap<>();
    private HttpServer server;
    private byte[] body;
    private int status = 204;

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            body = exchange.getRequestBody().readAllBytes();
            exchange.getRequestHeaders().forEach((k, v) -> headers.put(k, v.get(0)));
            exchange.getResponseHeaders().add("Retry-After", "7");
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private WebhookSink sink(byte[] secret) {
        return WebhookSink.of(
                "http://localhost:" + server.getAddress().getPort() + "/hook?token=geheim",
                secret,
                Duration.ofSeconds(10),
                CLOCK);
    }

    @Test
    void shouldSignWhatItPosts() throws Exception {
        sink(SECRET).deliver(notification);
        assertThat(body).isEqualTo(notification.json());
        assertThat(headers).containsEntry("Content-type", "application/cloudevents+json");
        assertThat(headers.get("X-linesight-signature"))
                .isEqualTo(WebhookSink.signature(SECRET, 1_700_000_000, body))
                .startsWith("t=1700000000,v1=");
        // Computed by another implementation.
        assertThat(WebhookSink.signature(SECRET, 1, "{}".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo("t=1,v1=2af693cb56b22c16912222aeefdc75a01de562bf70ee2015f41ecea48382997f");
    }

    @Test
    void shouldPostWithoutASignatureWhereThereIsNoSecret() throws Exception {
        sink(null).deliver(notification);
        assertThat(headers).doesNotContainKey("X-linesight-signature");
    }

    @Test
    void shouldTryAgainOnlyWhatMayPass() {
        for (int s : new int[] {408, 425, 429, 500, 503})
            assertThat(failure(s).mayPass()).as("%d", s).isTrue();
        for (int s : new int[] {301, 400, 401, 404, 410, 413})
            assertThat(failure(s).mayPass()).as("%d", s).isFalse();
        assertThat(failure(503).retryAfter()).isEqualTo(Duration.ofSeconds(7));
        assertThat(failure(404)).hasMessageContaining("status 404").hasMessageNotContaining("geheim");
    }

    @Test
    void shouldTryAgainWhereNobodyAnswers() {
        server.stop(0);
        DeliveryException e =
                catchThrowableOfType(DeliveryException.class, () -> sink(null).deliver(notification));
        assertThat(e.mayPass()).isTrue();
        assertThat(e).hasMessageContaining("does not answer").hasMessageNotContaining("geheim");
    }

    @Test
    void shouldRefuseWhatCannotWork() {
        assertThatThrownBy(() -> WebhookSink.of("ftp://x/", new byte[3], Duration.ofSeconds(1)))
                .hasMessageContaining("https://host/path")
                .hasMessageContaining("at least 16");
        assertThatThrownBy(() -> WebhookSink.of("not a url", null, Duration.ofSeconds(1)))
                .hasMessageContaining("cannot be read");
    }

    private DeliveryException failure(int answer) {
        status = answer;
        return catchThrowableOfType(DeliveryException.class, () -> sink(null).deliver(notification));
    }
}
