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
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.InvalidConfigException;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.monitoring.InspectionMetrics;
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

/** Readers of Avro records. One thread. */
final class RecordTargets {
    private final SchemaRegistryClient registry;
    private final TrustedKeys trusted;

    RecordTargets(SchemaRegistryClient registry, TrustedKeys trusted) {
        this.registry = registry;
        this.trusted = trusted;
    }

    <T extends SpecificRecord> LinesightAvroDeserializer<T> reader(Class<T> type) {
        LinesightAvroDeserializer<T> d = new LinesightAvroDeserializer<>(registry);
        d.configure(Map.of("specific.avro.reader", true, "specific.avro.value.type", type.getName()), false);
        return d;
    }

    Target.Attack frameRecord() {
        LinesightAvroDeserializer<CameraFrame> frames = reader(CameraFrame.class);
        return input -> {
            CameraFrame f = frames.deserialize("frames", input);
            return f.getFrameId() == null ? "no id" : null;
        };
    }

    Target.Attack labelRecord() {
        LinesightAvroDeserializer<FrameLabel> labels = reader(FrameLabel.class);
        return input -> {
            FrameLabel label = labels.deserialize("labels", input);
            List<String> problems = new ArrayList<>(LabelRules.problems(label, "linesight.frames.v1"));
            String key = LabelRules.keyProblem("linesight.frames.v1-0-42", label);
            if (key != null) problems.add(key);
            byte[] mask = LabelRules.mask(label);
            if (mask != null) {
                String problem = LabelRules.maskProblem(mask, 16, 12, Targets.LIMITS);
                if (problem != null) problems.add(problem);
            }
            return problems.isEmpty() ? null : String.join("; ", problems);
        };
    }

    /** @param stores stays the caller's */
    Target.Attack manifest(CheckpointStores stores, Path work) {
        LinesightAvroDeserializer<ModelVersion> versions = reader(ModelVersion.class);
        return input -> {
            ModelVersion m = versions.deserialize("models", input);
            Verification v = trusted.verify(m);
            // Only files: a location that leads to a network would make this test go there. Kafka and http are behind
            // the same check.
            if (m.getLocation().startsWith("file:")) stores.fetch(m, work.resolve("fetched"));
            return v.accepted() ? null : v.message();
        };
    }
}
