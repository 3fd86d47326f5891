package io.linesight.streams.alert;

import io.linesight.schemas.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** {@code results} and {@code alert-actions} to {@code alerts}. */
final class AlertTopology {

    /** Where the very first start begins: what is older alarms nobody. */
    static final Duration FIRST_LOOK_BACK = Duration.ofHours(1);

    private AlertTopology() {}

    static Topology build(Topics topics, AlertProcessor.Shared shared) {
        ByteArrayDeserializer bytes = new ByteArrayDeserializer();
        AutoOffsetReset begin = AutoOffsetReset.byDuration(FIRST_LOOK_BACK);
        Serializer<AlertProcessor.Routed> values = (topic, routed) -> routed == null ? null : routed.bytes();
        return new Topology()
                .addSource(begin, "results", bytes, bytes, topics.results().name())
                .addSource(begin, "actions", bytes, bytes, topics.alertActions().name())
                .addProcessor("alert", () -> new AlertProcessor(shared), "results", "actions")
                .addStateStore(store(AlertProcessor.STORE), "alert")
                .addStateStore(store(AlertProcessor.DRIFT_STORE), "alert")
                .addSink("alerts", topics.alerts().name(), new ByteArraySerializer(), values, byCamera(), "alert");
    }

    /**
     * In memory, because it is small and all of it is read at the start; its changelog in Kafka is what survives. The
     * cache lets what is kept of a camera be written once a commit and not once a frame.
     */
    private static StoreBuilder<KeyValueStore<String, byte[]>> store(String name) {
        return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Serdes.String(), Serdes.ByteArray())
                .withCachingEnabled();
    }

    private static StreamPartitioner<byte[], AlertProcessor.Routed> byCamera() {
        return (topic, key, routed, partitions) -> Optional.of(Set.of(partition(routed.camera(), partitions)));
    }

    /** The partition of a camera's results, alerts and actions, as Kafka's producers choose it by the camera's id. */
    static int partition(String camera, int partitions) {
        if (camera.isEmpty()) return 0;
        return Utils.toPositive(Utils.murmur2(camera.getBytes(StandardCharsets.UTF_8))) % partitions;
    }
}
