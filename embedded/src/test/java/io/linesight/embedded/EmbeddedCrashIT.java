package io.linesight.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.SchemaRegistryClient;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedCrashIT {

    @Test
    @Timeout(600)
    void shouldResumeAfterKill(@TempDir Path directory) throws Exception {
        Process child = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-Xmx512m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CrashedPlatform.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        int id;
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            String line = out.readLine();
            assertThat(line).as("what the child said").startsWith("id=");
            id = Integer.parseInt(line.substring(3));
        } finally {
            child.destroyForcibly().waitFor();
        }

        try (EmbeddedKafka kafka = EmbeddedKafka.in(directory).start();
                EmbeddedRegistry registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0)) {
            assertThat(new SchemaRegistryClient(Map.of("schema.registry.url", registry.url()))
                            .lookup(CrashedPlatform.SUBJECT, FrameRef.getClassSchema()))
                    .isEqualTo(id);
            assertThat(read(kafka))
                    .containsExactlyElementsOf(IntStream.range(0, CrashedPlatform.RECORDS)
                            .mapToObj(Integer::toString)
                            .toList());
        }
    }

    private static List<String> read(EmbeddedKafka kafka) {
        TopicPartition partition = new TopicPartition(CrashedPlatform.TOPIC, 0);
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofMillis(200)).forEach(r -> values.add(r.value()));
            }
        }
        return values;
    }
}
