package io.linesight.embedded;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Program of a child JVM: broker and registry, one schema, acknowledged records; prints the schema's id and waits to be
 * killed.
 */
final class CrashedPlatform {

    static final String TOPIC = "crash";
    static final String SUBJECT = "crash-value";
    static final int RECORDS = 500;

    private CrashedPlatform() {}

    public static void main(String[] args) throws Exception {
        EmbeddedKafka kafka = EmbeddedKafka.in(Path.of(args[0])).start();
        EmbeddedRegistry registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            TopicAdmin.ensure(
                    admin,
                    List.of(new TopicSpec(
                            TOPIC,
                            1,
                            TopicSpec.BROKER_DEFAULT,
                            TopicSpec.Cleanup.DELETE,
                            Duration.ofDays(1),
                            1 << 20,
                            "")));
        }
        int id = new SchemaRegistryClient(Map.of("schema.registry.url", registry.url()))
                .register(SUBJECT, FrameRef.getClassSchema());
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "acks", "all"),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = 0; i < RECORDS; i++) {
                producer.send(new ProducerRecord<>(TOPIC, Integer.toString(i)));
            }
        }
        System.out.println("id=" + id);
        System.out.flush();
        new CountDownLatch(1).await();
    }
}
