package io.linesight.demo.line;

import io.linesight.mmad.accuracy.RankingMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How good the scores were against the ground truth.
 *
 * @param imageAuroc mean over the products of {@code aurocByProduct}; NaN when there is none
 * @param aurocByProduct of the raw scores, for products with good and defective frames
 * @param verdicts frames on either side of the decision point
 */
public record Accuracy(double imageAuroc, Map<String, Double> aurocByProduct, Verdicts verdicts) {
    static Accuracy of(List<Ledger.Outcome> outcomes) {
        Map<String, List<Ledger.Outcome>> byProduct = new TreeMap<>();
        for (Ledger.Outcome o : outcomes) {
            if (o.sent().anomalous() == null) continue;
            String product = o.sent().product() == null ? "" : o.sent().product();
            byProduct.computeIfAbsent(product, p -> new ArrayList<>()).add(o);
        }
        Map<String, Double> aurocs = new TreeMap<>();
        byProduct.forEach((product, frames) -> {
            long defective = frames.stream().filter(o -> o.sent().anomalous()).count();
            if (defective > 0 && defective < frames.size()) aurocs.put(product, auroc(frames));
        });
        double mean = aurocs.values().stream().mapToDouble(d -> d).average().orElse(Double.NaN);
        return new Accuracy(mean, aurocs, Verdicts.of(outcomes));
    }

    private static double auroc(List<Ledger.Outcome> outcomes) {
        float[] scores = new float[outcomes.size()];
        byte[] labels = new byte[scores.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = outcomes.get(i).result().getRawScore();
            labels[i] = (byte) (outcomes.get(i).sent().anomalous() ? 1 : 0);
        }
        return RankingMetrics.auroc(scores, labels);
    }
}
