package io.linesight.notify.opcua;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Results as the line writes them. */
final class Results {
    static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");

    private Results() {}

    static InspectionResult of(String camera, @Nullable String product, long number) {
        return InspectionResult.newBuilder()
                .setResultId("linesight.frames.v1-0-" + number)
                .setFrameRef(new FrameRef("linesight.frames.v1", 0, number))
                .setFrameId("f-" + number)
                .setCameraId(camera)
                .setProduct(product)
                .setScore(0.75f)
                .setRawScore(2.5f)
                .setThreshold(2)
                .setVerdict(Verdict.FAIL)
                .setModelVersion("v7")
                .setCapturedAt(AT)
                .setScoredAt(AT.plusMillis(40))
                .setTimings(new StageTimings(1L, 2L, 3L, 4))
                .setAttributes(Map.of("part", "P-" + number))
                .build();
    }
}
