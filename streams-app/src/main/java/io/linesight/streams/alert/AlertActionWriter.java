package io.linesight.streams.alert;

import io.linesight.schemas.AlertAction;
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

/**
 * Writes what people do about alerts, each acknowledged by all replicas before it counts as written. Its answer is an
 * {@code Alert} with the action's id, on the topic of alerts. Thread-safe; to be closed.
 */
public final class AlertActionWriter implements AutoCloseable {
    private final String topic;
    private final String brokers;
    private final Serde<AlertAction> serde;
    private final KafkaProducer<byte[], byte[]> producer;

    /**
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     * @param topic that of alert actions
     */
    public AlertActionWriter(Map<String, ?> clients, Map<String, String> serdes, String topic) {
        this.topic = topic;
        brokers = String.valueOf(clients.get("bootstrap.servers"));
        serde = SerdeFactory.create(AlertAction.class, serdes, false);
        producer = ClientSettings.openProducer(ClientSettings.forWriter(clients));
    }

    /**
     * Writes an action; returns when it is there.
     *
     * @throws KafkaException for people, when it is not; it can be written again with the same id
     */
    public void write(AlertAction action) throws InterruptedException {
        byte[] key = action.getCameraId().getBytes(StandardCharsets.UTF_8);
        byte[] value = serde.serializer().serialize(topic, action);
        int partition = AlertTopology.partition(
                action.getCameraId(), producer.partitionsFor(topic).size());
        try {
            producer.send(new ProducerRecord<>(topic, partition, key, value)).get();
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
