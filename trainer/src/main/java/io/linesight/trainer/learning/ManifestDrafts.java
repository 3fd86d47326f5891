package io.linesight.trainer.learning;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Manifests of checkpoints that people publish. */
public final class ManifestDrafts {
    private ManifestDrafts() {}

    /**
     * What the checkpoint says of itself; nobody judged it. Where its bytes lie, its size and signature are still open.
     */
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
                        .setFingerprint(info.properties()
                                .getOrDefault(Checkpoints.PROVENANCE_PREFIX + "dataset.fingerprint", ""))
                        .build())
                .setProducts(products)
                .setGate(GateVerdict.newBuilder()
                        .setOutcome(GateOutcome.NOT_JUDGED)
                        .setReason("published by hand")
                        .build())
                .setNote(note)
                .build();
    }
}
