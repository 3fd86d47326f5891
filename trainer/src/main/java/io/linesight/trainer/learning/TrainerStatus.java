package io.linesight.trainer.learning;

import io.linesight.trainer.feedback.FetchOutcome;
import java.util.Map;

/**
 * A trainer at one moment, for metrics and probes. Counts are since its start.
 *
 * @param ready whether it has joined its group and reads
 * @param working whether it is the active one of its group
 * @param waiting whether labels or a run wait for something outside, a full disk for instance
 * @param stage of the run in progress: FETCH, TRAIN, CALIBRATE, GATE or OFFER; empty while there is none
 * @param step newest training step of the run in progress; 0 while there is none
 * @param loss of that step; NaN while there is none
 * @param storeBytes images in the dataset store
 * @param storeMaxBytes limit of the dataset store in bytes
 * @param pendingLabels labels that wait for their frames
 * @param labels what became of labels and frames, by {@code labels.normal}, {@code frames.expired} and so on
 * @param frames frames requested, by outcome
 * @param runs runs by {@code started}, {@code finished} and {@code failed}
 * @param verdicts decisions of the gate by {@code passed} and {@code not_passed}
 */
public record TrainerStatus(
        boolean ready,
        boolean working,
        boolean waiting,
        String stage,
        long step,
        double loss,
        long storeBytes,
        long storeMaxBytes,
        int pendingLabels,
        Map<String, Long> labels,
        Map<FetchOutcome, Long> frames,
        Map<String, Long> runs,
        Map<String, Long> verdicts) {
    public TrainerStatus {
        labels = Map.copyOf(labels);
        frames = Map.copyOf(frames);
        runs = Map.copyOf(runs);
        verdicts = Map.copyOf(verdicts);
    }
}
