package io.linesight.models.storage;

import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import java.time.Instant;
import java.util.List;

/** Manifests with a location and nothing else. */
final class Manifests {
    private Manifests() {}

    static ModelVersion.Builder bare(String version) {
        return ModelVersion.newBuilder()
                .setVersion(version)
                .setChannel("")
                .setCreatedAt(Instant.EPOCH)
                .setCreatedBy("")
                .setProducts(List.of())
                .setDataset(DatasetSummary.newBuilder().build())
                .setGate(GateVerdict.newBuilder()
                        .setOutcome(GateOutcome.NOT_JUDGED)
                        .build());
    }
}
