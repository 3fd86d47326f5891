package io.linesight.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.junit.jupiter.api.Test;

class ConfluentKeysTest {

    @Test
    void shouldNameWhatIsNotImplementedUnlessItAsksForWhatIsDoneAnyway() {
        assertThat(ConfluentKeys.ignored(Map.of(
                        "latest.compatibility.strict", "false",
                        "use.schema.id", "17",
                        "context.name.strategy", "com.example.ByPlant",
                        "value.schema.id.serializer",
                                "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer",
                        "avro.anything.new", "1",
                        "latest.cache.ttl.sec", "60")))
                .containsExactly(
                        "avro.anything.new",
                        "context.name.strategy",
                        "latest.cache.ttl.sec",
                        "latest.compatibility.strict",
                        "use.schema.id",
                        "value.schema.id.serializer");
        assertThat(ConfluentKeys.ignored(Map.of(
                        "latest.compatibility.strict", "true",
                        "schema.reflection", "false",
                        "normalize.schemas", "true",
                        "proxy.host", "proxy",
                        "request.header.X-Plant", "7",
                        "bootstrap.servers", "kafka:9092",
                        "sasl.oauthbearer.token.endpoint.url", "https://idp")))
                .isEmpty();
    }

    @Test
    void shouldTakeKeysWithTheNamespaceOfConfluentsClient() {
        try (ScriptedRegistry registry = new ScriptedRegistry()) {
            registry.on("GET /subjects", 200, "[]");
            new SchemaRegistryClient(Map.of(
                            "schema.registry.url",
                            registry.url(),
                            "schema.registry.basic.auth.user.info",
                            "anna:s3cret"))
                    .subjects();
            assertThat(registry.authorizations()).singleElement().asString().startsWith("Basic ");
        }
        assertThatThrownBy(() -> new SchemaRegistryClient(
                        Map.of("schema.registry.url", "http://r:1", "schema.registry.bearer.auth.token", "x")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("bearer.auth.token");
    }

    @Test
    void shouldNameAnUnderscoreInTheHost() {
        for (String host : new String[] {"schema_registry", "my_plant.registry", "a_b_c"}) {
            assertThatThrownBy(
                            () -> new SchemaRegistryClient(Map.of("schema.registry.url", "http://" + host + ":8081")))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("underscore");
        }
    }

    @Test
    void shouldAskTheNextAddressWhereAProxyAnswersForTheFirst() {
        try (ScriptedRegistry proxy = new ScriptedRegistry();
                ScriptedRegistry refusing = new ScriptedRegistry();
                ScriptedRegistry registry = new ScriptedRegistry()) {
            refusing.on("GET /subjects", 401, "{\"error_code\":40101,\"message\":\"no\"}");
            registry.on("GET /subjects", 200, "[\"a\"]");
            SchemaRegistryClient client = new SchemaRegistryClient(Map.of(
                    "schema.registry.url",
                    proxy.url() + "," + refusing.url() + "," + registry.url(),
                    "max.retries",
                    "0"));

            assertThat(client.subjects()).containsExactly("a");
            assertThat(client.subjects()).containsExactly("a");
            assertThat(proxy.requests()).as("asked once").hasSize(1);
        }
    }
}
