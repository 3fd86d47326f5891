package io.linesight.trainer.report;

import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.util.Collection;

/**
 * How images fared at the threshold.
 *
 * @param normal normal images
 * @param falseAlarms of them, those that are called anomalous
 * @param defective defective images
 * @param misses of them, those that are not
 */
record Decisions(int normal, int falseAlarms, int defective, int misses) {
    static Decisions of(Collection<ImageScore> images) {
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

    int found() {
        return defective - misses;
    }
}
