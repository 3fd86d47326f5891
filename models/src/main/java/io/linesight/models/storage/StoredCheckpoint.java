package io.linesight.models.storage;

import io.linesight.schemas.ModelVersion;

/**
 * Where a checkpoint is stored; its manifest needs these facts to fetch it.
 *
 * @param location {@code kafka:<offset>} for the chunk topic (the offset is a hint where to read first), or a file: or
 *     http(s): URL
 * @param sha256 of the whole file, lower-case hex
 * @param bytes length of the file
 * @param chunks number of chunks; 0 for whole files
 * @param chunkBytes length of every chunk but the last; 0 for whole files
 */
public record StoredCheckpoint(String location, String sha256, long bytes, int chunks, int chunkBytes) {
    /** Writes these facts into a manifest. */
    public ModelVersion.Builder into(ModelVersion.Builder manifest) {
        return manifest.setLocation(location)
                .setSha256(sha256)
                .setBytes(bytes)
                .setChunks(chunks)
                .setChunkBytes(chunkBytes);
    }
}
