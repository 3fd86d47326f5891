package io.linesight.streams.exemption;

import io.linesight.schemas.Exemption;
import io.linesight.schemas.clients.BrokerFault;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.serde.SerdeFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Serde;

/** Writes exemptions, each acknowledged by all replicas before it counts as written. Thread-safe; to be closed. */
public final class ExemptionWriter implements AutoCloseable {
    private final String topic;
    private final String brokers;
    private final Serde<Exemption> serde;
    private final KafkaProducer<byte[], byte[]> producer;

    /**
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     */
    public ExemptionWriter(Map<String, ?> clients, Map<String, String> serdes, String topic) {
        this.topic = topic;
        brokers = String.valueOf(clients.get("bootstrap.servers"));
        serde = SerdeFactory.create(Exemption.class, serdes, false);
        producer = ClientSettings.openProducer(ClientSettings.forWriter(clients));
    }

    /**
     * Writes a record; returns when it is there.
     *
     * @throws KafkaException for people, when it is not; it can be written again
     */
    public void write(Exemption e) throws InterruptedException {
        byte[] key = ExemptionRecords.key(e).getBytes(StandardCharsets.UTF_8);
        byte[] value = serde.serializer().serialize(topic, e);
        try {
            producer.send(new ProducerRecord<>(topic, key, value)).get();
        } catch (ExecutionException failed) {
            throw new KafkaException(BrokerFault.explain(brokers, failed), failed);
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
        serde.close();
    }
}
