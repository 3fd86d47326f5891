package io.linesight.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.RegistryException.Kind;
import io.linesight.schemas.registry.ScriptedRegistry.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.Schema;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.errors.InterruptException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaRegistryClientTest {

    private static final Schema SCHEMA = FrameRef.getClassSchema();

    private final ScriptedRegistry server = new ScriptedRegistry();

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void shouldRegisterOncePerSubjectAndSchema() {
        server.on("POST /subjects/a%20b-value/versions", 200, "{\"id\": 7}");
        SchemaRegistryClient client = client(Map.of());

        assertThat(client.register("a b-value", SCHEMA)).isEqualTo(7);
        assertThat(client.register("a b-value", SCHEMA)).isEqualTo(7);
        assertThat(client.lookup("a b-value", SCHEMA)).isEqualTo(7);

        assertThat(server.requests()).hasSize(1);
        assertThat(server.authorizations()).containsExactly("none");
    }

    @Test
    void shouldTakeTheSchemaThatAnotherRegisteredAtTheSameMoment() {
        server.on(
                "POST /subjects/a-value/versions",
                409,
                "{\"error_code\": 409, \"message\": \"An artifact with ID 'a-value' already exists.\"}");
        server.on(
                "POST /subjects/a-value",
                200,
                "{\"subject\": \"a-value\", \"id\": 5, \"version\": 1, \"schema\": \"{}\"}");

        assertThat(client(Map.of()).register("a-value", SCHEMA)).isEqualTo(5);
    }

    @Test
    void shouldAskForAnIdOnce() {
        server.on("GET /schemas/ids/3", 200, "{\"schema\": \"\\\"string\\\"\"}");
        SchemaRegistryClient client = client(Map.of());

        assertThat(client.schemaById(3)).isEqualTo(Schema.create(Schema.Type.STRING));
        assertThat(client.schemaById(3)).isEqualTo(Schema.create(Schema.Type.STRING));

        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void shouldForgetAnUnknownIdSoonButNotAskForEveryRecord() throws Exception {
        server.on("GET /schemas/ids/3", 404, "{\"error_code\": 40403, \"message\": \"Schema 3 not found\"}");
        SchemaRegistryClient client = client(Map.of());

        for (int i = 0; i < 50; i++) {
            assertThat(catchThrowableOfType(RegistryException.class, () -> client.schemaById(3))
                            .kind())
                    .isEqualTo(Kind.NOT_FOUND);
        }
        assertThat(server.requests().size()).isBetween(1, 5);

        server.on("GET /schemas/ids/3", 200, "{\"schema\": \"\\\"string\\\"\"}");
        Awaitility.await("the id is asked for again")
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptionsInstanceOf(RegistryException.class)
                .until(() -> client.schemaById(3).equals(Schema.create(Schema.Type.STRING)));
    }

    @Test
    void shouldResolveReferences() {
        server.on(
                "GET /schemas/ids/9",
                200,
                """
                {"schema": "{\\"type\\":\\"record\\",\\"name\\":\\"x.Outer\\",\\"fields\\":[{\\"name\\":\\"i\\",\\"type\\":\\"x.Inner\\"}]}",
                 "references": [{"name": "x.Inner", "subject": "inner", "version": 2}]}""");
        server.on(
                "GET /subjects/inner/versions/2",
                200,
                """
                {"subject": "inner", "version": 2, "id": 4, "schema": "{\\"type\\":\\"enum\\",\\"name\\":\\"x.Inner\\",\\"symbols\\":[\\"A\\"]}"}""");

        assertThat(client(Map.of()).schemaById(9).getField("i").schema().getEnumSymbols())
                .containsExactly("A");
    }

    @Test
    void shouldFailOverToTheNextAddressAndStayThere() {
        server.on("GET /subjects", 200, "[\"a\", \"b\"]");
        String dead = "http://127.0.0.1:" + deadPort();
        SchemaRegistryClient client =
                client(Map.of("schema.registry.url", dead + ", " + server.url() + "/", "max.retries", "0"));

        assertThat(client.subjects()).containsExactly("a", "b");
        assertThat(client.subjects()).containsExactly("a", "b");
        assertThat(server.requests()).hasSize(2);
    }

    @Test
    void shouldTryAgainWhenTheRegistryStumbles() {
        AtomicInteger calls = new AtomicInteger();
        server.on(
                "GET /subjects",
                body -> calls.incrementAndGet() < 3
                        ? new Answer(503, "{\"error_code\": 50003, \"message\": \"no leader\"}")
                        : new Answer(200, "[]"));

        assertThat(client(Map.of("max.retries", 2)).subjects()).isEmpty();
        assertThat(calls).hasValue(3);

        calls.set(-100);
        RegistryException gaveUp = catchThrowableOfType(
                RegistryException.class, () -> client(Map.of("max.retries", 1)).subjects());
        assertThat(gaveUp.kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(gaveUp.isRetriable()).isTrue();
        assertThat(gaveUp).hasMessageContaining("no leader").hasMessageContaining("can be repeated");
        assertThat(calls).hasValue(-98);
    }

    @Test
    void shouldCallAnOutageAnOutage() {
        RegistryException down = catchThrowableOfType(RegistryException.class, () -> client(
                        Map.of("schema.registry.url", "http://127.0.0.1:" + deadPort(), "max.retries", 1))
                .schemaById(1));

        assertThat(down.kind()).isEqualTo(Kind.UNREACHABLE);
        assertThat(down.isRetriable()).isTrue();
        assertThat(down).hasMessageContaining("tried 2 times").hasMessageContaining("schema.registry.url");
    }

    @Test
    void shouldNotWaitForeverForASilentPeer() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
            SchemaRegistryClient client = client(Map.of(
                    "schema.registry.url",
                    "http://127.0.0.1:" + silent.getLocalPort(),
                    "http.read.timeout.ms",
                    200,
                    "max.retries",
                    0));
            long start = System.nanoTime();

            assertThat(catchThrowableOfType(RegistryException.class, client::subjects)
                            .kind())
                    .isEqualTo(Kind.UNREACHABLE);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .as("less than the default read timeout")
                    .isLessThan(Duration.ofSeconds(10));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "404 | {\"error_code\":40403,\"message\":\"Schema not found\"} | NOT_FOUND",
                "404 | {\"error_code\":404,\"message\":\"HTTP 404 Not Found\"} | NOT_A_REGISTRY",
                "404 | <html>nginx</html>                                     | NOT_A_REGISTRY",
                "200 | <html>welcome</html>                                   | NOT_A_REGISTRY",
                "302 | moved                                                  | NOT_A_REGISTRY",
                "401 | {\"error_code\":40101,\"message\":\"User cannot\"}      | UNAUTHORIZED",
                "403 | denied                                                 | UNAUTHORIZED",
                "422 | {\"error_code\":42201,\"message\":\"Invalid schema\"}   | REJECTED",
                "429 | slow down                                              | UNAVAILABLE",
                "500 | {\"error_code\":50001,\"message\":\"store\"}            | UNAVAILABLE",
                "200 | {\"schema\":\"{}\",\"schemaType\":\"JSON\"}               | UNUSABLE_SCHEMA",
                "200 | {\"schema\":\"{nonsense\"}                              | UNUSABLE_SCHEMA",
            })
    void shouldTellFailuresApart(int status, String body, Kind kind) {
        server.on("GET /schemas/ids/1", status, body);

        RegistryException e = catchThrowableOfType(
                RegistryException.class, () -> client(Map.of("max.retries", 0)).schemaById(1));

        assertThat(e.kind()).isEqualTo(kind);
        assertThat(e.isRetriable()).isEqualTo(kind == Kind.UNAVAILABLE);
    }

    @Test
    void shouldSayWhatARejectedRegistrationMeans() {
        server.on("POST /subjects/s/versions", 409, "{\"error_code\":409,\"message\":\"field x has no default\"}");

        RegistryException e = catchThrowableOfType(
                RegistryException.class, () -> client(Map.of()).register("s", SCHEMA));

        assertThat(e.kind()).isEqualTo(Kind.INCOMPATIBLE);
        assertThat(e)
                .hasMessageContaining("io.linesight.schemas.FrameRef")
                .hasMessageContaining("subject s")
                .hasMessageContaining("field x has no default")
                .hasMessageContaining("Nothing was registered");
    }

    @Test
    void shouldRejectSchemasThatReferToThemselves() {
        server.on(
                "GET /subjects/a/versions/1",
                200,
                "{\"references\":[{\"name\":\"x.A\",\"subject\":\"a\",\"version\":1}],\"schema\":\"\\\"string\\\"\"}");
        server.on(
                "GET /schemas/ids/7",
                200,
                "{\"references\":[{\"name\":\"x.A\",\"subject\":\"a\",\"version\":1}],\"schema\":\"\\\"string\\\"\"}");
        assertThatThrownBy(() -> new SchemaRegistryClient(Map.of("schema.registry.url", server.url())).schemaById(7))
                .isInstanceOfSatisfying(
                        RegistryException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNUSABLE_SCHEMA))
                .hasMessageContaining("subject a version 1")
                .hasMessageContaining("refers to itself");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 20 << 20})
    void shouldNeitherWaitForNorKeepABodyWithoutEnd(int sent) throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread peer = new Thread(() -> {
                try (Socket s = socket.accept()) {
                    s.getOutputStream()
                            .write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
                    byte[] some = new byte[1 << 16];
                    for (int i = 0; i < sent; i += some.length)
                        s.getOutputStream().write(some);
                    s.getInputStream().readAllBytes(); // until the client gives up
                    s.getInputStream().read();
                } catch (java.io.IOException e) {
                    // it did
                }
            });
            peer.setDaemon(true);
            peer.start();
            SchemaRegistryClient client = new SchemaRegistryClient(Map.of(
                    "schema.registry.url",
                    "http://127.0.0.1:" + socket.getLocalPort(),
                    "max.retries",
                    0,
                    "http.connect.timeout.ms",
                    500,
                    "http.read.timeout.ms",
                    2000));
            assertThatThrownBy(client::subjects)
                    .isInstanceOfSatisfying(
                            RegistryException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNREACHABLE))
                    .hasMessageContaining(sent == 0 ? "no complete answer within 2500 ms" : "more than 16777216 bytes");
        }
    }

    @Test
    void shouldTellCompatibilityAndTakeANewSubjectAsCompatible() {
        server.on(
                "POST /compatibility/subjects/old/versions/latest?verbose=true",
                200,
                "{\"is_compatible\":false,\"messages\":[\"because\"]}");
        server.on(
                "POST /compatibility/subjects/new/versions/latest?verbose=true",
                404,
                "{\"error_code\":40401,\"message\":\"Subject not found\"}");

        assertThat(client(Map.of()).check("old", SCHEMA)).isEqualTo(new Compatibility(false, List.of("because")));
        assertThat(client(Map.of()).check("new", SCHEMA).compatible()).isTrue();
    }

    @Test
    void shouldSendBasicAuthenticationAndNeverPrintIt() {
        server.on("GET /subjects", 401, "{\"error_code\":40101,\"message\":\"no\"}");
        String expected =
                "Basic " + Base64.getEncoder().encodeToString("anna:s3cret:x".getBytes(StandardCharsets.UTF_8));
        String withUser = server.url().replace("http://", "http://anna:s3cret:x@");

        for (Map<String, Object> configs : List.<Map<String, Object>>of(
                Map.of("basic.auth.credentials.source", "USER_INFO", "basic.auth.user.info", "anna:s3cret:x"),
                Map.of("basic.auth.user.info", new Password("anna:s3cret:x")),
                Map.of("schema.registry.url", withUser),
                Map.of("basic.auth.credentials.source", "URL", "schema.registry.url", withUser))) {
            SchemaRegistryClient client = client(configs);
            assertThatThrownBy(client::subjects)
                    .isInstanceOf(RegistryException.class)
                    .hasMessageContaining("basic.auth.user.info")
                    .message()
                    .doesNotContain("s3cret");
        }
        assertThat(server.authorizations()).hasSize(4).containsOnly(expected);

        assertThatThrownBy(() -> client(Map.of(
                                "schema.registry.url",
                                "http://anna:s3cret:x@127.0.0.1:" + deadPort(),
                                "max.retries",
                                0))
                        .subjects())
                .isInstanceOf(RegistryException.class)
                .message()
                .doesNotContain("s3cret");
        assertThatThrownBy(() -> client(Map.of("schema.registry.url", "http://anna:s3cret@ho st")))
                .isInstanceOf(ConfigException.class)
                .message()
                .doesNotContain("s3cret");
    }

    @Test
    void shouldRejectSettingsItCannotHonour() {
        assertThatThrownBy(() -> new SchemaRegistryClient(Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("schema.registry.url is not set");
        assertThatThrownBy(() -> client(Map.of("schema.registry.url", "localhost:8081")))
                .hasMessageContaining("http://host:port");
        assertThatThrownBy(() -> client(Map.of("basic.auth.credentials.source", "SASL_INHERIT")))
                .hasMessageContaining("SASL_INHERIT");
        assertThatThrownBy(() -> client(Map.of("basic.auth.credentials.source", "USER_INFO")))
                .hasMessageContaining("user:password");
        assertThatThrownBy(() -> client(Map.of("bearer.auth.token", "t0ken")))
                .hasMessageContaining("bearer.auth.token")
                .message()
                .doesNotContain("t0ken");
        assertThatThrownBy(() -> client(Map.of("schema.registry.ssl.truststore.location", "/x")))
                .hasMessageContaining("javax.net.ssl");
        assertThatThrownBy(() -> client(Map.of("max.retries", "-1"))).hasMessageContaining("max.retries=-1");
    }

    @Test
    void shouldStopAtOnceWhenInterrupted() {
        server.on("GET /subjects", 503, "");
        SchemaRegistryClient client = client(Map.of("retries.wait.ms", 60_000, "retries.max.wait.ms", 60_000));
        Thread.currentThread().interrupt();

        assertThatThrownBy(client::subjects).isInstanceOf(InterruptException.class);
        assertThat(Thread.interrupted()).as("the flag stays set").isTrue();
    }

    private SchemaRegistryClient client(Map<String, Object> configs) {
        Map<String, Object> all = new HashMap<>(Map.of("schema.registry.url", server.url(), "retries.wait.ms", 1));
        all.putAll(configs);
        return new SchemaRegistryClient(all);
    }

    private static int deadPort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
