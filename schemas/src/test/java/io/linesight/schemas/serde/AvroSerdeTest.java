package io.linesight.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Region;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.ScriptedRegistry;
import io.linesight.schemas.registry.ScriptedRegistry.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AvroSerdeTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant AT = Instant.parse("2026-02-03T04:05:06.789012Z");

    private final ScriptedRegistry registry = new ScriptedRegistry();

    @AfterEach
    void stop() {
        registry.close();
    }

    @Test
    void shouldWriteConfluentsWireFormat() {
        knows(0x01020304, FrameRef.getClassSchema(), "refs-value");

        byte[] bytes = serde(FrameRef.class).serializer().serialize("refs", new FrameRef("t", 1, 2L));

        assertThat(bytes).containsExactly(0, 1, 2, 3, 4, 2, 't', 2, 4);
    }

    @Test
    void shouldGiveBackEveryFieldOfEveryRecord() {
        InspectionResult result = InspectionResult.newBuilder()
                .setResultId("f-0-1")
                .setFrameRef(new FrameRef("f", 0, 1L))
                .setFrameId("c-1")
                .setCameraId("c")
                .setProduct("bolt")
                .setScore(0.75f)
                .setRawScore(0.25f)
                .setThreshold(0.5f)
                .setVerdict(Verdict.REVIEW)
                .setReason("MODEL_RETURNED_NAN")
                .setModelVersion("m")
                .setCapturedAt(AT)
                .setScoredAt(AT.plusNanos(1000))
                .setTimings(new StageTimings(1L, 2L, 3L, 4))
                .setRegions(List.of(new Region(1, 2, 3, 4, 12L, 0.5f, 2, 3)))
                .build();
        AnomalyEvent event = AnomalyEvent.newBuilder()
                .setResult(result)
                .setMapPng(ByteBuffer.wrap(new byte[] {1, 2}))
                .setMapLow(0f)
                .setMapHigh(1f)
                .build();
        knows(5, AnomalyEvent.getClassSchema(), "a-value");
        Serde<AnomalyEvent> serde = serde(AnomalyEvent.class);

        AnomalyEvent back =
                serde.deserializer().deserialize("a", serde.serializer().serialize("a", event));

        assertThat(back).isEqualTo(event);
        assertThat(back.getResult().getCapturedAt()).isEqualTo(AT);
        assertThat(back.getThumbnailJpeg()).isNull();

        result.setScore(Float.NaN); // apart, because Avro's equals takes no NaN for another
        assertThat(serde.deserializer()
                        .deserialize("a", serde.serializer().serialize("a", event))
                        .getResult()
                        .getScore())
                .isNaN();
    }

    @Test
    void shouldPassTombstones() {
        Serde<FrameRef> serde = serde(FrameRef.class);

        assertThat(serde.serializer().serialize("t", null)).isNull();
        assertThat(serde.deserializer().deserialize("t", null)).isNull();
    }

    @Test
    void shouldReadAFrameOfAnOlderAndOfANewerWriter() throws IOException {
        Schema older = without(CameraFrame.getClassSchema(), "attributes", "product", "lineId");
        Schema newer = new Schema.Parser()
                .parse(CameraFrame.getClassSchema()
                        .toString()
                        .replace(
                                "{\"name\":\"sequence\"",
                                "{\"name\":\"exposure\",\"type\":\"double\"},{\"name\":\"sequence\"")
                        .replace("\"BGR8\"", "\"BGR8\",\"WEBP\""));
        knows(1, older, "f-value");
        knows(2, newer, "g-value");

        CameraFrame old = serde(CameraFrame.class).deserializer().deserialize("f", encode(1, older, generic(older)));
        GenericRecord record = generic(newer);
        record.put("exposure", 0.5);
        record.put(
                "encoding",
                new GenericData.EnumSymbol(newer.getField("encoding").schema(), "WEBP"));
        CameraFrame fresh = serde(CameraFrame.class).deserializer().deserialize("g", encode(2, newer, record));

        assertThat(old.getAttributes()).isEmpty();
        assertThat(old.getProduct()).isNull();
        assertThat(old.getCapturedAt()).isEqualTo(AT);
        assertThat(fresh.getEncoding()).as("an encoding of the future").isEqualTo(FrameEncoding.UNKNOWN);
    }

    @Test
    void shouldSayOfEveryBadRecordWhatIsBad() throws IOException {
        knows(1, CameraFrame.getClassSchema(), "f-value");
        knows(2, FrameRef.getClassSchema(), "r-value");
        knows(3, Schema.create(Schema.Type.STRING), "s-value");
        Schema incompatible = without(CameraFrame.getClassSchema(), "frameId");
        knows(4, incompatible, "i-value");
        registry.on("GET /schemas/ids/5", 200, "{\"schemaType\":\"PROTOBUF\",\"schema\":\"message A {}\"}");
        registry.on("GET /schemas/ids/6", 404, "{\"error_code\":40403,\"message\":\"Schema 6 not found\"}");
        byte[] good = serde(CameraFrame.class).serializer().serialize("f", frame());
        byte[] longer = Arrays.copyOf(good, good.length + 1);

        assertThat(code(new byte[0])).isEqualTo(DeadLetterCode.EMPTY_RECORD);
        assertThat(code(new byte[] {0, 0, 0})).isEqualTo(DeadLetterCode.NOT_CONFLUENT_WIRE);
        assertThat(code(new byte[] {(byte) 0xff, (byte) 0xd8, 1, 1, 1, 1, 1}))
                .as("a bare JPEG")
                .isEqualTo(DeadLetterCode.NOT_CONFLUENT_WIRE);
        assertThat(code(encode(2, FrameRef.getClassSchema(), new FrameRef("t", 0, 0L))))
                .isEqualTo(DeadLetterCode.WRONG_SCHEMA);
        assertThat(code(new byte[] {0, 0, 0, 0, 3, 0})).isEqualTo(DeadLetterCode.WRONG_SCHEMA);
        assertThat(code(encode(4, incompatible, generic(incompatible)))).isEqualTo(DeadLetterCode.WRONG_SCHEMA);
        assertThat(code(new byte[] {0, 0, 0, 0, 5, 0})).isEqualTo(DeadLetterCode.WRONG_SCHEMA);
        assertThat(code(new byte[] {0, 0, 0, 0, 6, 0})).isEqualTo(DeadLetterCode.UNKNOWN_SCHEMA);
        assertThat(code(longer)).as("continues after its end").isEqualTo(DeadLetterCode.CORRUPT_RECORD);
        for (int length = 5; length < good.length; length++) {
            assertThat(code(Arrays.copyOf(good, length)))
                    .as("cut to %d of %d bytes", length, good.length)
                    .isEqualTo(DeadLetterCode.CORRUPT_RECORD);
        }
    }

    @Test
    void shouldNeverFailInAnotherWayWhateverTheBytes() {
        knows(1, CameraFrame.getClassSchema(), "f-value");
        registry.on("GET /schemas/ids/6", 404, "{\"error_code\":40403,\"message\":\"not found\"}");
        byte[] good = serde(CameraFrame.class).serializer().serialize("f", frame());
        Deserializer<CameraFrame> deserializer = serde(CameraFrame.class).deserializer();
        Random random = new Random(20260203);
        int rejected = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = good.clone();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                bytes[5 + random.nextInt(bytes.length - 5)] = (byte) random.nextInt();
            }
            try {
                assertThat(deserializer.deserialize("f", bytes)).isNotNull();
            } catch (BadRecordException e) {
                assertThat(e.code()).isEqualTo(DeadLetterCode.CORRUPT_RECORD);
                rejected++;
            }
        }
        assertThat(rejected).isBetween(2_000, 20_000);
    }

    @Test
    void shouldRejectLengthsThatTheRecordCannotHold() throws IOException {
        // Each claims about two thousand million bytes or items in a record of a few bytes. Allocating what is claimed
        // would end this test's JVM.
        Schema bytes = new Schema.Parser().parse(record("{\"name\":\"frameId\",\"type\":\"bytes\"}"));
        Schema string = new Schema.Parser().parse(record("{\"name\":\"frameId\",\"type\":\"string\"}"));
        Schema array = new Schema.Parser()
                .parse(record("{\"name\":\"frameId\",\"type\":{\"type\":\"array\",\"items\":\"string\"}}"));
        Schema longs = new Schema.Parser()
                .parse(record("{\"name\":\"frameId\",\"type\":{\"type\":\"array\",\"items\":\"long\"}}"));
        Schema nulls = new Schema.Parser()
                .parse(record("{\"name\":\"frameId\",\"type\":{\"type\":\"array\",\"items\":\"null\"}}"));
        Schema map = new Schema.Parser()
                .parse(record("{\"name\":\"frameId\",\"type\":{\"type\":\"map\",\"values\":\"long\"}}"));
        int id = 10;
        for (Schema schema : List.of(bytes, string, array, longs, nulls, map)) {
            registry.on(
                    "GET /schemas/ids/" + id, 200, "{\"schema\":" + JSON.writeValueAsString(schema.toString()) + "}");
            LinesightAvroDeserializer<GenericRecord> generic = new LinesightAvroDeserializer<>();
            generic.configure(Map.of("schema.registry.url", registry.url()), false);
            for (long claimed :
                    new long[] {Integer.MAX_VALUE - 8L, 1_900_000_000L, 1L << 40, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                out.writeBytes(new byte[] {0, 0, 0, 0, (byte) id});
                BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
                encoder.writeLong(claimed);
                encoder.flush();
                out.writeBytes(new byte[] {1, 2, 3});
                byte[] hostile = out.toByteArray();
                assertThat(catchThrowableOfType(BadRecordException.class, () -> generic.deserialize("f", hostile)))
                        .as("%s claiming %d", schema.getField("frameId").schema(), claimed)
                        .extracting(BadRecordException::code)
                        .isEqualTo(schema == nulls ? DeadLetterCode.WRONG_SCHEMA : DeadLetterCode.CORRUPT_RECORD);
            }
            id++;
        }
    }

    @Test
    void shouldSurviveBytesThatNestWithoutEnd() throws IOException {
        Schema endless = new Schema.Parser()
                .parse(record("{\"name\":\"frameId\",\"type\":[\"null\",\"Endless\"]}")
                        .replace("\"R\"", "\"Endless\""));
        registry.on("GET /schemas/ids/1", 200, "{\"schema\":" + JSON.writeValueAsString(endless.toString()) + "}");
        byte[] bytes = new byte[4 << 20];
        Arrays.fill(bytes, (byte) 2); // union branch 1, again and again
        System.arraycopy(new byte[] {0, 0, 0, 0, 1}, 0, bytes, 0, 5);
        LinesightAvroDeserializer<GenericRecord> generic = new LinesightAvroDeserializer<>();
        generic.configure(Map.of("schema.registry.url", registry.url()), false);

        assertThat(catchThrowableOfType(BadRecordException.class, () -> generic.deserialize("f", bytes))
                        .code())
                .isEqualTo(DeadLetterCode.CORRUPT_RECORD);
    }

    @Test
    void shouldKeepTheRecordWhenTheRegistryIsOut() {
        knows(1, CameraFrame.getClassSchema(), "f-value");
        byte[] good = serde(CameraFrame.class).serializer().serialize("f", frame());
        Deserializer<CameraFrame> deserializer = serde(CameraFrame.class).deserializer();
        registry.on("GET /schemas/ids/1", 503, "");

        assertThat(catchThrowableOfType(RegistryException.class, () -> deserializer.deserialize("f", good))
                        .isRetriable())
                .isTrue();

        knows(1, CameraFrame.getClassSchema(), "f-value");
        assertThat(deserializer.deserialize("f", good)).as("once it is back").isEqualTo(frame());
        registry.close();
        assertThat(deserializer.deserialize("f", good))
                .as("known schemas need no registry")
                .isEqualTo(frame());
    }

    @Test
    void shouldOnlyLookUpWhenItMayNotRegister() {
        registry.on(
                "POST /subjects/t-value", 404, "{\"error_code\":40401,\"message\":\"Subject 't-value' not found.\"}");
        Serializer<FrameRef> serializer = AvroSerde.of(FrameRef.class, configs("auto.register.schemas", "false"), false)
                .serializer();

        assertThat(catchThrowableOfType(
                                RegistryException.class, () -> serializer.serialize("t", new FrameRef("t", 0, 0L)))
                        .kind())
                .isEqualTo(RegistryException.Kind.NOT_FOUND);
        assertThat(registry.requests()).containsExactly("POST /subjects/t-value");
    }

    @Test
    void shouldWriteInTheLatestSchemaOfTheRegistry() throws IOException {
        Schema latest = new Schema.Parser()
                .parse(
                        """
                {"type":"record","name":"FrameRef","namespace":"io.linesight.schemas","fields":[
                 {"name":"cluster","type":"string","default":"main"},
                 {"name":"offset","type":"long"},{"name":"topic","type":"string"},{"name":"partition","type":"int"}]}""");
        registry.on(
                "GET /subjects/t-value/versions/latest",
                200,
                "{\"subject\":\"t-value\",\"version\":3,\"id\":8,\"schema\":"
                        + JSON.writeValueAsString(latest.toString()) + "}");
        knows(8, latest, "unused");
        Serde<FrameRef> serde = AvroSerde.of(
                FrameRef.class, configs("auto.register.schemas", false, "use.latest.version", true), false);

        byte[] bytes = serde.serializer().serialize("t", new FrameRef("t", 1, 2L));

        assertThat(bytes).containsExactly(0, 0, 0, 0, 8, 8, 'm', 'a', 'i', 'n', 4, 2, 't', 2);
        assertThat(serde.deserializer().deserialize("t", bytes)).isEqualTo(new FrameRef("t", 1, 2L));
    }

    @Test
    void shouldReadGenericRecordsWhenNoTypeIsAskedFor() {
        knows(1, FrameRef.getClassSchema(), "r-value");
        byte[] bytes = serde(FrameRef.class).serializer().serialize("r", new FrameRef("t", 1, 2L));
        LinesightAvroDeserializer<IndexedRecord> generic = new LinesightAvroDeserializer<>();
        generic.configure(configs(), false);
        LinesightAvroDeserializer<IndexedRecord> specific = new LinesightAvroDeserializer<>();
        specific.configure(configs("specific.avro.reader", "true"), false);

        assertThat(generic.deserialize("r", bytes)).isInstanceOf(GenericRecord.class);
        assertThat(specific.deserialize("r", bytes)).isEqualTo(new FrameRef("t", 1, 2L));
    }

    @Test
    void shouldUseTheKeySubjectForKeys() {
        knows(1, FrameRef.getClassSchema(), "r-key");

        assertThat(AvroSerde.of(FrameRef.class, configs(), true).serializer().serialize("r", new FrameRef("t", 1, 2L)))
                .hasSize(9);
        assertThat(registry.requests()).containsExactly("POST /subjects/r-key/versions");
    }

    @Test
    void shouldRejectWhatItCannotHonour() {
        assertThatThrownBy(() -> AvroSerde.of(
                        FrameRef.class,
                        configs(
                                "value.subject.name.strategy",
                                "io.confluent.kafka.serializers.subject.RecordNameStrategy"),
                        false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("TopicNameStrategy");
        AvroSerde.of(
                        FrameRef.class,
                        configs(
                                "value.subject.name.strategy",
                                "io.confluent.kafka.serializers.subject.TopicNameStrategy"),
                        false)
                .close();
        assertThatThrownBy(() -> AvroSerde.of(FrameRef.class, configs("auto.register.schemas", "maybe"), false))
                .hasMessageContaining("auto.register.schemas=maybe");
        assertThatThrownBy(() -> AvroSerde.of(
                        FrameRef.class, configs("use.latest.version", "true", "auto.register.schemas", "true"), false))
                .hasMessageContaining("auto.register.schemas=false");
        assertThatThrownBy(() -> new AvroSerde<FrameRef>().serializer().serialize("t", new FrameRef("t", 1, 2L)))
                .hasMessageContaining("not configured");
    }

    @Test
    void shouldSayWhichRecordDoesNotFit() {
        knows(1, FrameRef.getClassSchema(), "t-value");

        assertThatThrownBy(() -> serde(FrameRef.class).serializer().serialize("t", new FrameRef(null, 1, 2L)))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("io.linesight.schemas.FrameRef")
                .hasMessageContaining("topic t");
    }

    @Test
    void shouldMakeTheSerdeNamedInTheConfiguration() {
        assertThat(SerdeFactory.create(FrameRef.class, configs(), false)).isInstanceOf(AvroSerde.class);
        assertThatThrownBy(() -> SerdeFactory.create(
                        FrameRef.class, configs("linesight.serde.class", "io.confluent.Missing"), false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("io.confluent.Missing")
                .hasMessageContaining("class path");
        assertThatThrownBy(() -> SerdeFactory.create(
                        FrameRef.class, configs("linesight.serde.class", "java.lang.String"), false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("no-arg constructor");
    }

    @Test
    void shouldTranslateTheFailuresOfASerdeOfOthers() {
        Deserializer<FrameRef> deserializer = SerdeFactory.create(
                        FrameRef.class, configs("linesight.serde.class", OtherSerde.class.getName()), false)
                .deserializer();
        byte[] bytes = {0, 0, 0, 0, 1, 9};

        OtherSerde.next = new FrameRef("t", 1, 2L);
        assertThat(deserializer.deserialize("t", bytes)).isEqualTo(OtherSerde.next);
        OtherSerde.next = "text";
        assertThat(bad(deserializer, bytes)).isEqualTo(DeadLetterCode.WRONG_SCHEMA);
        OtherSerde.next = new SerializationException("Avro", new java.io.EOFException());
        assertThat(bad(deserializer, bytes)).isEqualTo(DeadLetterCode.CORRUPT_RECORD);
        OtherSerde.next = new SerializationException("schema", new RestClientException(40403));
        assertThat(bad(deserializer, bytes)).isEqualTo(DeadLetterCode.UNKNOWN_SCHEMA);
        assertThat(bad(deserializer, new byte[0])).isEqualTo(DeadLetterCode.EMPTY_RECORD);
        for (Exception outage : List.of(
                new RestClientException(50001),
                new java.net.ConnectException("refused"),
                new org.apache.kafka.common.errors.TimeoutException())) {
            OtherSerde.next = new SerializationException("schema", outage);
            assertThat(catchThrowableOfType(RegistryException.class, () -> deserializer.deserialize("t", bytes))
                            .isRetriable())
                    .isTrue();
        }
    }

    /** Stands for Confluent's exception, which is known by its simple name and its getter only. */
    static final class RestClientException extends IOException {
        private static final long serialVersionUID = 1L;
        private final int code;

        RestClientException(int code) {
            super("code " + code);
            this.code = code;
        }

        public int getErrorCode() {
            return code;
        }
    }

    /** Does what {@code next} says. */
    public static final class OtherSerde extends Serdes.WrapperSerde<Object> {
        static Object next;

        public OtherSerde() {
            super((topic, value) -> new byte[0], (topic, bytes) -> {
                if (next instanceof RuntimeException e) {
                    throw e;
                }
                return next;
            });
        }
    }

    private static DeadLetterCode bad(Deserializer<?> deserializer, byte[] bytes) {
        return catchThrowableOfType(BadRecordException.class, () -> deserializer.deserialize("t", bytes))
                .code();
    }

    private DeadLetterCode code(byte[] bytes) {
        BadRecordException e = catchThrowableOfType(
                BadRecordException.class,
                () -> serde(CameraFrame.class).deserializer().deserialize("f", bytes));
        return e == null ? null : e.code();
    }

    private <T extends org.apache.avro.specific.SpecificRecord> AvroSerde<T> serde(Class<T> type) {
        return AvroSerde.of(type, configs(), false);
    }

    private Map<String, Object> configs(Object... pairs) {
        Map<String, Object> configs = new HashMap<>(Map.of("schema.registry.url", registry.url(), "max.retries", 0));
        for (int i = 0; i < pairs.length; i += 2) {
            configs.put((String) pairs[i], pairs[i + 1]);
        }
        return configs;
    }

    /** The registry gives this schema for the id, and the id for this schema under the subject. */
    private void knows(int id, Schema schema, String subject) {
        try {
            registry.on(
                    "GET /schemas/ids/" + id, 200, "{\"schema\":" + JSON.writeValueAsString(schema.toString()) + "}");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        registry.on(
                "POST /subjects/" + subject + "/versions",
                body -> body.contains(schema.getFullName().replaceAll(".*\\.", ""))
                        ? new Answer(200, "{\"id\":" + id + "}")
                        : new Answer(422, "{\"error_code\":42201,\"message\":\"another schema\"}"));
    }

    private static CameraFrame frame() {
        return CameraFrame.newBuilder()
                .setFrameId("c-1")
                .setCameraId("c")
                .setProduct("bolt")
                .setCapturedAt(AT)
                .setSequence(1)
                .setEncoding(FrameEncoding.PNG)
                .setWidth(2)
                .setHeight(3)
                .setImage(ByteBuffer.wrap(new byte[] {9, 8, 7, 6, 5}))
                .setAttributes(Map.of("station", "A"))
                .build();
    }

    private static Schema without(Schema schema, String... names) {
        List<String> gone = List.of(names);
        List<Schema.Field> fields = schema.getFields().stream()
                .filter(f -> !gone.contains(f.name()))
                .map(f -> new Schema.Field(f, f.schema()))
                .toList();
        return Schema.createRecord(schema.getName(), null, schema.getNamespace(), false, fields);
    }

    /** A frame in the fields that the schema has. */
    private static GenericRecord generic(Schema schema) {
        Map<String, Object> values = new HashMap<>(Map.of(
                "frameId",
                "c-1",
                "cameraId",
                "c",
                "lineId",
                "",
                "capturedAt",
                AT.getEpochSecond() * 1_000_000 + AT.getNano() / 1000,
                "sequence",
                1L,
                "width",
                2,
                "height",
                3,
                "image",
                ByteBuffer.wrap(new byte[] {1}),
                "attributes",
                Map.of()));
        GenericRecord record = new GenericData.Record(schema);
        for (Schema.Field field : schema.getFields()) {
            record.put(field.name(), values.get(field.name()));
        }
        record.put(
                "encoding",
                new GenericData.EnumSymbol(schema.getField("encoding").schema(), "PNG"));
        return record;
    }

    private static byte[] encode(int id, Schema schema, IndexedRecord record) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        new GenericDatumWriter<IndexedRecord>(schema).write(record, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    private static String record(String field) {
        return "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" + field + "]}";
    }
}
