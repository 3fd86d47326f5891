package io.linesight.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Topics keep records for weeks, so today's readers meet every version ever written. Each released version is committed
 * self-contained as {@code schemas-released/<record>/v<N>.avsc}.
 */
class ReleasedSchemasTest {

    private static final Path SOURCES = Path.of("src/main/avro");
    private static final Path RELEASED = Path.of("src/test/resources/schemas-released");

    @ParameterizedTest
    @MethodSource("records")
    void shouldReadEveryReleasedVersion(String record) throws Exception {
        for (Path file : versions(record)) {
            var result = SchemaCompatibility.checkReaderWriterCompatibility(current(record), parse(file));
            assertThat(result.getType()).as("today's %s reading %s: %s", record, file, result.getDescription())
                    .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void shouldHaveReadAllItsPredecessorsInEveryReleasedVersion(String record) throws Exception {
        List<Path> files = versions(record);
        for (int later = 1; later < files.size(); later++) {
            for (int earlier = 0; earlier < later; earlier++) {
                var result = SchemaCompatibility.checkReaderWriterCompatibility(parse(files.get(later)), parse(files.get(earlier)));
                assertThat(result.getType()).as("%s reading %s: %s", files.get(later), files.get(earlier), result.getDescription())
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
                .as("%s.avsc differs from its newest committed version. If the change is meant, add %s/%s/v%d.avsc with:%n%s%n",
                        record, RELEASED, record, files.size() + 1, current.toString(true))
                .isEqualTo(current);
    }

    @Test
    void shouldKnowEveryRecord() throws IOException {
        try (Stream<Path> directories = Files.list(RELEASED)) {
            assertThat(directories.map(p -> p.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(records());
        }
    }

    static List<String> records() throws IOException {
        try (Stream<Path> files = Files.list(SOURCES)) {
            return files.map(p -> p.getFileName().toString().replace(".avsc", ""))
                    .map(name -> name.equals("DeadLetter") ? "DeadLetterReason" : name).sorted().toList();
        }
    }

    private static Schema current(String record) throws ReflectiveOperationException {
        return (Schema) Class.forName("io.linesight.schemas." + record).getMethod("getClassSchema").invoke(null);
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
