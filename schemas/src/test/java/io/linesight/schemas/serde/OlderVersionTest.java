package io.linesight.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.registry.RegisteredSchema;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.RegistryException.Kind;
import io.linesight.schemas.registry.ScriptedRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.Schema;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A registry where schemas are registered by hand, and not the newest ones. */
class OlderVersionTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant AT = Instant.parse("2026-02-03T04:05:06.789012Z");

    private final ScriptedRegistry registry = new ScriptedRegistry();

    @AfterEach
    void stop() {
        registry.close();
    }

    private static Schema released(String name, int version) throws IOException {
        return new Schema.Parser()
                .parse(Files.readString(Path.of("src/test/resources/schemas-released", name, "v" + version + ".avsc")));
    }

    private static Schema edited(Schema schema, String what, String with) {
        String text = schema.toString();
        assertThat(text).contains(what);
        return new Schema.Parser().parse(text.replace(what, with));
    }

    /** The subject has these versions, oldest first, and not the one that the program has. */
    private void has(String subject, Schema... versions) throws IOException {
        StringBuilder numbers = new StringBuilder();
        for (int v = 1; v <= versions.length; v++) {
            numbers.append(v == 1 ? "" : ",").append(v);
            String schema = JSON.writeValueAsString(versions[v - 1].toString());
            String body = "{\"subject\":\"" + subject + "\",\"version\":" + v + ",\"id\":" + (10 + v) + ",\"schema\":"
                    + schema + "}";
            registry.on("GET /subjects/" + subject + "/versions/" + v, 200, body);
            registry.on("GET /subjects/" + subject + "/versions/latest", 200, body);
            registry.on("GET /schemas/ids/" + (10 + v), 200, "{\"schema\":" + schema + "}");
        }
        registry.on("POST /subjects/" + subject, 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
        registry.on("GET /subjects/" + subject + "/versions", 200, "[" + numbers + "]");
    }

    private <T extends org.apache.avro.specific.SpecificRecord> AvroSerde<T> serde(Class<T> type, String... more) {
        Map<String, Object> configs = new HashMap<>(
                Map.of("schema.registry.url", registry.url(), "auto.register.schemas", "false", "max.retries", "0"));
        for (int i = 0; i < more.length; i += 2) configs.put(more[i], more[i + 1]);
        return AvroSerde.of(type, configs, false);
    }

    private static CameraFrame frame(FrameEncoding encoding) {
        return CameraFrame.newBuilder()
                .setFrameId("c-1")
                .setCameraId("c")
                .setLineId("l")
                .setProduct("Gehäuse")
                .setCapturedAt(AT)
                .setSequence(1)
                .setEncoding(encoding)
                .setWidth(2)
                .setHeight(1)
                .setImage(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}))
                .setAttributes(Map.of("station", "7"))
                .build();
    }

    @ParameterizedTest
    @EnumSource(
            value = FrameEncoding.class,
            names = {"MONO16"},
            mode = EnumSource.Mode.EXCLUDE)
    void shouldWriteAFrameInTheOlderVersionThatIsThere(FrameEncoding encoding) throws IOException {
        has("f-value", released("CameraFrame", 1));
        AvroSerde<CameraFrame> serde = serde(CameraFrame.class);

        byte[] bytes = serde.serializer().serialize("f", frame(encoding));
        int asked = registry.requests().size();
        serde.serializer().serialize("f", frame(encoding));

        assertThat(bytes).startsWith(0, 0, 0, 0, 11);
        assertThat(serde.deserializer().deserialize("f", bytes)).isEqualTo(frame(encoding));
        assertThat(registry.requests().subList(asked, registry.requests().size()))
                .as("decided once")
                .containsExactly("GET /schemas/ids/11");
    }

    @Test
    void shouldNotWriteAFrameOfAnEncodingThatTheOlderVersionLacks() throws IOException {
        has("f-value", released("CameraFrame", 1));
        for (AvroSerde<CameraFrame> serde :
                List.of(serde(CameraFrame.class), serde(CameraFrame.class, "use.latest.version", "true"))) {
            RegistryException e = catchThrowableOfType(
                    RegistryException.class, () -> serde.serializer().serialize("f", frame(FrameEncoding.MONO16)));

            assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
            assertThat(e)
                    .hasMessageContaining("encoding=MONO16")
                    .hasMessageContaining("version 1")
                    .hasMessageContaining("linesight schemas");
            assertThat(serde.serializer().serialize("f", frame(FrameEncoding.PNG)))
                    .as("others go on")
                    .startsWith(0, 0, 0, 0, 11);
        }
    }

    @Test
    void shouldTakeTheOwnVersionOnceItIsRegistered() throws IOException {
        has("f-value", released("CameraFrame", 1));
        AvroSerde<CameraFrame> serde = serde(CameraFrame.class);
        catchThrowableOfType(
                RegistryException.class, () -> serde.serializer().serialize("f", frame(FrameEncoding.MONO16)));

        registry.on("POST /subjects/f-value", 200, "{\"id\":12}");

        Awaitility.await().ignoreExceptions().untilAsserted(() -> assertThat(
                        serde.serializer().serialize("f", frame(FrameEncoding.MONO16)))
                .startsWith(0, 0, 0, 0, 12));
    }

    @Test
    void shouldPassOverVersionsThatAreNotOursForAnOlderOneThatIs() throws IOException {
        Schema foreign = new Schema.Parser()
                .parse("{\"type\":\"record\",\"name\":\"Frame\",\"namespace\":\"other\",\"fields\":[]}");
        Schema millis = edited(released("CameraFrame", 1), "timestamp-micros", "timestamp-millis");
        Schema more = edited(
                released("CameraFrame", 1),
                "{\"name\":\"width\"",
                "{\"name\":\"gain\",\"type\":\"double\"},{\"name\":\"width\"");
        has("f-value", released("CameraFrame", 1), foreign, millis, more);
        AvroSerde<CameraFrame> serde = serde(CameraFrame.class);

        assertThat(serde.serializer().serialize("f", frame(FrameEncoding.JPEG))).startsWith(0, 0, 0, 0, 11);
    }

    @Test
    void shouldLeaveOutAFieldThatIsNotThereOnlyWhereItHasItsDefault() throws IOException {
        Schema older = edited(
                FrameLabel.getClassSchema(),
                ",{\"name\":\"note\",\"type\":{\"type\":\"string\",\"avro.java.string\":\"String\"},\"default\":\"\"}",
                "");
        has("l-value", older);
        AvroSerde<FrameLabel> serde = serde(FrameLabel.class);
        FrameLabel label = FrameLabel.newBuilder()
                .setFrameRef(new FrameRef("t", 0, 1L))
                .setFrameId("")
                .setCameraId("")
                .setLabel(LabelKind.NORMAL)
                .setAnnotator("ann")
                .setAt(AT)
                .build();

        assertThat(serde.deserializer().deserialize("l", serde.serializer().serialize("l", label)))
                .isEqualTo(label);
        label.setNote("scratched");
        assertThat(catchThrowableOfType(
                        RegistryException.class, () -> serde.serializer().serialize("l", label)))
                .hasMessageContaining("has note");
    }

    @Test
    void shouldSayWhatAnOlderVersionLacks() throws IOException {
        Optional<OlderVersion> older = OlderVersion.of(
                new RegisteredSchema("f-value", 1, 11, released("CameraFrame", 1)), CameraFrame.getClassSchema());

        assertThat(older.orElseThrow().lacks()).containsExactly("encoding=MONO16");
        assertThat(older.orElseThrow().describe())
                .isEqualTo("records are written in version 1 of subject f-value, which cannot hold encoding=MONO16");
        assertThat(OlderVersion.of(
                                new RegisteredSchema("f-value", 2, 12, CameraFrame.getClassSchema()),
                                CameraFrame.getClassSchema())
                        .orElseThrow()
                        .lacks())
                .isEmpty();
    }

    @Test
    void shouldKeepWritingInTheOlderVersionWhileTheRegistryIsUnavailable() throws IOException {
        has("f-value", released("CameraFrame", 1));
        AvroSerde<CameraFrame> serde = serde(CameraFrame.class);
        // From now on the own version is looked for every second.
        catchThrowableOfType(
                RegistryException.class, () -> serde.serializer().serialize("f", frame(FrameEncoding.MONO16)));
        registry.on("POST /subjects/f-value", 503, "{}");
        int asked = registry.requests().size();

        Awaitility.await().untilAsserted(() -> {
            assertThat(serde.serializer().serialize("f", frame(FrameEncoding.BGR8)))
                    .startsWith(0, 0, 0, 0, 11);
            assertThat(registry.requests()).hasSizeGreaterThan(asked);
        });
    }
}
