package io.linesight.trainer.gate;

import io.linesight.mmad.accuracy.RankingMetrics;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ProductMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Decides whether a challenger may take the champion's place: on no product may it be worse than the margin allows,
 * each model at its own thresholds on the same pictures.
 *
 * <ul>
 *   <li>False alarms are judged from {@code leastNormals} held-out normals on, misses from {@code leastAnomalous}
 *       anomalous pictures on, image AUROC when there are enough of both. What is not judged is said in the reason.
 *   <li>A rate has to rise by more than the margin and by more than one picture: one picture decides nothing.
 *   <li>A champion that calls more than {@value #USELESS} of a product's normals anomalous finds its defects by
 *       rejecting nearly everything, and any challenger that mends this misses more. Its misses are then counted where
 *       its threshold would have to lie to give no more false alarms than the challenger.
 *   <li>A product that the champion never saw is judged by its false-alarm rate alone, and not at all where the
 *       challenger was not trained on it either.
 *   <li>A product that the champion knows and that was not among the training pictures fails, unless it is retired: the
 *       challenger would forget it, and nobody could tell.
 *   <li>A score that is not a number fails.
 * </ul>
 *
 * PASSED needs at least one figure that was judged; NOT_JUDGED otherwise, which is no permission either. Stateless; any
 * thread.
 */
public final class Gate {
    /** Share of normals. */
    private static final double USELESS = 0.3;

    private Gate() {}

    /**
     * @param products every product that either model knows or that has held-out pictures
     * @param against version of the champion
     */
    public static GateResult judge(List<ProductScores> products, GateConfig config, String against) {
        List<ProductMetrics> metrics = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        List<String> passed = new ArrayList<>();
        List<String> unjudged = new ArrayList<>();
        for (ProductScores p : products.stream()
                .sorted(Comparator.comparing(ProductScores::product))
                .toList()) {
            metrics.add(metrics(p));
            if (config.retired().contains(p.product())) {
                unjudged.add(p.product() + " (retired)");
                continue;
            }
            judge(p, config, failed, passed, unjudged);
        }
        GateOutcome outcome =
                !failed.isEmpty() ? GateOutcome.FAILED : passed.isEmpty() ? GateOutcome.NOT_JUDGED : GateOutcome.PASSED;
        StringBuilder reason = new StringBuilder();
        switch (outcome) {
            case FAILED ->
                reason.append("worse than ").append(against).append(": ").append(String.join("; ", failed));
            case PASSED ->
                reason.append("no worse than ").append(against).append(": ").append(String.join("; ", passed));
            default -> reason.append("there are too few held-out pictures to judge any product");
        }
        if (!unjudged.isEmpty()) reason.append(". Not judged: ").append(String.join("; ", unjudged));
        return new GateResult(new GateVerdict(outcome, reason.toString(), config.margin(), against), metrics);
    }

    private static void judge(
            ProductScores p, GateConfig config, List<String> failed, List<String> passed, List<String> unjudged) {
        String name = p.product() + ": ";
        if (p.knownToChampion() && !p.trainedOn()) {
            failed.add(
                    name
                            + "the champion knows it, but no picture of it was trained on, so it would be forgotten; import normals of it, or retire it");
            return;
        }
        if (!p.knownToChampion() && !p.trainedOn()) {
            unjudged.add(name + "neither model was trained on it");
            return;
        }
        if (!finite(p.challengerNormals()) || !finite(p.challengerAnomalous())) {
            failed.add(name + "the challenger gives a score that is not a number");
            return;
        }
        int n = p.challengerNormals().length;
        int a = p.challengerAnomalous().length;
        List<String> good = new ArrayList<>();
        if (n < config.leastNormals()) {
            unjudged.add(name + "false alarms (" + n + " held-out normals, " + config.leastNormals() + " needed)");
        } else if (!p.knownToChampion()) {
            int alarms = rejected(p.challengerNormals(), p.challenger().threshold());
            String figure = "new, " + alarms + " false alarms on " + n + " normals";
            if (alarms > 1 && (double) alarms / n > config.mostFalseAlarms())
                failed.add(name + figure + ", allowed " + percent(config.mostFalseAlarms()));
            else good.add(figure);
        } else {
            rate(
                    p,
                    "false alarms",
                    rejected(p.championNormals(), p.champion().threshold()),
                    rejected(p.challengerNormals(), p.challenger().threshold()),
                    n,
                    "normals",
                    config,
                    failed,
                    good);
        }
        if (p.knownToChampion()) {
            if (a < config.leastAnomalous()) {
                unjudged.add(name + "misses (" + a + " held-out anomalous pictures, " + config.leastAnomalous()
                        + " needed)");
            } else {
                boolean useless = n >= config.leastNormals()
                        && rejected(p.championNormals(), p.champion().threshold()) > USELESS * n;
                double threshold = useless
                        ? thresholdFor(
                                p.championNormals(),
                                rejected(p.challengerNormals(), p.challenger().threshold()))
                        : p.champion().threshold();
                rate(
                        p,
                        useless ? "misses (champion's at as few false alarms)" : "misses",
                        a - rejected(p.championAnomalous(), threshold),
                        a - rejected(p.challengerAnomalous(), p.challenger().threshold()),
                        a,
                        "anomalous",
                        config,
                        failed,
                        good);
                if (n >= config.leastNormals() && finite(p.championNormals()) && finite(p.championAnomalous())) {
                    double before = auroc(p.championNormals(), p.championAnomalous());
                    double after = auroc(p.challengerNormals(), p.challengerAnomalous());
                    String figure = String.format(Locale.ROOT, "AUROC %.3f, was %.3f", after, before);
                    if (before - after > config.margin())
                        failed.add(
                                name + figure + ", may fall by " + String.format(Locale.ROOT, "%.3f", config.margin()));
                    else good.add(figure);
                }
            }
        }
        if (!good.isEmpty()) passed.add(name + String.join(", ", good));
    }

    /** The lowest threshold that rejects no more than so many of the scores. */
    private static double thresholdFor(float[] scores, int alarms) {
        if (alarms >= scores.length) return Double.NEGATIVE_INFINITY;
        float[] sorted = scores.clone();
        Arrays.sort(sorted); // NaN, which every threshold rejects, comes last
        float highestPassed = sorted[sorted.length - 1 - alarms];
        return Float.isNaN(highestPassed) ? Double.POSITIVE_INFINITY : Math.nextUp(highestPassed);
    }

    private static void rate(
            ProductScores p,
            String what,
            int before,
            int after,
            int of,
            String kind,
            GateConfig config,
            List<String> failed,
            List<String> good) {
        String figure = what + " " + after + " of " + of + " " + kind + ", were " + before;
        if (after - before > 1 && (double) (after - before) / of > config.margin()) {
            failed.add(p.product() + ": " + figure + " (" + percent((double) before / of) + " to "
                    + percent((double) after / of) + ", may rise by " + percent(config.margin()) + ")");
        } else {
            good.add(figure);
        }
    }

    private static ProductMetrics metrics(ProductScores p) {
        int n = p.challengerNormals().length;
        int a = p.challengerAnomalous().length;
        boolean rank = n > 0 && a > 0;
        return ProductMetrics.newBuilder()
                .setProduct(p.product())
                .setThreshold(p.challenger().threshold())
                .setScale(p.challenger().scale())
                .setNormals(n)
                .setAnomalous(a)
                .setImageAuroc(
                        rank && finite(p.challengerNormals()) && finite(p.challengerAnomalous())
                                ? auroc(p.challengerNormals(), p.challengerAnomalous())
                                : null)
                .setFalseAlarmRate(
                        n == 0
                                ? null
                                : (double) rejected(
                                                p.challengerNormals(),
                                                p.challenger().threshold())
                                        / n)
                .setMissRate(
                        a == 0
                                ? null
                                : 1
                                        - (double) rejected(
                                                        p.challengerAnomalous(),
                                                        p.challenger().threshold())
                                                / a)
                .setParentImageAuroc(
                        rank && finite(p.championNormals()) && finite(p.championAnomalous())
                                ? auroc(p.championNormals(), p.championAnomalous())
                                : null)
                .setParentFalseAlarmRate(
                        n == 0
                                ? null
                                : (double) rejected(
                                                p.championNormals(),
                                                p.champion().threshold())
                                        / n)
                .setParentMissRate(
                        a == 0
                                ? null
                                : 1
                                        - (double) rejected(
                                                        p.championAnomalous(),
                                                        p.champion().threshold())
                                                / a)
                .build();
    }

    /**
     * A frame that the model fails on is held back for review, which is neither a pass nor an alarm worth counting on:
     * it counts as rejected.
     */
    private static int rejected(float[] scores, double threshold) {
        int count = 0;
        for (float s : scores) if (!(s < threshold)) count++;
        return count;
    }

    private static double auroc(float[] normals, float[] anomalous) {
        float[] scores = new float[normals.length + anomalous.length];
        byte[] labels = new byte[scores.length];
        System.arraycopy(normals, 0, scores, 0, normals.length);
        System.arraycopy(anomalous, 0, scores, normals.length, anomalous.length);
        for (int i = normals.length; i < labels.length; i++) labels[i] = 1;
        return RankingMetrics.auroc(scores, labels);
    }

    private static boolean finite(float[] scores) {
        for (float s : scores) if (!Float.isFinite(s)) return false;
        return true;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
