package io.linesight.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.RegistryException.Kind;
import io.linesight.schemas.registry.ScriptedRegistry;
import io.linesight.schemas.registry.ScriptedRegistry.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.config.ConfigException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Records of every writer, and a registry in every state, as every command that reads meets them. */
class RecordDecoderTest {
    private static final FrameRef REF = new FrameRef("t", 1, 2L);
    private static final String KNOWN = known();
    private static final Answer HTML = new Answer(200, "<html>Please sign in</html>");
    private static final Answer LAGS = new Answer(404, "{\"error_code\":40403,\"message\":\"Schema 7 not found\"}");

    private final ScriptedRegistry registry = new ScriptedRegistry();
    private final AtomicLong nanos = new AtomicLong();

    @AfterEach
    void stop() {
        registry.close();
    }

    private static String known() {
        try {
            return "{\"schema\":"
                    + new ObjectMapper()
                            .writeValueAsString(FrameRef.getClassSchema().toString()) + "}";
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] avro() {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
            GenericDatumWriter<FrameRef> writer = new SpecificDatumWriter<>(FrameRef.getClassSchema());
            writer.write(REF, encoder);
            encoder.flush();
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] id(int id) {
        return ByteBuffer.allocate(5).put((byte) 0).putInt(id).array();
    }

    private static byte[] guid(UUID guid) {
        return ByteBuffer.allocate(17)
                .put((byte) 1)
                .putLong(guid.getMostSignificantBits())
                .putLong(guid.getLeastSignificantBits())
                .array();
    }

    private static ConsumerRecord<byte[], byte[]> prefixed(byte[] id) {
        byte[] avro = avro();
        byte[] value =
                ByteBuffer.allocate(id.length + avro.length).put(id).put(avro).array();
        return new ConsumerRecord<>("refs", 0, 5, null, value);
    }

    private static ConsumerRecord<byte[], byte[]> inHeader(byte[] id) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>("refs", 0, 5, null, avro());
        record.headers().add("__value_schema_id", id);
        return record;
    }

    private RecordDecoder<FrameRef> decoder() {
        return RecordDecoder.of(
                FrameRef.class, Map.of("schema.registry.url", registry.url(), "max.retries", "0"), nanos::get);
    }

    /** Answers in turn; the last one for good. */
    private void answers(Answer... answers) {
        Deque<Answer> left = new ArrayDeque<>(List.of(answers));
        registry.on("GET /schemas/ids/7", ignored -> left.size() > 1 ? left.poll() : left.peek());
    }

    static Stream<ConsumerRecord<byte[], byte[]>> everyWayToNameASchema() {
        UUID guid = UUID.fromString("0e26bb46-0f1c-4c5a-8b3a-2a8a6f5d7f10");
        // A GUID in a header need not look like one of RFC 9562.
        UUID odd = new UUID(0x0123456789abcdefL, 0x0123456789abcdefL);
        return Stream.of(
                prefixed(id(7)), inHeader(id(7)), prefixed(guid(guid)), inHeader(guid(guid)), inHeader(guid(odd)));
    }

    @ParameterizedTest
    @MethodSource("everyWayToNameASchema")
    void shouldReadARecordWhereverItsSchemaIsNamedAndWhenItWasKept(ConsumerRecord<byte[], byte[]> record) {
        registry.on("GET /schemas/ids/7", 200, KNOWN);
        registry.on("GET /schemas/guids/0e26bb46-0f1c-4c5a-8b3a-2a8a6f5d7f10", 200, KNOWN);
        registry.on("GET /schemas/guids/01234567-89ab-cdef-0123-456789abcdef", 200, KNOWN);
        try (RecordDecoder<FrameRef> decoder = decoder()) {
            assertThat(decoder.decode(record)).isEqualTo(REF);
            assertThat(decoder.decodeKept("refs", RecordDecoder.toKeep(record))).isEqualTo(REF);
        }
    }

    @Test
    void shouldNameAnIdOfEightBytesAndReadTombstones() {
        try (RecordDecoder<FrameRef> decoder = decoder()) {
            byte[] id = ByteBuffer.allocate(9).put((byte) 0).putLong(3).array();

            BadRecordException bad = catchThrowableOfType(BadRecordException.class, () -> decoder.await(prefixed(id)));

            assertThat(bad.code()).isEqualTo(DeadLetterCode.NOT_CONFLUENT_WIRE);
            assertThat(bad).hasMessageContaining("an id of 8 bytes (3)").hasMessageContaining("as-confluent");
            assertThat(decoder.decode(new ConsumerRecord<>("refs", 0, 5, null, null)))
                    .isNull();
        }
        assertThat(registry.requests()).isEmpty();
    }

    static Stream<Answer> faultsThatPass() {
        return Stream.of(
                new Answer(401, "{\"error_code\":40101,\"message\":\"Unauthorized\"}"),
                new Answer(403, ""),
                HTML,
                new Answer(404, "<html>no such page</html>"),
                new Answer(503, "{\"error_code\":50301,\"message\":\"starting\"}"),
                new Answer(200, "{\"status\":\"ok\"}"),
                LAGS);
    }

    @ParameterizedTest
    @MethodSource("faultsThatPass")
    void shouldCondemnNoRecordForAFaultThatPasses(Answer fault) {
        answers(fault, new Answer(200, KNOWN));
        try (RecordDecoder<FrameRef> decoder = decoder()) {
            RegistryException e = catchThrowableOfType(RegistryException.class, () -> decoder.decode(prefixed(id(7))));

            assertThat(e.mayPass()).isTrue();
            assertThat(decoder.awaitRegistry(prefixed(id(7)), () -> false)).isEqualTo(REF);
        }
    }

    @Test
    void shouldWaitForALaggingRegistryOnly() {
        answers(LAGS, LAGS, new Answer(200, KNOWN));
        try (RecordDecoder<FrameRef> decoder = decoder()) {
            assertThat(decoder.await(inHeader(id(7)))).isEqualTo(REF);
        }
        answers(HTML);
        try (RecordDecoder<FrameRef> decoder = decoder()) {
            assertThat(catchThrowableOfType(RegistryException.class, () -> decoder.await(prefixed(id(7))))
                            .kind())
                    .isEqualTo(Kind.NOT_A_REGISTRY);
        }
    }

    @Test
    void shouldGiveASchemaUpThatStaysUnknown() {
        answers(LAGS);
        try (RecordDecoder<FrameRef> decoder = decoder()) {
            assertThat(catchThrowableOfType(RegistryException.class, () -> decoder.decode(prefixed(id(7))))
                            .kind())
                    .isEqualTo(Kind.NOT_KNOWN_YET);
            nanos.addAndGet(Duration.ofSeconds(10).toNanos());

            assertThat(catchThrowableOfType(BadRecordException.class, () -> decoder.await(prefixed(id(7))))
                            .code())
                    .isEqualTo(DeadLetterCode.UNKNOWN_SCHEMA);
        }
    }

    @Test
    void shouldEndWaitingWhenStopped() {
        answers(new Answer(503, "{}"));
        try (RecordDecoder<FrameRef> decoder = decoder()) {
            Deque<Boolean> stopped = new ArrayDeque<>(List.of(false, true));

            assertThatThrownBy(() -> decoder.awaitRegistry(prefixed(id(7)), stopped::poll))
                    .isInstanceOf(RegistryException.class);
        }
    }

    @Test
    void shouldRejectASettingOfAnotherRange() {
        assertThatThrownBy(() -> RecordDecoder.of(
                        FrameRef.class,
                        Map.of("schema.registry.url", registry.url(), RecordDecoder.UNKNOWN_SCHEMA_MS, "-1")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(RecordDecoder.UNKNOWN_SCHEMA_MS);
    }
}
