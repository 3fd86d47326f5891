package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.topics.Topics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A checkpoint that is being downloaded: a temporary file beside its target, renamed only when it is complete and
 * verified.
 */
final class CheckpointDownload implements AutoCloseable {
    private static final String PREFIX = ".incoming-";
    private static final Duration ABANDONED = Duration.ofDays(1);

    /** How files are opened for writing; tests make disks fill up. */
    interface Opener {
        Opener DISK = path -> FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

        SeekableByteChannel open(Path path) throws IOException;
    }

    private final ModelVersion manifest;
    private final Path target;
    private final Path temporary;
    private final SeekableByteChannel channel;

    /** @throws CheckpointStoreException with nothing left behind */
    CheckpointDownload(ModelVersion manifest, Path targetDir, Opener opener) throws CheckpointStoreException {
        this.manifest = manifest;
        target = place(manifest, targetDir);
        temporary = target.resolveSibling(PREFIX + UUID.randomUUID());
        try {
            Files.createDirectories(targetDir);
            removeAbandoned(targetDir);
            long room = Files.getFileStore(targetDir).getUsableSpace();
            if (room < manifest.getBytes())
                throw noSpace(room + " bytes are free, " + manifest.getBytes() + " are needed", null);
            channel = opener.open(temporary);
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /**
     * Whether the manifest describes something that can be fetched at all.
     *
     * @throws CheckpointStoreException REJECTED naming what is wrong
     */
    static void check(ModelVersion m, long maxBytes) throws CheckpointStoreException {
        String what = null;
        if (!m.getSha256().matches("[0-9a-f]{64}")) what = "its sha256 is not 64 hex digits";
        else if (m.getBytes() < 1) what = "its length is " + m.getBytes();
        else if (m.getBytes() > maxBytes)
            what = "it has " + m.getBytes() + " bytes, at most " + maxBytes + " are allowed ("
                    + io.linesight.models.storage.ModelsConfig.MAX_BYTES + ")";
        else if (m.getLocation().startsWith("kafka:")) {
            if (m.getChunkBytes() < 1 || m.getChunkBytes() > Topics.MODEL_CHUNK_BYTES)
                what = "its chunk size is " + m.getChunkBytes();
            else if (m.getChunks() != (m.getBytes() + m.getChunkBytes() - 1) / m.getChunkBytes()) {
                what = m.getBytes() + " bytes are not " + m.getChunks() + " chunks of " + m.getChunkBytes();
            }
        }
        if (what != null)
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    "the manifest of " + m.getVersion() + " cannot be right: " + what
                            + "; nothing was fetched. Publish it again");
    }

    /** The file, if it is there from an earlier fetch and right. */
    static Optional<Path> present(ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        Path file = place(manifest, targetDir);
        try {
            if (!Files.isRegularFile(file) || Files.size(file) != manifest.getBytes()) return Optional.empty();
            return Hashing.of(file).sha256().equals(manifest.getSha256()) ? Optional.of(file) : Optional.empty();
        } catch (IOException e) {
            throw new CheckpointStoreException(
                    Reason.IO, file + " cannot be read: " + e.getMessage() + "; nothing was fetched", e);
        }
    }

    private static Path place(ModelVersion manifest, Path targetDir) {
        return targetDir.resolve(manifest.getSha256() + ".onnx");
    }

    void write(long position, ByteBuffer bytes) throws CheckpointStoreException {
        if (position + bytes.remaining() > manifest.getBytes()) {
            throw new CheckpointStoreException(
                    Reason.WRONG_SIZE,
                    "the checkpoint of " + manifest.getVersion() + " is longer than the " + manifest.getBytes()
                            + " bytes of its manifest; it is not what was published. Nothing was kept");
        }
        try {
            channel.position(position);
            while (bytes.hasRemaining()) channel.write(bytes);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Verifies length and checksum of the file on the disk, and gives it its name. */
    Path finish() throws CheckpointStoreException {
        try {
            if (channel instanceof FileChannel disk) disk.force(true);
            channel.close();
            Hashing.Content content = Hashing.of(temporary);
            if (content.bytes() != manifest.getBytes()) {
                throw new CheckpointStoreException(
                        Reason.WRONG_SIZE,
                        "the checkpoint of " + manifest.getVersion() + " is truncated: " + content.bytes() + " of "
                                + manifest.getBytes() + " bytes came. Nothing was kept; publish it again");
            }
            if (!content.sha256().equals(manifest.getSha256())) {
                throw new CheckpointStoreException(
                        Reason.TAMPERED,
                        "the bytes of " + manifest.getVersion() + " are not those that were published (SHA-256 "
                                + content.sha256() + " instead of " + manifest.getSha256()
                                + "). Nothing was kept; publish it again");
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return target;
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Removes the temporary file, unless it became the checkpoint. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // what was written is not wanted any more
        }
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            org.slf4j.LoggerFactory.getLogger(CheckpointDownload.class)
                    .warn(
                            "{} is left over from a fetch that failed and cannot be removed: {}",
                            temporary,
                            e.getMessage());
        }
    }

    private CheckpointStoreException failed(IOException e) {
        String why = String.valueOf(e.getMessage());
        if (why.contains("No space left") || why.contains("quota exceeded")) return noSpace(why, e);
        return new CheckpointStoreException(
                Reason.IO,
                "the checkpoint of " + manifest.getVersion() + " cannot be written to " + target.getParent() + ": "
                        + why + "; nothing was kept",
                e);
    }

    private CheckpointStoreException noSpace(String why, IOException cause) {
        return new CheckpointStoreException(
                Reason.NO_SPACE,
                "no room for the checkpoint of " + manifest.getVersion() + " in " + target.getParent() + ": " + why
                        + ". Nothing was kept; make room, then it can be fetched again",
                cause);
    }

    /** A process that was killed could not tidy up. */
    private static void removeAbandoned(Path dir) throws IOException {
        try (DirectoryStream<Path> old = Files.newDirectoryStream(dir, PREFIX + "*")) {
            for (Path p : old) {
                if (Files.getLastModifiedTime(p)
                        .toInstant()
                        .isBefore(Instant.now().minus(ABANDONED))) Files.deleteIfExists(p);
            }
        } catch (java.nio.file.NoSuchFileException e) {
            // another fetch ended at this moment
        }
    }
}
