package io.linesight.models;

import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import java.time.Instant;
import java.util.List;

/** Manifests for tests. */
public final class Manifests {
    private Manifests() {}

    public static ModelVersion.Builder manifest(String version) {
        return ModelVersion.newBuilder()
                .setVersion(version)
                .setChannel("line")
                .setSha256("ab".repeat(32))
                .setBytes(2_000_000)
                .setLocation("kafka:17")
                .setChunks(3)
                .setChunkBytes(921_600)
                .setCreatedAt(Instant.parse("2026-01-02T03:04:05.000006Z"))
                .setCreatedBy("trainer")
                .setParent("v0")
                .setNote("n")
                .setDataset(new DatasetSummary("f1", 10, 2))
                .setGate(new GateVerdict(GateOutcome.PASSED, "flange +0.01", 0.02, "v0"))
                .setProducts(List.of(ProductMetrics.newBuilder()
                        .setProduct("flange")
                        .setThreshold(0.25)
                        .setScale(0.05)
                        .setNormals(8)
                        .setAnomalous(1)
                        .setImageAuroc(0.99)
                        .setFalseAlarmRate(0.01)
                        .setMissRate(0.02)
                        .setParentImageAuroc(0.98)
                        .setParentFalseAlarmRate(0.03)
                        .setParentMissRate(0.04)
                        .build()));
    }

    public static ModelVersion with(String version, GateOutcome gate) {
        return manifest(version)
                .setGate(new GateVerdict(gate, "because", 0.0, null))
                .build();
    }
}
