package io.linesight.models.storage;

import io.linesight.models.storage.StoreException.Reason;
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

/** A folder that all who need it see at the same place, with one {@code <sha256>.onnx} per checkpoint. */
final class FileCheckpointStore implements CheckpointStore {
    private final Path folderOrNull;
    private final long maxBytes;
    private final Incoming.Opener opener;

    /** @param folderOrNull null for a store that only fetches */
    FileCheckpointStore(Path folderOrNull, long maxBytes, Incoming.Opener opener) {
        this.folderOrNull =
                folderOrNull == null ? null : folderOrNull.toAbsolutePath().normalize();
        this.maxBytes = maxBytes;
        this.opener = opener;
    }

    @Override
    public Stored put(Path file) throws StoreException {
        if (folderOrNull == null) throw new IllegalStateException("this store only fetches");
        Hashing.Content content = Hashing.toPublish(file, maxBytes);
        ModelVersion.Builder facts = Manifests.bare("of " + file.getFileName());
        Path target = folderOrNull.resolve(content.sha256() + ".onnx");
        Stored stored = new Stored(target.toUri().toString(), content.sha256(), content.bytes(), 0, 0);
        copy(file, stored.into(facts).build(), folderOrNull);
        return stored;
    }

    @Override
    public Path fetch(ModelVersion manifest, Path targetDir) throws StoreException {
        Incoming.check(manifest, maxBytes);
        return copy(path(manifest), manifest, targetDir);
    }

    private Path copy(Path from, ModelVersion manifest, Path targetDir) throws StoreException {
        var present = Incoming.present(manifest, targetDir);
        if (present.isPresent()) return present.get();
        try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
                Incoming incoming = new Incoming(manifest, targetDir, opener)) {
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
        } catch (StoreException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new StoreException(
                    Reason.MISSING,
                    "the checkpoint of " + manifest.getVersion() + " is gone: there is no file " + from
                            + " here. If the folder is a shared one, check that it is mounted",
                    e);
        } catch (IOException e) {
            throw new StoreException(
                    Reason.IO,
                    "the checkpoint of " + manifest.getVersion() + " cannot be read from " + from + ": "
                            + e.getMessage() + "; nothing was kept",
                    e);
        }
    }

    @Override
    public void delete(ModelVersion manifest) throws StoreException {
        Incoming.check(manifest, maxBytes);
        Path file = path(manifest).toAbsolutePath().normalize();
        // A manifest is only a record in a topic: it must not be able to have any other file removed.
        if (!file.getFileName().toString().equals(manifest.getSha256() + ".onnx")
                || folderOrNull != null && !folderOrNull.equals(file.getParent())) {
            throw new StoreException(
                    Reason.REFUSED,
                    file
                            + " is not named as this store names its files, so it was not removed; remove it by hand if it is not needed");
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new StoreException(Reason.IO, file + " cannot be removed: " + e.getMessage(), e);
        }
    }

    private static Path path(ModelVersion manifest) throws StoreException {
        try {
            return Paths.get(URI.create(manifest.getLocation()));
        } catch (RuntimeException e) {
            throw new StoreException(
                    Reason.REFUSED,
                    "the manifest of " + manifest.getVersion() + " has the location '" + manifest.getLocation()
                            + "', which is no file: URL of this machine",
                    e);
        }
    }

    @Override
    public void close() {}
}
