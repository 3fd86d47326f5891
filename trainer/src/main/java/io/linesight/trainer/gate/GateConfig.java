package io.linesight.trainer.gate;

import io.linesight.mmad.checkpoint.ProductName;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Limits that a challenger must keep.
 *
 * @param margin how much a product's AUROC may fall, and its false-alarm and miss rates may rise, 0..1
 * @param minNormals held-out normals below which false alarms (and AUROC) of a product are not judged, at least 1
 * @param minAnomalous held-out anomalous images below which misses and AUROC of a product are not judged, at least 1
 * @param maxFalseAlarms highest false-alarm rate of a product that the champion never saw, 0..1
 * @param retired products that are no longer made: the challenger may forget them
 */
public record GateConfig(double margin, int minNormals, int minAnomalous, double maxFalseAlarms, Set<String> retired) {
    /** @throws IllegalArgumentException naming every problem */
    public GateConfig {
        List<String> problems = new ArrayList<>();
        if (!(margin >= 0 && margin <= 1)) problems.add("margin must be 0..1, got " + margin);
        if (minNormals < 1) problems.add("minNormals must be at least 1, got " + minNormals);
        if (minAnomalous < 1) problems.add("minAnomalous must be at least 1, got " + minAnomalous);
        if (!(maxFalseAlarms >= 0 && maxFalseAlarms <= 1))
            problems.add("maxFalseAlarms must be 0..1, got " + maxFalseAlarms);
        if (!problems.isEmpty()) throw new IllegalArgumentException("gate: " + String.join("; ", problems));
        retired = retired.stream().map(ProductName::normalized).collect(Collectors.toUnmodifiableSet());
    }

    /** 3 points of margin; 10 normals, 5 anomalous images; 10 % false alarms of a new product; nothing retired. */
    public static GateConfig defaults() {
        return new GateConfig(0.03, 10, 5, 0.10, Set.of());
    }
}
