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

/** Everything that reads bytes somebody else may have written. Close it after use. One thread. */
final class Targets implements AutoCloseable {
    /**
     * Small, so that what an image may cost can be told from what its header lies about; the whole path runs with the
     * real ones.
     */
    static final ImageLimits LIMITS = new ImageLimits(4096, 4_000_000, 1 << 20);

    private final Path work;
    private final Schemas schemas = new Schemas();
    private final SchemaRegistryClient registry =
            new SchemaRegistryClient(Map.of("schema.registry.url", schemas.url()));
    private final List<AutoCloseable> open = new ArrayList<>();
    private final TrustedKeys trusted;
    private final RecordTargets records;
    private final FileTargets files;

    Targets(Path work, Path publicKey) throws IOException {
        this.work = work;
        List<PublicKey> keys = List.of(KeyFiles.readPublic(publicKey));
        trusted = TrustedKeys.of(keys);
        records = new RecordTargets(registry, trusted);
        files = new FileTargets(work);
    }

    private CheckpointStores openStores() {
        return keep(CheckpointStores.open(ModelsConfig.of(Map.of(
                "bootstrap.servers",
                "unused:9092",
                "schema.registry.url",
                schemas.url(),
                "linesight.models.unsigned",
                "accept"))));
    }

    List<Target> all() throws IOException {
        List<Class<? extends Throwable>> io = List.of(IOException.class);
        return List.of(
                target("image", Targets::imageFormat, 64, false, List.of(BadImageException.class), ByteTargets::image),
                target("raw-pixels", bytes(Format.BYTES), 64, false, List.of(BadImageException.class), ByteTargets::rawPixels),
                target("frame-record", bytes(Format.AVRO), 16, false, List.of(BadRecordException.class), records.frameRecord()),
                target(
                        "inspect",
                        (f, b) -> f.endsWith(".bin") ? Format.AVRO : imageFormat(f, b),
                        1024,
                        true,
                        List.of(),
                        keep(new InspectionTarget(schemas, work))::run),
                target("label-record", bytes(Format.AVRO), 64, false, List.of(BadRecordException.class), records.labelRecord()),
                target(
                        "label-csv",
                        bytes(Format.TEXT),
                        16,
                        false,
                        List.of(IOException.class, UserError.class),
                        files::labelCsv),
                target(
                        "manifest",
                        bytes(Format.AVRO),
                        16,
                        false,
                        List.of(BadRecordException.class, IOException.class),
                        records.manifest(openStores(), work)),
                target("rollout", bytes(Format.AVRO), 64, false, List.of(), new RolloutTarget(records, trusted)),
                target("checkpoint", bytes(Format.PROTOBUF), 64, false, io, files::checkpoint),
                target(
                        "state-dict",
                        (f, b) -> f.endsWith(".safetensors")
                                ? Format.SAFETENSORS
                                : f.endsWith(".pth") ? Format.ZIP : Format.PICKLE,
                        16,
                        false,
                        io,
                        files::stateDict),
                target("numpy", (f, b) -> f.endsWith(".npz") ? Format.ZIP : Format.NPY, 64, false, io, files::numpy),
                target("key-file", bytes(Format.TEXT), 16, false, io, files::keyFile),
                target(
                        "settings",
                        bytes(Format.TEXT),
                        32,
                        false,
                        List.of(InvalidConfigException.class, ConfigException.class, IllegalArgumentException.class),
                        files::settings),
                target(
                        "registry-reply",
                        bytes(Format.JSON),
                        64,
                        true,
                        List.of(RegistryException.class),
                        keep(new RegistryReplyTarget())),
                target(
                        "store-journal",
                        bytes(Format.JSON),
                        32,
                        false,
                        List.of(IOException.class, DatasetStoreException.class),
                        files::storeJournal),
                target("visa-table", bytes(Format.TEXT), 16, false, List.of(DatasetException.class), files::visaTable),
                target("dead-letter", bytes(Format.BYTES), 16, false, List.of(), ByteTargets::deadLetter));
    }

    private static Target target(
            String name,
            Target.FormatOf format,
            int megabytes,
            boolean threads,
            List<Class<? extends Throwable>> rejections,
            Target.Attack attack) {
        return new Target(name, format, megabytes, threads, rejections, attack);
    }

    private static Target.FormatOf bytes(Format format) {
        return (f, b) -> format;
    }

    private static Format imageFormat(String file, byte[] content) {
        return file.endsWith(".png") ? Format.PNG : file.endsWith(".jpg") ? Format.JPEG : Format.BYTES;
    }

    private <T extends AutoCloseable> T keep(T resource) {
        open.add(0, resource);
        return resource;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable c : open) c.close();
        schemas.close();
    }
}
