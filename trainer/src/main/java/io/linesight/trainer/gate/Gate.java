package io.linesight.trainer.gate;

import io.linesight.mmad.accuracy.RankingMetrics;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ProductMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a challenger may take the champion's place: on no product may it be worse than the margin allows,
 * each model at its own thresholds on the same images.
 *
 * <ul>
 *   <li>False alarms are judged from {@code minNormals} held-out normals on, misses from {@code minAnomalous} anomalous
 *       images on, image AUROC when there are enough of both. The reason lists what is not judged.
 *   <li>A rate has to rise by more than the margin and by more than one image: one image decides nothing.
 *   <li>A champion that calls more than {@value ProductJudge#MAX_USEFUL_FALSE_ALARMS} of a product's normals anomalous
 *       finds its defects by rejecting nearly everything, and any challenger that fixes this misses more. Its misses
 *       are then counted where its threshold would have to lie to give no more false alarms than the challenger.
 *   <li>A product that the champion never saw is judged by its false-alarm rate alone, and not at all where the
 *       challenger was not trained on it either.
 *   <li>A product that the champion knows and that was not among the training images fails, unless it is retired: the
 *       challenger would forget it, and nobody could tell.
 *   <li>A score that is not a number fails.
 * </ul>
 *
 * PASSED needs at least one figure that was judged; NOT_JUDGED otherwise, which is no permission either. Stateless; any
 * thread.
 */
public final class Gate {
    private Gate() {}

    /**
     * Judges a challenger.
     *
     * @param products every product that either model knows or that has held-out images
     * @param against version of the champion
     */
    public static GateResult judge(List<ProductScores> products, GateConfig config, String against) {
        Findings findings = new Findings();
        List<ProductMetrics> metrics = new ArrayList<>();
        for (ProductScores p : products.stream()
                .sorted(Comparator.comparing(ProductScores::product))
                .toList()) {
            metrics.add(metrics(p));
            if (config.retired().contains(p.product())) findings.unjudged.add(p.product() + " (retired)");
            else new ProductJudge(p, config, findings).judge();
        }
        GateVerdict verdict = new GateVerdict(findings.outcome(), findings.reason(against), config.margin(), against);
        return new GateResult(verdict, metrics);
    }

    /** What was found, by outcome; one sentence a product. */
    static final class Findings {
        final List<String> failed = new ArrayList<>();
        final List<String> passed = new ArrayList<>();
        final List<String> unjudged = new ArrayList<>();

        private GateOutcome outcome() {
            if (!failed.isEmpty()) return GateOutcome.FAILED;
            return passed.isEmpty() ? GateOutcome.NOT_JUDGED : GateOutcome.PASSED;
        }

        private String reason(String against) {
            String reason =
                    switch (outcome()) {
                        case FAILED -> "worse than " + against + ": " + String.join("; ", failed);
                        case PASSED -> "no worse than " + against + ": " + String.join("; ", passed);
                        default -> "there are too few held-out images to judge any product";
                    };
            return unjudged.isEmpty() ? reason : reason + ". Not judged: " + String.join("; ", unjudged);
        }
    }

    private static ProductMetrics metrics(ProductScores p) {
        return ProductMetrics.newBuilder()
                .setProduct(p.product())
                .setThreshold(p.challenger().threshold())
                .setScale(p.challenger().scale())
                .setNormals(p.challengerNormals().length)
                .setAnomalous(p.challengerAnomalous().length)
                .setImageAuroc(auroc(p.challengerNormals(), p.challengerAnomalous()))
                .setFalseAlarmRate(rejectedShare(p.challengerNormals(), p.challenger()))
                .setMissRate(missRate(p.challengerAnomalous(), p.challenger()))
                .setParentImageAuroc(auroc(p.championNormals(), p.championAnomalous()))
                .setParentFalseAlarmRate(rejectedShare(p.championNormals(), p.champion()))
                .setParentMissRate(missRate(p.championAnomalous(), p.champion()))
                .build();
    }

    private static @Nullable Double missRate(float[] anomalous, ProductCalibration calibration) {
        Double rejected = rejectedShare(anomalous, calibration);
        return rejected == null ? null : 1 - rejected;
    }

    private static @Nullable Double rejectedShare(float[] scores, ProductCalibration calibration) {
        return scores.length == 0 ? null : (double) rejected(scores, calibration.threshold()) / scores.length;
    }

    /**
     * How many scores reach the threshold. A score that is not a number counts: such a frame is held back for review,
     * which is neither a pass nor an alarm to rely on.
     */
    static int rejected(float[] scores, double threshold) {
        int count = 0;
        for (float score : scores) if (!(score < threshold)) count++;
        return count;
    }

    /** Null without scores of both kinds, or with one that is not a number. */
    static @Nullable Double auroc(float[] normals, float[] anomalous) {
        if (normals.length == 0 || anomalous.length == 0 || !allFinite(normals) || !allFinite(anomalous)) return null;
        float[] scores = new float[normals.length + anomalous.length];
        byte[] labels = new byte[scores.length];
        System.arraycopy(normals, 0, scores, 0, normals.length);
        System.arraycopy(anomalous, 0, scores, normals.length, anomalous.length);
        Arrays.fill(labels, normals.length, labels.length, (byte) 1);
        return RankingMetrics.auroc(scores, labels);
    }

    static boolean allFinite(float[] scores) {
        for (float score : scores) if (!Float.isFinite(score)) return false;
        return true;
    }
}
