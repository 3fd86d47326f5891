package io.linesight.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.registry.SchemaRegistryClient;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.avro.Schema;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The REST API as clients of others see it: statuses and error codes are Confluent's. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmbeddedRegistryApiIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String INT = "{\"schema\": \"{\\\"type\\\": \\\"int\\\"}\"}";

    private final HttpClient client = HttpClient.newHttpClient();
    private EmbeddedKafka kafka;
    private EmbeddedRegistry registry;

    private record Reply(int status, JsonNode body) {}

    @BeforeAll
    void start(@TempDir Path directory) {
        kafka = EmbeddedKafka.in(directory).start();
        registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
    }

    @AfterAll
    void stop() {
        registry.close();
        kafka.close();
    }

    @Test
    void shouldRegisterAndDescribe() throws Exception {
        Reply registered = call("POST", "/subjects/plain%20%C3%BC%2Fvalue/versions", INT);
        int id = registered.body.path("id").asInt();

        assertThat(registered.status).isEqualTo(200);
        assertThat(call("GET", "/schemas/ids/" + id, null).body.path("schema").asText())
                .isEqualTo("\"int\"");
        assertThat(call("GET", "/schemas/ids/" + id + "/versions", null).body)
                .isEqualTo(json("[{\"subject\":\"plain ü/value\",\"version\":1}]"));
        assertThat(call("GET", "/subjects", null).body.toString()).contains("plain ü/value");
        assertThat(call("GET", "/subjects/plain%20%C3%BC%2Fvalue/versions", null).body)
                .isEqualTo(json("[1]"));
        assertThat(call("GET", "/subjects/plain%20%C3%BC%2Fvalue/versions/latest", null).body)
                .isEqualTo(json(
                        "{\"subject\":\"plain ü/value\",\"version\":1,\"id\":" + id + ",\"schema\":\"\\\"int\\\"\"}"));
        assertThat(call("GET", "/subjects/plain%20%C3%BC%2Fvalue/versions/1/schema", null).body)
                .isEqualTo(json("\"int\""));
        assertThat(call("POST", "/subjects/plain%20%C3%BC%2Fvalue", "{\"schema\": \"\\\"int\\\"\"}")
                        .body
                        .path("id")
                        .asInt())
                .as("another spelling of the same schema")
                .isEqualTo(id);
    }

    @Test
    void shouldAnswerMistakesWithConfluentsCodes() throws Exception {
        call("POST", "/subjects/known/versions", INT);

        assertError(call("GET", "/subjects/none/versions", null), 404, 40401);
        assertError(call("GET", "/subjects/known/versions/9", null), 404, 40402);
        assertError(call("GET", "/subjects/known/versions/x", null), 422, 42202);
        assertError(call("GET", "/schemas/ids/99999", null), 404, 40403);
        assertError(call("POST", "/subjects/known", "{\"schema\": \"\\\"long\\\"\"}"), 404, 40403);
        assertError(call("POST", "/subjects/new/versions", "{\"schema\": \"{nonsense\"}"), 422, 42201);
        assertError(
                call("POST", "/subjects/new/versions", "{\"schema\": \"{}\", \"schemaType\": \"JSON\"}"), 422, 42201);
        assertError(call("POST", "/subjects/new/versions", "not json"), 400, 400);
        assertError(call("POST", "/subjects/new/versions", "{\"schema\": \"" + "x".repeat(1 << 20) + "\"}"), 413, 413);
        assertError(call("POST", "/subjects/known/versions", "{\"schema\": \"\\\"string\\\"\"}"), 409, 409);
        assertError(call("PUT", "/config", "{\"compatibility\": \"SOMETIMES\"}"), 422, 42203);
        assertError(call("GET", "/config/known", null), 404, 40408);
        assertError(call("DELETE", "/subjects/known", null), 404, 404);
        assertThat(call("GET", "/subjects/known/versions", null).body).isEqualTo(json("[1]"));
    }

    @Test
    void shouldTellItsRules() throws Exception {
        assertThat(call("GET", "/config", null).body.path("compatibilityLevel").asText())
                .isEqualTo("BACKWARD_TRANSITIVE");
        assertThat(call("GET", "/config/any?defaultToGlobal=true", null)
                        .body
                        .path("compatibilityLevel")
                        .asText())
                .isEqualTo("BACKWARD_TRANSITIVE");
        assertThat(call("PUT", "/config/mine", "{\"compatibility\": \"FULL\"}").body)
                .isEqualTo(json("{\"compatibility\":\"FULL\"}"));
        assertThat(call("GET", "/config/mine", null)
                        .body
                        .path("compatibilityLevel")
                        .asText())
                .isEqualTo("FULL");
        assertThat(call("GET", "/mode", null).body).isEqualTo(json("{\"mode\":\"READWRITE\"}"));
        assertThat(call("GET", "/schemas/types", null).body).isEqualTo(json("[\"AVRO\"]"));
        assertThat(call("GET", "/", null).status).isEqualTo(200);
    }

    @Test
    void shouldKeepReferencesAndResolveThem() throws Exception {
        call(
                "POST",
                "/subjects/inner/versions",
                schema(
                        "{\"type\":\"record\",\"name\":\"x.Inner\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}",
                        ""));
        String references = ", \"references\": [{\"name\": \"x.Inner\", \"subject\": \"inner\", \"version\": 1}]";
        String outer = "{\"type\":\"record\",\"name\":\"x.Outer\",\"fields\":[{\"name\":\"i\",\"type\":\"x.Inner\"}]}";

        Reply registered = call("POST", "/subjects/outer/versions", schema(outer, references));
        int id = registered.body.path("id").asInt();

        assertThat(registered.status).isEqualTo(200);
        assertThat(call("POST", "/subjects/outer/versions", schema(outer, references))
                        .body
                        .path("id")
                        .asInt())
                .isEqualTo(id);
        assertError(call("POST", "/subjects/other/versions", schema(outer, "")), 422, 42201);
        assertError(
                call("POST", "/subjects/other/versions", schema(outer, references.replace("1}", "7}"))), 422, 42201);
        Schema resolved = new SchemaRegistryClient(Map.of("schema.registry.url", registry.url())).schemaById(id);
        assertThat(resolved.getField("i").schema().getField("a").schema().getType())
                .isEqualTo(Schema.Type.INT);
    }

    @Test
    void shouldGiveEverySchemaItsOwnIdUnderConcurrentRegistration() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Integer>> calls = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                String schema =
                        schema("{\"type\":\"fixed\",\"name\":\"F" + i % 16 + "\",\"size\":" + (i % 16 + 1) + "}", "");
                String subject = "concurrent-" + i % 16;
                calls.add(() -> call("POST", "/subjects/" + subject + "/versions", schema)
                        .body
                        .path("id")
                        .asInt());
            }
            Set<Integer> ids = new HashSet<>();
            for (Future<Integer> id : pool.invokeAll(calls)) {
                ids.add(id.get());
            }
            assertThat(ids).hasSize(16).doesNotContain(0);
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void shouldNotStartWithoutABroker() {
        int nobody = Ports.free();

        assertThatThrownBy(() -> EmbeddedRegistry.start("127.0.0.1:" + nobody, 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("127.0.0.1:" + nobody)
                .hasMessageContaining("Start the broker first");
    }

    private static String schema(String schema, String more) throws Exception {
        return "{\"schema\": " + JSON.writeValueAsString(schema) + more + "}";
    }

    private static void assertError(Reply reply, int status, int code) {
        assertThat(reply.status).as("%s", reply.body).isEqualTo(status);
        assertThat(reply.body.path("error_code").asInt()).as("%s", reply.body).isEqualTo(code);
        assertThat(reply.body.path("message").asText()).isNotBlank();
    }

    private static JsonNode json(String text) throws Exception {
        return JSON.readTree(text);
    }

    private Reply call(String method, String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(registry.url() + path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        return new Reply(response.statusCode(), JSON.readTree(response.body()));
    }
}
