package io.linesight.app.hostile;

import io.linesight.app.cli.LabelCsvDoor;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.io.Npy;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.statedict.StateDicts;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.CanarySelector;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.FoldDoor;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.rollouts.ShadowSampler;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.signing.Verification;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.LinesightAvroDeserializer;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.streams.batching.BatchLimits;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.InvalidConfigException;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.support.FixedModel;
import io.linesight.trainer.feedback.LabelRules;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.StoreConfig;
import io.linesight.trainer.learning.TrainerConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.internals.RecordHeaders;
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
        pipeline = new InspectionPipeline(config, FixedModel.router(batcher, "flat"), metrics);
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
        byte[] value = record
                ? input
                : Schemas.wire(Corpus.frame(FrameEncoding.values()[1 + input.length % 2], input, 0, 0));
        in.pipeInput("cam-1".getBytes(StandardCharsets.UTF_8), value);
        int scored = results.readRecordsToList().size();
        int events = anomalies.readRecordsToList().size();
        List<TestRecord<byte[], byte[]>> put = letters.readRecordsToList();
        if (scored + put.size() != 1)
            throw new AssertionError(scored + " results and " + put.size() + " dead letters for one record");
        if (events > scored) throw new AssertionError(events + " anomaly events for " + scored + " results");
        if (scored == 1) return null;
        DeadLetterReason reason =
                DeadLetterHeaders.read(put.get(0).headers()).orElseThrow();
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
