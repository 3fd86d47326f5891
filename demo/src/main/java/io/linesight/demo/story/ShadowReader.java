package io.linesight.demo.story;

import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what both models said of the same frames, from the beginning. A thread of its own until closed. */
final class ShadowReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShadowReader.class);
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final AvroSerde<ShadowDifference> serde;
    private final List<ShadowDifference> seen = new ArrayList<>();
    private final Thread thread;
    private volatile boolean stop;
    private volatile RuntimeException failure;

    ShadowReader(Map<String, String> settings, Topics topics) {
        serde = AvroSerde.of(ShadowDifference.class, settings, false);
        Map<String, Object> configs = new HashMap<>();
        settings.forEach((k, v) -> {
            if (ConsumerConfig.configNames().contains(k)) configs.put(k, v);
        });
        configs.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        consumer = new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions = new ArrayList<>();
        consumer.partitionsFor(topics.shadow().name())
                .forEach(p -> partitions.add(new TopicPartition(p.topic(), p.partition())));
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        thread = new Thread(this::run, "linesight-shadow-reader");
        thread.setDaemon(true);
        thread.start();
    }

    /** About one challenger. */
    List<ShadowDifference> of(String challenger) {
        synchronized (seen) {
            return seen.stream()
                    .filter(d -> d.getChallenger().equals(challenger))
                    .toList();
        }
    }

    RuntimeException failure() {
        return failure;
    }

    private void run() {
        try {
            while (!stop) {
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
                    ShadowDifference d = serde.deserializer().deserialize(r.topic(), r.value());
                    synchronized (seen) {
                        seen.add(d);
                    }
                }
            }
        } catch (WakeupException e) {
            // close() woke the poll
        } catch (RuntimeException e) {
            failure = e;
            LOG.error("Stopped reading what the shadow says", e);
        } finally {
            consumer.close();
        }
    }

    @Override
    public void close() {
        stop = true;
        consumer.wakeup();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        serde.close();
    }
}
