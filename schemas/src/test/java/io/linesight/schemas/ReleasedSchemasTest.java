package io.linesight.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.registry.ScriptedRegistry;
import io.linesight.schemas.serde.AvroSerde;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericEnumSymbol;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.avro.util.RandomData;
import org.apache.kafka.common.serialization.Serde;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Topics keep records for weeks, so today's readers meet every version ever written. Each released version is committed
 * self-contained as {@code schemas-released/<record>/v<N>.avsc} and pinned in {@code schemas-released.sha256}.
 * Instances of both versions run side by side while a line is updated, so readers of the version before meet today's
 * records too.
 */
class ReleasedSchemasTest {

    private static final Path SOURCES = Path.of("src/main/avro");
    private static final Path RELEASED = Path.of("src/test/resources/schemas-released");
    private static final Path PINS = Path.of("src/test/resources/schemas-released.sha256");
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @MethodSource("records")
    void shouldReadEveryReleasedVersion(String record) throws Exception {
        for (Path file : versions(record)) {
            var result = SchemaCompatibility.checkReaderWriterCompatibility(current(record), parse(file));
            assertThat(result.getType())
                    .as("today's %s reading %s: %s", record, file, result.getDescription())
                    .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldHaveReadAllItsPredecessorsInEveryReleasedVersion(String record) throws Exception {
        List<Path> files = versions(record);
        for (int later = 1; later < files.size(); later++) {
            for (int earlier = 0; earlier < later; earlier++) {
                var result = SchemaCompatibility.checkReaderWriterCompatibility(
                        parse(files.get(later)), parse(files.get(earlier)));
                assertThat(result.getType())
                        .as("%s reading %s: %s", files.get(later), files.get(earlier), result.getDescription())
                        .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldCommitAVersionForEveryChange(String record) throws Exception {
        List<Path> files = versions(record);
        Schema current = current(record);

        assertThat(parse(files.get(files.size() - 1)))
                .as(
                        "%s.avsc differs from its newest committed version. If the change is meant, add "
                                + "%s/%s/v%d.avsc with:%n%s%n",
                        record, RELEASED, record, files.size() + 1, current.toString(true))
                .isEqualTo(current);
    }

    @Test
    void shouldNeverChangeAReleasedVersion() throws Exception {
        Map<String, String> pinned = new TreeMap<>();
        for (String line : Files.readAllLines(PINS)) pinned.put(line.substring(66), line.substring(0, 64));
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(RELEASED)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
                found.put(
                        RELEASED.relativize(file).toString().replace('\\', '/'),
                        HexFormat.of().formatHex(digest));
            }
        }
        assertThat(found)
                .as(
                        "a released version never changes: add the next one, and its line to %s (in the folder: "
                                + "sha256sum RECORD/vN.avsc)",
                        PINS)
                .isEqualTo(pinned);
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldBeFullyCompatibleWithTheNewestReleasedVersion(String record) throws Exception {
        List<Path> files = versions(record);
        assertThat(breaks(current(record), parse(files.get(files.size() - 1)))).isEmpty();
    }

    @Test
    void shouldNoticeChangesThatBreakReaders() {
        Schema now = FrameRef.getClassSchema();
        Schema mandatory = new Schema.Parser()
                .parse(now.toString()
                        .replaceFirst(
                                "\\{\"name\":\"partition\"",
                                "{\"name\":\"cluster\",\"type\":\"string\"},{\"name\":\"partition\""));
        Schema optional = new Schema.Parser()
                .parse(now.toString()
                        .replaceFirst(
                                "\\{\"name\":\"partition\"",
                                "{\"name\":\"cluster\",\"type\":\"string\",\"default\":\"\"},{\"name\":\"partition\""));
        Schema narrower = new Schema.Parser().parse(now.toString().replace("\"long\"", "\"int\""));
        assertThat(breaks(optional, now)).isEmpty();
        assertThat(breaks(mandatory, now))
                .as("the new reader misses it in old records")
                .hasSize(1);
        assertThat(breaks(narrower, now)).as("old offsets do not fit").hasSize(1);
        Schema without = new Schema.Parser().parse(now.toString().replaceFirst(",\\{\"name\":\"offset\"[^}]*}", ""));
        assertThat(without.getFields()).hasSize(2);
        assertThat(breaks(without, now))
                .as("old readers miss it in new records")
                .hasSize(1);
    }

    /** What is wrong between the two, both ways. */
    private static List<String> breaks(Schema now, Schema before) {
        List<String> wrong = new ArrayList<>();
        for (Schema[] pair : new Schema[][] {{now, before}, {before, now}}) {
            var result = SchemaCompatibility.checkReaderWriterCompatibility(pair[0], pair[1]);
            if (result.getType() != SchemaCompatibilityType.COMPATIBLE) {
                wrong.add(
                        (pair[0] == now ? "today's reader of records before: " : "readers before of today's records: ")
                                + result.getResult().getIncompatibilities());
            }
        }
        return wrong;
    }

    /**
     * Records of every released version by today's application, and today's records by the application of every
     * released version.
     */
    @ParameterizedTest
    @MethodSource("records")
    void shouldReadOldRecordsAndBeReadByOldReadersThroughTheSerde(String record) throws Exception {
        Schema now = current(record);
        int id = 0;
        for (Path file : versions(record)) {
            Schema old = parse(file);
            try (ScriptedRegistry registry = new ScriptedRegistry()) {
                int writer = ++id;
                registry.on(
                        "GET /schemas/ids/" + writer,
                        200,
                        JSON.createObjectNode().put("schema", old.toString()).toString());
                registry.on("POST /subjects/t-value/versions", 200, "{\"id\":77}");
                registry.on(
                        "GET /schemas/ids/77",
                        200,
                        JSON.createObjectNode().put("schema", now.toString()).toString());
                Serde<? extends SpecificRecord> serde = AvroSerde.of(
                        type(record), Map.of("schema.registry.url", registry.url(), "max.retries", "0"), false);
                for (Object value : new RandomData(old, 50, 11L, true)) {
                    SpecificRecord read = serde.deserializer().deserialize("t", encode(writer, old, value));
                    for (Schema.Field f : now.getFields()) {
                        if (old.getField(f.name()) == null)
                            assertThat(read.get(f.pos()))
                                    .as("%s.%s of a record without it", record, f.name())
                                    .isEqualTo(defaultOf(read, f));
                    }
                    byte[] written = write(serde, read);
                    GenericRecord back = new GenericDatumReader<GenericRecord>(now, old)
                            .read(null, DecoderFactory.get().binaryDecoder(written, 5, written.length - 5, null));
                    for (Schema.Field f : old.getFields()) {
                        if (now.getField(f.name()) != null) {
                            assertThat(plain(back.get(f.pos())))
                                    .as("%s.%s, written today and read by %s", record, f.name(), file.getFileName())
                                    .isEqualTo(plain(((GenericRecord) value).get(f.pos())));
                        }
                    }
                }
            }
        }
    }

    /** Without what tells one Avro implementation's values from another's. */
    private static Object plain(Object value) {
        if (value instanceof CharSequence || value instanceof GenericEnumSymbol<?>) return value.toString();
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> sorted = new TreeMap<>();
            map.forEach((k, v) -> sorted.put(k.toString(), plain(v)));
            return sorted;
        }
        if (value instanceof Collection<?> list)
            return list.stream().map(ReleasedSchemasTest::plain).toList();
        if (value instanceof IndexedRecord r)
            return r.getSchema().getFields().stream()
                    .map(f -> String.valueOf(plain(r.get(f.pos()))))
                    .toList();
        return value;
    }

    private static Object defaultOf(SpecificRecord record, Schema.Field field) {
        return ((SpecificRecordBase) record).getSpecificData().getDefaultValue(field);
    }

    @SuppressWarnings("unchecked")
    private static <T extends SpecificRecord> byte[] write(Serde<T> serde, SpecificRecord record) {
        return serde.serializer().serialize("t", (T) record);
    }

    @SuppressWarnings("unchecked")
    private static Class<? extends SpecificRecord> type(String record) throws ClassNotFoundException {
        return (Class<? extends SpecificRecord>) Class.forName("io.linesight.schemas." + record);
    }

    private static byte[] encode(int id, Schema schema, Object value) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {0, 0, 0, 0, (byte) id});
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<>(schema).write(value, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    @Test
    void shouldKnowEveryRecord() throws IOException {
        try (Stream<Path> directories = Files.list(RELEASED)) {
            assertThat(directories.map(p -> p.getFileName().toString())).containsExactlyInAnyOrderElementsOf(records());
        }
    }

    static List<String> records() throws IOException {
        try (Stream<Path> files = Files.list(SOURCES)) {
            return files.map(p -> p.getFileName().toString().replace(".avsc", ""))
                    .map(name -> name.equals("DeadLetter") ? "DeadLetterReason" : name)
                    .sorted()
                    .toList();
        }
    }

    private static Schema current(String record) throws ReflectiveOperationException {
        return (Schema) Class.forName("io.linesight.schemas." + record)
                .getMethod("getClassSchema")
                .invoke(null);
    }

    /** v1, v2, ... without a gap. */
    private static List<Path> versions(String record) throws IOException {
        List<Path> versions = new ArrayList<>();
        while (Files.exists(RELEASED.resolve(record).resolve("v" + (versions.size() + 1) + ".avsc"))) {
            versions.add(RELEASED.resolve(record).resolve("v" + (versions.size() + 1) + ".avsc"));
        }
        try (Stream<Path> all = Files.list(RELEASED.resolve(record))) {
            assertThat(all).as("versions of %s count up from v1", record).hasSameSizeAs(versions);
        }
        assertThat(versions).as("committed versions of %s", record).isNotEmpty();
        return versions;
    }

    private static Schema parse(Path file) throws IOException {
        return new Schema.Parser().parse(file.toFile());
    }
}
