package io.linesight.streams.drain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Kafka Streams' internals may change with any version: their use has to stay in one place. */
class InternalApiTest {

    @Test
    void shouldUseKafkaInternalsInThisPackageOnly() throws Exception {
        Path classes = Path.of(DrainStore.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> files = Files.walk(classes)) {
            List<String> packages = files.filter(f -> f.toString().endsWith(".class"))
                    .filter(InternalApiTest::usesInternals)
                    .map(f -> classes.relativize(f.getParent()).toString())
                    .distinct()
                    .toList();
            assertThat(packages).containsExactly("io/linesight/streams/drain");
        }
    }

    private static boolean usesInternals(Path file) {
        try {
            String constants = Files.readString(file, StandardCharsets.ISO_8859_1);
            return constants.contains("org/apache/kafka/streams/processor/internals/")
                    || constants.contains("org/apache/kafka/streams/state/internals/");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
