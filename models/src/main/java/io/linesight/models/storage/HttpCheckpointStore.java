package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checkpoints on a web server: PUT to {@code <base>/<sha256>.onnx}, GET and DELETE at the manifest's location. A
 * manifest is only a record in a topic, so the authorization header goes to the configured base alone.
 */
final class HttpCheckpointStore implements CheckpointStore {
    private final @Nullable URI base;
    private final ModelsConfig config;
    private final CheckpointDownload.Opener opener;
    private final HttpRequests requests;

    /** @param base null for a store that only fetches */
    HttpCheckpointStore(@Nullable URI base, ModelsConfig config, CheckpointDownload.Opener opener)
            throws CheckpointStoreException {
        if (base != null) HttpRequests.rejectCredentials(base);
        this.base = base;
        this.config = config;
        this.opener = opener;
        requests = new HttpRequests(base, config);
    }

    @Override
    public StoredCheckpoint put(Path file) throws CheckpointStoreException {
        if (base == null) throw new IllegalStateException("this store only fetches");
        Hashing.Content content = Hashing.toPublish(file, config.maxBytes());
        URI target = URI.create(base.toString().replaceAll("/+$", "") + "/" + content.sha256() + ".onnx");
        new HttpUpload(requests, config, target).send(file, content);
        return new StoredCheckpoint(target.toString(), content.sha256(), content.bytes(), 0, 0);
    }

    @Override
    public Path fetch(ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        Optional<Path> present = CheckpointDownload.present(manifest, targetDir);
        if (present.isPresent()) return present.get();
        return new HttpDownload(requests, config, manifest).fetch(targetDir, opener);
    }

    @Override
    public void delete(ModelVersion manifest) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        URI target = HttpRequests.location(manifest);
        if (!target.getPath().endsWith("/" + manifest.getSha256() + ".onnx")) {
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    target
                            + " is not named as this store names its files, so it was not removed; remove it by hand "
                            + "if it is not needed");
        }
        try {
            int status = requests.client()
                    .send(requests.to(target).timeout(config.timeout()).DELETE().build(), BodyHandlers.discarding())
                    .statusCode();
            if (status / 100 != 2 && status != 404 && status != 410)
                throw new CheckpointStoreException(
                        HttpRequests.reasonFor(status),
                        target + " was not removed: the server answered with status " + status
                                + HttpRequests.hint(status));
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (IOException e) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE, target + " was not removed: " + HttpRequests.describe(e), e);
        } catch (InterruptedException e) {
            throw HttpRequests.interrupted(e, "removing " + target);
        }
    }

    @Override
    public void close() {}
}
