package io.linesight.models.storage;

import io.linesight.schemas.ModelVersion;
import java.nio.file.Path;

/**
 * Keeps checkpoint files, named by their content: putting the same file twice is harmless and leaves one copy.
 *
 * <p>Nothing that is put can be seen by anybody before a manifest that names it is published, and that comes last, so
 * an upload that was cut off stays invisible. Threads: safe to share. Ownership: whoever makes it closes it.
 */
public interface CheckpointStore extends AutoCloseable {
    /**
     * Copies the file into the store; when this returns, the bytes are safe there.
     *
     * @throws CheckpointStoreException if that failed; what was written before stays invisible and does no harm
     */
    StoredCheckpoint put(Path file) throws CheckpointStoreException;

    /**
     * Copies a checkpoint to {@code <targetDir>/<sha256>.onnx}. Its length and SHA-256 are checked before the file
     * appears under that name, in one step; on failure nothing is left behind. Where the file is there already and
     * right, nothing is copied. The signature of the manifest is not checked here: see
     * {@link io.linesight.models.signing.TrustedKeys}.
     *
     * @param targetDir made where absent
     */
    Path fetch(ModelVersion manifest, Path targetDir) throws CheckpointStoreException;

    /** Removes the bytes; does nothing where they are gone already. The manifest must have been removed before. */
    void delete(ModelVersion manifest) throws CheckpointStoreException;

    @Override
    void close();
}
