package io.linesight.app.hostile;

import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.streams.config.InvalidConfigException;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.imagestore.DatasetStoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;

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

    /** A table: one entry for each reader of foreign bytes. */
    List<Target> all() throws IOException {
        List<Class<? extends Throwable>> io = List.of(IOException.class);
        return List.of(
                target("image", Targets::imageFormat, 64, false, List.of(BadImageException.class), ByteTargets::image),
                target(
                        "raw-pixels",
                        bytes(Format.BYTES),
                        64,
                        false,
                        List.of(BadImageException.class),
                        ByteTargets::rawPixels),
                target(
                        "frame-record",
                        bytes(Format.AVRO),
                        16,
                        false,
                        List.of(BadRecordException.class),
                        records.frameRecord()),
                target(
                        "inspect",
                        (f, b) -> f.endsWith(".bin") ? Format.AVRO : imageFormat(f, b),
                        1024,
                        true,
                        List.of(),
                        keep(new InspectionTarget(schemas, work))::run),
                target(
                        "label-record",
                        bytes(Format.AVRO),
                        64,
                        false,
                        List.of(BadRecordException.class),
                        records.labelRecord()),
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
