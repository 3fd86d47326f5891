package io.linesight.trainer.imagestore;

import io.linesight.mmad.image.DecodeSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How a dataset store is kept.
 *
 * @param folder made when absent; belongs to one process at a time
 * @param maxBytes maximum bytes of images and masks, at least 1 MiB
 * @param minNormals normals per product that eviction always keeps
 * @param heldOutShare share of the images that only the gate uses, 0..0.5
 * @param calibrateShare share of the normals that only set thresholds, 0..0.5
 * @param decoding how its images and masks are decoded; as frames are, so that one that was taken in can be read
 */
public record StoreConfig(
        Path folder,
        long maxBytes,
        int minNormals,
        double heldOutShare,
        double calibrateShare,
        DecodeSettings decoding) {
    /** @throws IllegalArgumentException naming every problem */
    public StoreConfig {
        List<String> problems = new ArrayList<>();
        if (folder == null) problems.add("no folder");
        if (maxBytes < 1 << 20) problems.add("maxBytes must be at least 1 MiB, got " + maxBytes);
        if (minNormals < 0) problems.add("minNormals must not be negative, got " + minNormals);
        if (!(heldOutShare >= 0 && heldOutShare <= 0.5))
            problems.add("heldOutShare must be 0..0.5, got " + heldOutShare);
        if (!(calibrateShare >= 0 && calibrateShare <= 0.5))
            problems.add("calibrateShare must be 0..0.5, got " + calibrateShare);
        if (decoding == null) problems.add("no settings for decoding");
        if (!problems.isEmpty()) throw new IllegalArgumentException("dataset store: " + String.join("; ", problems));
    }

    /** 10 GiB, 50 normals per product kept, three tenths held out, 15 % for thresholds. */
    public static StoreConfig in(Path folder) {
        return new StoreConfig(folder, 10L << 30, 50, 0.3, 0.15, DecodeSettings.defaults());
    }

    public StoreConfig withMaxBytes(long v) {
        return new StoreConfig(folder, v, minNormals, heldOutShare, calibrateShare, decoding);
    }

    public StoreConfig withMinNormals(int v) {
        return new StoreConfig(folder, maxBytes, v, heldOutShare, calibrateShare, decoding);
    }

    public StoreConfig withShares(double heldOut, double calibrate) {
        return new StoreConfig(folder, maxBytes, minNormals, heldOut, calibrate, decoding);
    }

    public StoreConfig withDecoding(DecodeSettings v) {
        return new StoreConfig(folder, maxBytes, minNormals, heldOutShare, calibrateShare, v);
    }
}
