package io.linesight.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.ScriptedRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames of writers that are not ours: where they name their schema, and what their times mean. */
class ForeignWritersTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant AT = Instant.parse("2026-02-03T04:05:06.789Z");
    private static final String OURS = "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}";
    private static final UUID GUID = UUID.fromString("89791762-2336-4186-9674-299b90a802e2");

    private final ScriptedRegistry registry = new ScriptedRegistry();

    @AfterEach
    void stop() {
        registry.close();
    }

    @Test
    void shouldReadTheIdInTheHeaderOfConfluent8() throws IOException {
        knows("/schemas/ids/7", schema(OURS));
        Headers headers =
                header("__value_schema_id", ByteBuffer.allocate(5).put((byte) 0).putInt(7));

        assertThat(read(headers, frame(schema(OURS), micros())).getCapturedAt()).isEqualTo(AT);
    }

    @Test
    void shouldReadTheGuidInTheHeaderOfConfluent8() throws IOException {
        knows("/schemas/guids/" + GUID, schema(OURS));

        assertThat(read(header("__value_schema_id", guid()), frame(schema(OURS), micros()))
                        .getCapturedAt())
                .isEqualTo(AT);
    }

    @Test
    void shouldReadTheGuidBeforeTheValue() throws IOException {
        knows("/schemas/guids/" + GUID, schema(OURS));

        assertThat(read(new RecordHeaders(), join(guid().array(), frame(schema(OURS), micros())))
                        .getCapturedAt())
                .isEqualTo(AT);
    }

    @Test
    void shouldNotTakeTheKeysHeaderForTheValues() throws IOException {
        knows("/schemas/ids/7", schema(OURS));
        Headers headers =
                header("__key_schema_id", ByteBuffer.allocate(5).put((byte) 0).putInt(99));

        assertThat(read(headers, join(prefix(7), frame(schema(OURS), micros()))).getCameraId())
                .isEqualTo("c");
    }

    @Test
    void shouldSayThatARegistryKnowsNoGuids() throws IOException {
        registry.on("GET /schemas/guids/" + GUID, 404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}");
        registry.on("GET /subjects", 200, "[]");
        byte[] value = frame(schema(OURS), micros());

        BadRecordException e = bad(header("__value_schema_id", guid()), value);

        assertThat(e.code()).isEqualTo(DeadLetterCode.UNKNOWN_SCHEMA);
        assertThat(e).hasMessageContaining("" + GUID).hasMessageContaining("version 8");
        registry.on("GET /subjects", 503, "");
        assertThat(catchThrowableOfType(RegistryException.class, () -> read(header("__value_schema_id", guid()), value))
                        .isRetriable())
                .as("in an outage nothing is known")
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 4711, 0x7fffffffL})
    void shouldNameIdsOfEightBytes(long id) throws IOException {
        byte[] value = join(ByteBuffer.allocate(9).put((byte) 0).putLong(id).array(), frame(schema(OURS), micros()));

        BadRecordException e = bad(new RecordHeaders(), value);

        assertThat(e.code()).isEqualTo(DeadLetterCode.NOT_CONFLUENT_WIRE);
        assertThat(e).hasMessageContaining("8 bytes (" + id + ")").hasMessageContaining("Apicurio");
        assertThat(registry.requests()).as("the registry cannot know it").isEmpty();
    }

    @Test
    void shouldNameApicuriosHeaders() throws IOException {
        Headers headers =
                header("apicurio.value.globalId", ByteBuffer.allocate(8).putLong(3));

        assertThat(bad(headers, frame(schema(OURS), micros())))
                .hasMessageContaining("Apicurio's own headers")
                .hasMessageContaining("apicurio.registry.as-confluent=true");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "00", "0000000007", "0000000700", "01", "018979176223364186", "ff", "000000000000000001"})
    void shouldNeverFailInAnotherWayOnHeadersThatAreNoIds(String hex) throws IOException {
        knows("/schemas/ids/7", schema(OURS));
        registry.on("GET /schemas/ids/1792", 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
        Headers headers = new RecordHeaders();
        headers.add("__value_schema_id", java.util.HexFormat.of().parseHex(hex));

        try {
            assertThat(read(headers, join(prefix(7), frame(schema(OURS), micros()))))
                    .isNotNull();
        } catch (BadRecordException e) {
            assertThat(e.code()).isIn(DeadLetterCode.CORRUPT_RECORD, DeadLetterCode.UNKNOWN_SCHEMA);
        }
    }

    @Test
    void shouldConvertMilliseconds() throws IOException {
        Schema millis = schema("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}");
        knows("/schemas/ids/7", millis);

        CameraFrame frame = read(new RecordHeaders(), join(prefix(7), frame(millis, AT.toEpochMilli())));

        assertThat(frame.getCapturedAt()).isEqualTo(AT);
        assertThat(frame.getSequence()).as("the other fields are untouched").isEqualTo(1);
    }

    @Test
    void shouldConvertNanoseconds() throws IOException {
        Schema nanos = schema("{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}");
        knows("/schemas/ids/7", nanos);

        assertThat(read(new RecordHeaders(), join(prefix(7), frame(nanos, AT.toEpochMilli() * 1_000_000)))
                        .getCapturedAt())
                .isEqualTo(AT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"long\" | plain long",
                "\"int\" | plain int",
                "{\"type\":\"int\",\"logicalType\":\"date\"} | date",
                "{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"} | local-timestamp-micros",
                "{\"type\":\"long\",\"logicalType\":\"time-micros\"} | time-micros",
                "{\"type\":\"long\",\"logicalType\":\"our-own-ticks\"} | our-own-ticks",
            })
    void shouldRejectTimesWhoseUnitIsNotKnown(String type, String named) throws IOException {
        Schema other = schema(type);
        knows("/schemas/ids/7", other);
        boolean isInt = other.getField("capturedAt").schema().getType() == Schema.Type.INT;
        Object time = isInt ? (Object) 20_000 : (Object) AT.toEpochMilli();

        BadRecordException e = bad(new RecordHeaders(), join(prefix(7), frame(other, time)));

        assertThat(e.code()).isEqualTo(DeadLetterCode.WRONG_SCHEMA);
        assertThat(e).hasMessageContaining("capturedAt").hasMessageContaining(named);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | <html>sign in</html>",
                "200 | {}",
                "200 | {\"status\":\"UP\"}",
                "200 | []",
                "200 | \"schema\"",
                "200 | {\"schema\":{\"type\":\"record\"}}",
                "200 | {\"schema\":null}",
                "404 | <html>nginx</html>",
                "401 | {\"error_code\":40101,\"message\":\"no\"}",
                "403 | forbidden",
                "301 | moved",
            })
    void shouldKeepNothingOfAnAnswerThatIsNoRegistrys(int status, String body) throws IOException {
        registry.on("GET /schemas/ids/7", status, body);
        Deserializer<CameraFrame> deserializer = deserializer();
        byte[] value = join(prefix(7), frame(schema(OURS), micros()));

        assertThat(catchThrowableOfType(RegistryException.class, () -> deserializer.deserialize("f", value))
                        .mayPass())
                .isTrue();
        knows("/schemas/ids/7", schema(OURS));

        assertThat(deserializer.deserialize("f", value).getCameraId())
                .as("once the registry answers itself")
                .isEqualTo("c");
    }

    @Test
    void shouldFindASchemaRegisteredByHand() throws IOException {
        String byHand = FrameRef.getClassSchema().toString().replace(",\"avro.java.string\":\"String\"", "");
        assertThat(byHand).isNotEqualTo(FrameRef.getClassSchema().toString());
        String other =
                "{\"type\":\"record\",\"name\":\"FrameRef\",\"namespace\":\"io.linesight.schemas\",\"fields\":[]}";
        registry.on("POST /subjects/t-value", 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
        registry.on("GET /subjects/t-value/versions", 200, "[1,2,3]");
        registry.on("GET /subjects/t-value/versions/3", 200, version(3, 33, other));
        registry.on("GET /subjects/t-value/versions/2", 200, version(2, 22, byHand));
        LinesightAvroSerializer<FrameRef> serializer = serializer("auto.register.schemas", "false");

        byte[] bytes = serializer.serialize("t", new FrameRef("t", 1, 2L));
        serializer.serialize("t", new FrameRef("t", 1, 3L));

        assertThat(bytes).startsWith(0, 0, 0, 0, 22);
        assertThat(registry.requests()).as("looked for once").hasSize(4);
    }

    @Test
    void shouldNotTakeASchemaOfAnotherUnitForOurs() throws IOException {
        String millis = FrameRef.getClassSchema()
                .toString()
                .replace(
                        "{\"name\":\"offset\",\"type\":\"long\"}",
                        "{\"name\":\"offset\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}");
        registry.on("POST /subjects/t-value", 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
        registry.on("GET /subjects/t-value/versions", 200, "[1]");
        registry.on("GET /subjects/t-value/versions/1", 200, version(1, 9, millis));
        LinesightAvroSerializer<FrameRef> serializer = serializer("auto.register.schemas", "false");

        RegistryException e = catchThrowableOfType(
                RegistryException.class, () -> serializer.serialize("t", new FrameRef("t", 1, 2L)));

        assertThat(e.kind()).isEqualTo(RegistryException.Kind.NOT_FOUND);
        assertThat(e).hasMessageContaining("linesight schemas").hasMessageContaining("auto.register.schemas=true");
    }

    @Test
    void shouldRegisterWithoutJavasProperties() {
        StringBuilder sent = new StringBuilder();
        registry.on("POST /subjects/t-value/versions", body -> {
            sent.append(body);
            return new ScriptedRegistry.Answer(200, "{\"id\":4}");
        });

        serializer("avro.remove.java.properties", "true").serialize("t", new FrameRef("t", 1, 2L));

        assertThat(sent).contains("FrameRef").doesNotContain("avro.java.string");
    }

    @Test
    void shouldUseAContextOfTheRegistry() throws IOException {
        registry.on(
                "GET /contexts/.plant/schemas/ids/7",
                200,
                "{\"schema\":" + JSON.writeValueAsString(schema(OURS).toString()) + "}");
        LinesightAvroDeserializer<CameraFrame> deserializer = new LinesightAvroDeserializer<>();
        deserializer.configure(
                Map.of(
                        "schema.registry.url",
                        registry.url() + "/contexts/.plant",
                        "specific.avro.value.type",
                        CameraFrame.class),
                false);

        assertThat(deserializer
                        .deserialize("f", join(prefix(7), frame(schema(OURS), micros())))
                        .getCameraId())
                .isEqualTo("c");
    }

    private LinesightAvroSerializer<FrameRef> serializer(String key, String value) {
        LinesightAvroSerializer<FrameRef> serializer = new LinesightAvroSerializer<>();
        serializer.configure(Map.of("schema.registry.url", registry.url(), "max.retries", "0", key, value), false);
        return serializer;
    }

    private static String version(int version, int id, String schema) throws IOException {
        return "{\"subject\":\"t-value\",\"version\":" + version + ",\"id\":" + id + ",\"schema\":"
                + JSON.writeValueAsString(schema) + "}";
    }

    private static long micros() {
        return AT.toEpochMilli() * 1000;
    }

    private CameraFrame read(Headers headers, byte[] value) {
        return deserializer().deserialize("f", headers, value);
    }

    private BadRecordException bad(Headers headers, byte[] value) {
        return catchThrowableOfType(BadRecordException.class, () -> read(headers, value));
    }

    private Deserializer<CameraFrame> deserializer() {
        return AvroSerde.of(CameraFrame.class, Map.of("schema.registry.url", registry.url(), "max.retries", "0"), false)
                .deserializer();
    }

    private void knows(String path, Schema schema) throws IOException {
        registry.on("GET " + path, 200, "{\"schema\":" + JSON.writeValueAsString(schema.toString()) + "}");
    }

    /** Our schema as somebody else wrote it down, with another type of the time. */
    private static Schema schema(String capturedAt) {
        String text = CameraFrame.getClassSchema()
                .toString()
                .replace("{\"type\":\"string\",\"avro.java.string\":\"String\"}", "\"string\"");
        assertThat(text).contains(OURS);
        return new Schema.Parser().parse(text.replace(OURS, capturedAt));
    }

    private static byte[] frame(Schema schema, Object capturedAt) throws IOException {
        GenericRecord record = new GenericData.Record(schema);
        record.put("frameId", "c-1");
        record.put("cameraId", "c");
        record.put("lineId", "");
        record.put("capturedAt", capturedAt);
        record.put("sequence", 1L);
        record.put(
                "encoding",
                new GenericData.EnumSymbol(schema.getField("encoding").schema(), FrameEncoding.PNG.name()));
        record.put("width", 1);
        record.put("height", 1);
        record.put("image", ByteBuffer.wrap("x".getBytes(StandardCharsets.US_ASCII)));
        record.put("attributes", Map.of());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    private static Headers header(String name, ByteBuffer value) {
        return new RecordHeaders().add(name, value.array());
    }

    private static ByteBuffer guid() {
        return ByteBuffer.allocate(17)
                .put((byte) 1)
                .putLong(GUID.getMostSignificantBits())
                .putLong(GUID.getLeastSignificantBits());
    }

    private static byte[] prefix(int id) {
        return ByteBuffer.allocate(5).put((byte) 0).putInt(id).array();
    }

    private static byte[] join(byte[] a, byte[] b) {
        return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
    }
}
