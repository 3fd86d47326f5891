package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import java.net.URI;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All stores behind one: puts into the configured target, fetches and deletes at the location of each manifest.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it. Nothing is connected before it is needed.
 */
public final class CheckpointStores implements CheckpointStore {
    /** Put into Kafka's chunk topic. */
    public static final String KAFKA = "kafka:";

    private final String target;
    private final KafkaCheckpointStore kafka;
    private final FileCheckpointStore file;
    private final HttpCheckpointStore http;

    private CheckpointStores(
            ModelsConfig config,
            String target,
            @Nullable Path folder,
            @Nullable URI base,
            CheckpointDownload.Opener opener)
            throws CheckpointStoreException {
        this.target = target;
        kafka = new KafkaCheckpointStore(config, opener);
        file = new FileCheckpointStore(folder, config.maxBytes(), opener);
        http = new HttpCheckpointStore(base, config, opener);
    }

    /** Puts into Kafka. */
    public static CheckpointStores open(ModelsConfig config) {
        try {
            return open(config, KAFKA);
        } catch (CheckpointStoreException e) {
            throw new IllegalStateException(e); // Kafka's chunk topic needs no location that could be wrong
        }
    }

    /**
     * Puts where {@code target} says.
     *
     * @param target {@code kafka:}, {@code file:FOLDER} (a path or a file: URL) or {@code http(s)://...} below which
     *     files are put
     * @throws CheckpointStoreException REJECTED if that is nothing of these
     */
    public static CheckpointStores open(ModelsConfig config, String target) throws CheckpointStoreException {
        return open(config, target, CheckpointDownload.Opener.DISK);
    }

    static CheckpointStores open(ModelsConfig config, String target, CheckpointDownload.Opener opener)
            throws CheckpointStoreException {
        try {
            switch (scheme(target)) {
                case "kafka":
                    if (target.equalsIgnoreCase(KAFKA)) return new CheckpointStores(config, target, null, null, opener);
                    break;
                case "file":
                    if (target.length() > "file:".length()) {
                        Path folder = target.startsWith("file:///")
                                ? Paths.get(URI.create(target))
                                : Path.of(target.substring("file:".length()));
                        return new CheckpointStores(config, target, folder, null, opener);
                    }
                    break;
                case "http", "https":
                    URI base = URI.create(target);
                    if (base.getHost() != null && base.getRawQuery() == null && base.getRawFragment() == null)
                        return new CheckpointStores(config, target, null, base, opener);
                    break;
                default:
            }
        } catch (IllegalArgumentException e) {
            throw new CheckpointStoreException(Reason.REJECTED, notAStore(target), e);
        }
        throw new CheckpointStoreException(Reason.REJECTED, notAStore(target));
    }

    private static String notAStore(String target) {
        return "'" + target.replaceAll("//[^/@]*@", "//[hidden]@")
                + "' is no store for checkpoints: write kafka:, file:FOLDER or http(s)://SERVER/PATH";
    }

    private static String scheme(String location) {
        int colon = location.indexOf(':');
        return colon < 0 ? "" : location.substring(0, colon).toLowerCase(Locale.ROOT);
    }

    private CheckpointStore at(String location, String version) throws CheckpointStoreException {
        return switch (scheme(location)) {
            case "kafka" -> kafka;
            case "file" -> file;
            case "http", "https" -> http;
            default ->
                throw new CheckpointStoreException(
                        Reason.REJECTED,
                        "the manifest of " + version + " has the location '" + location
                                + "', which this program does not know (kafka:, file:, http: and https: it does). "
                                + "Update the program, or publish it elsewhere");
        };
    }

    @Override
    public StoredCheckpoint put(Path checkpoint) throws CheckpointStoreException {
        return at(target, checkpoint.toString()).put(checkpoint);
    }

    @Override
    public Path fetch(ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        return at(manifest.getLocation(), manifest.getVersion()).fetch(manifest, targetDir);
    }

    @Override
    public void delete(ModelVersion manifest) throws CheckpointStoreException {
        at(manifest.getLocation(), manifest.getVersion()).delete(manifest);
    }

    /**
     * Chunks in Kafka that no manifest names. Reads the whole chunk topic, so it takes as long as that.
     *
     * @param namedSha256 contents that manifests name
     * @param before uploads with anything newer are left alone: they may be in progress
     */
    public List<AbandonedUpload> abandonedUploads(Set<String> namedSha256, Instant before)
            throws CheckpointStoreException {
        return kafka.abandoned(namedSha256, before);
    }

    /** Removes such chunks. */
    public void delete(AbandonedUpload upload) throws CheckpointStoreException {
        kafka.delete(upload);
    }

    @Override
    public void close() {
        kafka.close();
    }
}
