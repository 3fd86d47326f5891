package io.linesight.trainer.learning;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import io.linesight.trainer.gate.GateResult;
import io.linesight.trainer.imagestore.Split;
import io.linesight.trainer.imagestore.StoredImage;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Manifests of checkpoints that are not published yet. */
public final class ManifestDrafts {
    private ManifestDrafts() {}

    /** A checkpoint that a person publishes; no gate judged it. Location, size and signature are still open. */
    public static ModelVersion byHand(CheckpointInfo info, String channel, String by, String note) {
        List<ProductMetrics> products = new ArrayList<>();
        new TreeMap<>(info.calibration().byProduct())
                .forEach((product, c) -> products.add(ProductMetrics.newBuilder()
                        .setProduct(product)
                        .setThreshold(c.threshold())
                        .setScale(c.scale())
                        .build()));
        return ModelVersion.newBuilder()
                .setVersion(info.version())
                .setChannel(channel)
                .setSha256(info.sha256())
                .setBytes(0)
                .setCreatedAt(Instant.now())
                .setCreatedBy(by)
                .setParent(info.properties().get(Checkpoints.PROVENANCE_PREFIX + "parent"))
                .setDataset(DatasetSummary.newBuilder()
                        .setFingerprint(fingerprint(info))
                        .build())
                .setProducts(products)
                .setGate(GateVerdict.newBuilder()
                        .setOutcome(GateOutcome.NOT_JUDGED)
                        .setReason("published by hand")
                        .build())
                .setNote(note)
                .build();
    }

    /**
     * Where a challenger comes from.
     *
     * @param channel rollout channel it is for
     * @param by trainer that made it
     * @param parent version of the champion it was trained from
     * @param newNormals normals among its training images that are new to the network
     */
    record Lineage(String channel, String by, String parent, int newNormals) {}

    /** A challenger with the gate's verdict. Location, chunks and signature are still open. */
    static ModelVersion ofChallenger(
            CheckpointInfo info,
            long bytes,
            Lineage lineage,
            List<StoredImage> images,
            GateResult result,
            Instant createdAt) {
        int normals = (int) images.stream()
                .filter(image -> !image.anomalous() && image.split() == Split.TRAIN)
                .count();
        int anomalous = (int) images.stream()
                .filter(image -> image.anomalous() && image.split() != Split.HELD_OUT)
                .count();
        return ModelVersion.newBuilder()
                .setVersion(info.version())
                .setChannel(lineage.channel)
                .setSha256(info.sha256())
                .setBytes(bytes)
                .setCreatedAt(createdAt.truncatedTo(ChronoUnit.MICROS))
                .setCreatedBy(lineage.by)
                .setParent(lineage.parent)
                .setDataset(new DatasetSummary(fingerprint(info), normals, anomalous))
                .setProducts(result.products())
                .setGate(result.verdict())
                .setNote("fine-tuned on " + lineage.newNormals + " new of " + normals + " normals; " + anomalous
                        + " anomalous images helped to place thresholds")
                .build();
    }

    private static String fingerprint(CheckpointInfo info) {
        return info.properties().getOrDefault(Checkpoints.PROVENANCE_PREFIX + "dataset.fingerprint", "");
    }
}
