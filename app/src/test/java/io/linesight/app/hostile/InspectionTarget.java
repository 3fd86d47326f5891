package io.linesight.app.hostile;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.streams.batching.BatchLimits;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.exemption.FrameExemptions;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.support.FixedModel;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/**
 * The topology as it runs, with a scorer that takes no time: one result or one dead letter for every record, whatever
 * is in it. One thread.
 */
final class InspectionTarget implements AutoCloseable {
    private final SharedBatcher batcher;
    private final InspectionPipeline pipeline;
    private final TopologyTestDriver driver;
    private final TestInputTopic<byte[], byte[]> in;
    private final TestOutputTopic<byte[], byte[]> results;
    private final TestOutputTopic<byte[], byte[]> anomalies;
    private final TestOutputTopic<byte[], byte[]> letters;

    /** @param work folder for the state */
    InspectionTarget(Schemas schemas, Path work) {
        InspectionConfig config = InspectionConfig.of(Map.of(
                "bootstrap.servers",
                "unused:9092",
                "schema.registry.url",
                schemas.url(),
                "linesight.batch.linger.ms",
                "0"));
        InspectionMetrics metrics = new InspectionMetrics(new SimpleMeterRegistry());
        batcher = new SharedBatcher(
                "linesight-inference",
                FixedModel.of(new FlatScorer()),
                new BatchLimits(4, config.batching().linger(), 8),
                metrics);
        pipeline = new InspectionPipeline(
                config,
                FixedModel.router(batcher, "flat"),
                DecisionRules.fixed(null, null),
                FrameExemptions.none(),
                metrics);
        Properties p = new Properties();
        p.putAll(Map.of(
                "application.id",
                "hostile",
                "bootstrap.servers",
                "unused:9092",
                "processing.guarantee",
                "exactly_once_v2",
                "state.dir",
                work.resolve("state").toString()));
        driver = new TopologyTestDriver(InspectionTopology.build(config, pipeline, metrics), p);
        in = driver.createInputTopic(
                config.topics().frames().name(), new ByteArraySerializer(), new ByteArraySerializer());
        results = driver.createOutputTopic(
                config.topics().results().name(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        anomalies = driver.createOutputTopic(
                config.topics().anomalies().name(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        letters = driver.createOutputTopic(
                config.topics().deadLetter().name(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    String run(byte[] input) throws IOException {
        boolean record = input.length == 0 || input[0] == 0;
        byte[] value =
                record ? input : Schemas.wire(Corpus.frame(FrameEncoding.values()[1 + input.length % 2], input, 0, 0));
        in.pipeInput("cam-1".getBytes(StandardCharsets.UTF_8), value);
        int scored = results.readRecordsToList().size();
        int events = anomalies.readRecordsToList().size();
        List<TestRecord<byte[], byte[]>> put = letters.readRecordsToList();
        if (scored + put.size() != 1)
            throw new AssertionError(scored + " results and " + put.size() + " dead letters for one record");
        if (events > scored) throw new AssertionError(events + " anomaly events for " + scored + " results");
        if (scored == 1) return null;
        DeadLetterReason reason = DeadLetterHeaders.read(put.get(0).headers()).orElseThrow();
        // INTERNAL says that the fault is ours.
        if (reason.getCode() == io.linesight.schemas.DeadLetterCode.INTERNAL)
            throw new AssertionError("INTERNAL: " + reason.getMessage());
        return reason.getMessage();
    }

    @Override
    public void close() {
        driver.close();
        pipeline.close();
        batcher.close();
    }

    /** Every other frame is an anomaly. */
    private static final class FlatScorer implements Scorer {
        private static final int SIZE = 16;
        private int frames;

        @Override
        public CheckpointInfo info() {
            return new CheckpointInfo(
                    "flat", "00", new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), Map.of());
        }

        @Override
        public String device() {
            return "cpu";
        }

        @Override
        public Scores score(List<byte[]> batch) {
            float[] raw = new float[batch.size()];
            float[] maps = new float[batch.size() * SIZE * SIZE];
            for (int i = 0; i < raw.length; i++) {
                raw[i] = frames++ % 2;
                maps[i * SIZE * SIZE + 5] = raw[i];
            }
            return new Scores(raw.length, SIZE, raw, maps);
        }

        @Override
        public void close() {}
    }
}
