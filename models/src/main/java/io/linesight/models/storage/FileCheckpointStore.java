package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** A folder that all who need it see at the same place, with one {@code <sha256>.onnx} per checkpoint. */
final class FileCheckpointStore implements CheckpointStore {
    private final @Nullable Path folder;
    private final long maxBytes;
    private final CheckpointDownload.Opener opener;

    /** @param folder null for a store that only fetches */
    FileCheckpointStore(@Nullable Path folder, long maxBytes, CheckpointDownload.Opener opener) {
        this.folder = folder == null ? null : folder.toAbsolutePath().normalize();
        this.maxBytes = maxBytes;
        this.opener = opener;
    }

    @Override
    public StoredCheckpoint put(Path file) throws CheckpointStoreException {
        if (folder == null) throw new IllegalStateException("this store only fetches");
        Hashing.Content content = Hashing.toPublish(file, maxBytes);
        ModelVersion.Builder facts = Manifests.bare("of " + file.getFileName());
        Path target = folder.resolve(content.sha256() + ".onnx");
        StoredCheckpoint stored =
                new StoredCheckpoint(target.toUri().toString(), content.sha256(), content.bytes(), 0, 0);
        copy(file, stored.into(facts).build(), folder);
        return stored;
    }

    @Override
    public Path fetch(ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, maxBytes);
        return copy(path(manifest), manifest, targetDir);
    }

    private Path copy(Path from, ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        var present = CheckpointDownload.present(manifest, targetDir);
        if (present.isPresent()) return present.get();
        try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
                CheckpointDownload incoming = new CheckpointDownload(manifest, targetDir, opener)) {
            ByteBuffer buffer = ByteBuffer.allocate(1 << 18);
            long position = 0;
            while (in.read(buffer) >= 0) {
                buffer.flip();
                int n = buffer.remaining();
                incoming.write(position, buffer);
                position += n;
                buffer.clear();
            }
            return incoming.finish();
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new CheckpointStoreException(
                    Reason.MISSING,
                    "the checkpoint of " + manifest.getVersion() + " is gone: there is no file " + from
                            + " here. If the folder is a shared one, check that it is mounted",
                    e);
        } catch (IOException e) {
            throw new CheckpointStoreException(
                    Reason.IO,
                    "the checkpoint of " + manifest.getVersion() + " cannot be read from " + from + ": "
                            + e.getMessage() + "; nothing was kept",
                    e);
        }
    }

    @Override
    public void delete(ModelVersion manifest) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, maxBytes);
        Path file = path(manifest).toAbsolutePath().normalize();
        // A manifest is only a record in a topic: it must not be able to have any other file removed.
        if (!file.getFileName().toString().equals(manifest.getSha256() + ".onnx")
                || folder != null && !folder.equals(file.getParent())) {
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    file
                            + " is not named as this store names its files, so it was not removed; remove it by hand "
                            + "if it is not needed");
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new CheckpointStoreException(Reason.IO, file + " cannot be removed: " + e.getMessage(), e);
        }
    }

    private static Path path(ModelVersion manifest) throws CheckpointStoreException {
        try {
            return Paths.get(URI.create(manifest.getLocation()));
        } catch (RuntimeException e) {
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    "the manifest of " + manifest.getVersion() + " has the location '" + manifest.getLocation()
                            + "', which is no file: URL of this machine",
                    e);
        }
    }

    @Override
    public void close() {}
}
