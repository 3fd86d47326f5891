package io.linesight.models.storage;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of files. */
final class Hashing {
    /** Length and checksum of a file, read in one go. */
    record Content(String sha256, long bytes) {}

    private Hashing() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    static Content of(Path file) throws IOException {
        MessageDigest digest = sha256();
        long bytes = 0;
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
                bytes += n;
            }
        }
        return new Content(hex(digest), bytes);
    }

    /** The file that is to be published: there, not empty, not too large. */
    static Content toPublish(Path file, long maxBytes) throws CheckpointStoreException {
        try {
            if (Files.isDirectory(file))
                throw new CheckpointStoreException(
                        CheckpointStoreException.Reason.IO,
                        file + " is a folder, a checkpoint file is needed; nothing was published");
            Content content = of(file);
            if (content.bytes() == 0)
                throw new CheckpointStoreException(
                        CheckpointStoreException.Reason.REJECTED, file + " is empty; nothing was published");
            if (content.bytes() > maxBytes) {
                throw new CheckpointStoreException(
                        CheckpointStoreException.Reason.REJECTED,
                        file + " has " + content.bytes() + " bytes, at most " + maxBytes + " are allowed ("
                                + io.linesight.models.storage.ModelsConfig.MAX_BYTES + "); nothing was published");
            }
            return content;
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new CheckpointStoreException(
                    CheckpointStoreException.Reason.IO, "there is no file " + file + "; nothing was published", e);
        } catch (IOException e) {
            throw new CheckpointStoreException(
                    CheckpointStoreException.Reason.IO,
                    file + " cannot be read: " + e.getMessage() + "; nothing was published",
                    e);
        }
    }

    static CheckpointStoreException changed(Path file) {
        return new CheckpointStoreException(
                CheckpointStoreException.Reason.IO,
                file
                        + " changed while it was being published; nothing was published. Publish it again when no "
                        + "program writes to it");
    }
}
