package io.linesight.streams.inspect;

import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.drain.DrainStore;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.util.Properties;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.jspecify.annotations.Nullable;

/**
 * {@code frames} to {@code results}, {@code anomalies} and {@code dead-letter}.
 *
 * <p>Kafka Streams sees bytes only. Reading and writing Avro is the processor's own business, so that a record that
 * cannot be read becomes a dead letter with a reason, and an unavailable registry becomes a wait.
 */
public final class InspectionTopology {

    private InspectionTopology() {}

    /**
     * As below, with access to the registry of its own, which waits on the stream thread; for drivers of topologies.
     *
     * @throws org.apache.kafka.common.config.ConfigException when the serde rejects its settings
     */
    public static Topology build(InspectionConfig config, InspectionPipeline pipeline, InspectionMetrics metrics) {
        return build(config, pipeline, metrics, null);
    }

    /**
     * As above.
     *
     * @param framesId id of the topic of frames, which answers carry; null leaves it out
     */
    public static Topology build(
            InspectionConfig config, InspectionPipeline pipeline, InspectionMetrics metrics, @Nullable Uuid framesId) {
        RegistryAccess registry = RegistryAccess.of(config, metrics);
        return build(config, pipeline, metrics, framesId, registry, new OutputLimits(config));
    }

    /**
     * Kafka Streams with this topology, not started.
     *
     * @param pipeline shared by all tasks of the app; must outlive the streams
     * @param framesId id of the topic of frames, which answers carry; null leaves it out
     * @param registry as the pipeline
     */
    public static KafkaStreams streams(
            InspectionConfig config,
            InspectionPipeline pipeline,
            InspectionMetrics metrics,
            @Nullable Uuid framesId,
            RegistryAccess registry) {
        OutputLimits outputs = new OutputLimits(config);
        Properties properties = config.streamsProperties();
        outputs.handler().forEach(properties::putIfAbsent);
        return new KafkaStreams(
                build(config, pipeline, metrics, framesId, registry, outputs), properties, registry.clients());
    }

    private static Topology build(
            InspectionConfig config,
            InspectionPipeline pipeline,
            InspectionMetrics metrics,
            @Nullable Uuid framesId,
            RegistryAccess registry,
            OutputLimits outputs) {
        Topics topics = config.topics();
        InspectProcessor.Shared shared = new InspectProcessor.Shared(
                pipeline,
                registry.reader(),
                registry.writer(),
                metrics,
                new AnswerStamps(framesId, metrics, System::currentTimeMillis),
                new InspectProcessor.Limits(
                        topics,
                        outputs,
                        config.batching().maxPending(),
                        config.batching().drainBudget(),
                        config.batching().drainTimeout()));
        ByteArraySerializer bytes = new ByteArraySerializer();
        return new Topology()
                .addSource(
                        "frames",
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer(),
                        topics.frames().name())
                .addProcessor("inspect", () -> new InspectProcessor(shared), "frames")
                .addStateStore(DrainStore.builder(InspectProcessor.STORE), "inspect")
                .addSink(InspectProcessor.RESULTS, topics.results().name(), bytes, bytes, "inspect")
                .addSink(InspectProcessor.ANOMALIES, topics.anomalies().name(), bytes, bytes, "inspect")
                .addSink(InspectProcessor.DEAD_LETTERS, topics.deadLetter().name(), bytes, bytes, "inspect");
    }
}
