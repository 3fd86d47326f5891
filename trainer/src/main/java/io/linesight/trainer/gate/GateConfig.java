package io.linesight.trainer.gate;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a challenger has to hold.
 *
 * @param margin how much a product's AUROC may fall, and its false-alarm and miss rates may rise, 0..1
 * @param leastNormals held-out normals below which false alarms (and AUROC) of a product are not judged, at least 1
 * @param leastAnomalous held-out anomalous pictures below which misses and AUROC of a product are not judged, at least
 *     1
 * @param mostFalseAlarms highest false-alarm rate of a product that the champion never saw, 0..1
 * @param retired products that are no longer made: the challenger may forget them
 */
public record GateConfig(
        double margin, int leastNormals, int leastAnomalous, double mostFalseAlarms, Set<String> retired) {
    /** @throws IllegalArgumentException naming every problem */
    public GateConfig {
        List<String> problems = new ArrayList<>();
        if (!(margin >= 0 && margin <= 1)) problems.add("margin must be 0..1, got " + margin);
        if (leastNormals < 1) problems.add("leastNormals must be at least 1, got " + leastNormals);
        if (leastAnomalous < 1) problems.add("leastAnomalous must be at least 1, got " + leastAnomalous);
        if (!(mostFalseAlarms >= 0 && mostFalseAlarms <= 1))
            problems.add("mostFalseAlarms must be 0..1, got " + mostFalseAlarms);
        if (!problems.isEmpty()) throw new IllegalArgumentException("gate: " + String.join("; ", problems));
        retired = Set.copyOf(retired);
    }

    /** 3 points of margin; 10 normals, 5 anomalous pictures; 10 % false alarms of a new product; nothing retired. */
    public static GateConfig defaults() {
        return new GateConfig(0.03, 10, 5, 0.10, Set.of());
    }
}
