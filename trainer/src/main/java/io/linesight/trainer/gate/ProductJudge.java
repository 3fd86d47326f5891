package io.linesight.trainer.gate;

import static io.linesight.trainer.gate.Gate.allFinite;
import static io.linesight.trainer.gate.Gate.auroc;
import static io.linesight.trainer.gate.Gate.rejected;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Judges one product by the rules of {@link Gate}. */
final class ProductJudge {
    /** Share of normals. A champion with more false alarms is of no use. */
    static final double MAX_USEFUL_FALSE_ALARMS = 0.3;

    private final ProductScores scores;
    private final GateConfig config;
    private final Gate.Findings findings;
    private final String prefix;
    private final int normals;
    private final int anomalous;
    private final List<String> good = new ArrayList<>();

    ProductJudge(ProductScores scores, GateConfig config, Gate.Findings findings) {
        this.scores = scores;
        this.config = config;
        this.findings = findings;
        prefix = scores.product() + ": ";
        normals = scores.challengerNormals().length;
        anomalous = scores.challengerAnomalous().length;
    }

    void judge() {
        if (scores.knownToChampion() && !scores.trainedOn()) {
            fail("the champion knows it, but no image of it was trained on, so it would be forgotten; import "
                    + "normals of it, or retire it");
        } else if (!scores.trainedOn()) {
            findings.unjudged.add(prefix + "neither model was trained on it");
        } else if (!allFinite(scores.challengerNormals()) || !allFinite(scores.challengerAnomalous())) {
            fail("the challenger gives a score that is not a number");
        } else {
            judgeFalseAlarms();
            if (scores.knownToChampion()) judgeMisses();
            if (!good.isEmpty()) findings.passed.add(prefix + String.join(", ", good));
        }
    }

    private void fail(String finding) {
        findings.failed.add(prefix + finding);
    }

    private void judgeFalseAlarms() {
        if (normals < config.minNormals()) {
            findings.unjudged.add(
                    prefix + "false alarms (" + normals + " held-out normals, " + config.minNormals() + " needed)");
        } else if (scores.knownToChampion()) {
            compare("false alarms", new Counts(championAlarms(), challengerAlarms(), normals, "normals"));
        } else {
            int alarms = challengerAlarms();
            String figure = "new, " + alarms + " false alarms on " + normals + " normals";
            if (alarms > 1 && (double) alarms / normals > config.maxFalseAlarms())
                fail(figure + ", allowed " + percent(config.maxFalseAlarms()));
            else good.add(figure);
        }
    }

    private void judgeMisses() {
        if (anomalous < config.minAnomalous()) {
            findings.unjudged.add(prefix + "misses (" + anomalous + " held-out anomalous images, "
                    + config.minAnomalous() + " needed)");
            return;
        }
        boolean enoughNormals = normals >= config.minNormals();
        boolean useless = enoughNormals && championAlarms() > MAX_USEFUL_FALSE_ALARMS * normals;
        double championThreshold = useless
                ? thresholdFor(scores.championNormals(), challengerAlarms())
                : scores.champion().threshold();
        compare(
                useless ? "misses (champion's at as few false alarms)" : "misses",
                new Counts(
                        anomalous - rejected(scores.championAnomalous(), championThreshold),
                        anomalous
                                - rejected(
                                        scores.challengerAnomalous(),
                                        scores.challenger().threshold()),
                        anomalous,
                        "anomalous"));
        if (enoughNormals) judgeAuroc();
    }

    private void judgeAuroc() {
        Double before = auroc(scores.championNormals(), scores.championAnomalous());
        Double after = auroc(scores.challengerNormals(), scores.challengerAnomalous());
        if (before == null || after == null) return;
        String figure = String.format(Locale.ROOT, "AUROC %.3f, was %.3f", after, before);
        if (before - after > config.margin())
            fail(figure + ", may fall by " + String.format(Locale.ROOT, "%.3f", config.margin()));
        else good.add(figure);
    }

    /** How often something happened with champion and challenger, of how many images of a kind. */
    private record Counts(int before, int after, int total, String kind) {}

    private void compare(String what, Counts counts) {
        String figure =
                what + " " + counts.after + " of " + counts.total + " " + counts.kind + ", were " + counts.before;
        int rise = counts.after - counts.before;
        if (rise > 1 && (double) rise / counts.total > config.margin())
            fail(figure + " (" + percent((double) counts.before / counts.total) + " to "
                    + percent((double) counts.after / counts.total) + ", may rise by " + percent(config.margin())
                    + ")");
        else good.add(figure);
    }

    private int championAlarms() {
        return rejected(scores.championNormals(), scores.champion().threshold());
    }

    private int challengerAlarms() {
        return rejected(scores.challengerNormals(), scores.challenger().threshold());
    }

    /** The lowest threshold that rejects no more than so many of the scores. */
    private static double thresholdFor(float[] scores, int alarms) {
        if (alarms >= scores.length) return Double.NEGATIVE_INFINITY;
        float[] sorted = scores.clone();
        Arrays.sort(sorted); // NaN, which every threshold rejects, comes last
        float highestPassed = sorted[sorted.length - 1 - alarms];
        return Float.isNaN(highestPassed) ? Double.POSITIVE_INFINITY : Math.nextUp(highestPassed);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
