package io.linesight.trainer.evaluate;

import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.util.Collection;

/**
 * How images fared at the checkpoint's own thresholds, each at that of its category. An image whose ground truth marks
 * nothing at the model's resolution is normal here, as it is in the metrics.
 *
 * @param normal normal images
 * @param falseAlarms of them, those that are called anomalous
 * @param defective defective images
 * @param misses of them, those that are not
 */
public record Decisions(int normal, int falseAlarms, int defective, int misses) {
    /** Counts. */
    public static Decisions of(Collection<ImageScore> images) {
        int normal = 0;
        int falseAlarms = 0;
        int defective = 0;
        int misses = 0;
        for (ImageScore s : images) {
            if (s.defective()) {
                defective++;
                if (s.mistaken()) misses++;
            } else {
                normal++;
                if (s.mistaken()) falseAlarms++;
            }
        }
        return new Decisions(normal, falseAlarms, defective, misses);
    }

    /** Defective images that are called anomalous. */
    public int found() {
        return defective - misses;
    }
}
