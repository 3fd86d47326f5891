package io.linesight.streams.inspect;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.drain.DrainStore;
import io.linesight.streams.monitoring.InspectionMetrics;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
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

    /** As {@link #build(InspectionConfig, InspectionPipeline, InspectionMetrics, Uuid)}, the topic's id not known. */
    public static Topology build(InspectionConfig config, InspectionPipeline pipeline, InspectionMetrics metrics) {
        return build(config, pipeline, metrics, null);
    }

    /**
     * @param pipeline shared by all tasks of the app; must outlive the streams
     * @param framesId id of the topic of frames, which answers carry; null leaves it out
     * @throws org.apache.kafka.common.config.ConfigException when the serde rejects its settings
     */
    public static Topology build(
            InspectionConfig config, InspectionPipeline pipeline, InspectionMetrics metrics, @Nullable Uuid framesId) {
        Topics topics = config.topics();
        RegistryRetry registry = new RegistryRetry(config.recovery().registryRetry(), metrics);
        Serde<CameraFrame> frames = SerdeFactory.create(CameraFrame.class, config.serdes(), false);
        InspectProcessor.Shared shared = new InspectProcessor.Shared(
                pipeline,
                new FrameReader(topics.frames().name(), frames.deserializer(), registry),
                new EventWriter(config, registry),
                metrics,
                new AnswerStamps(framesId, metrics, System::currentTimeMillis),
                new InspectProcessor.Limits(
                        topics.limits().deadLetterTopicBytes(),
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
