package io.linesight.trainer.fit;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Counters of the training loop, as they are after a step. A not-a-number loss means that there is none yet. */
final class RunState {
    /** Steps that the loss shown is a running mean of. */
    private static final int SMOOTH = 20;

    @JsonProperty
    private long step;
    /**
     * Wall-clock seconds from the start of the run without the breaks between its parts: what a budget in minutes is
     * compared with.
     */
    @JsonProperty
    double elapsed;
    /** Of those, the seconds of the training loop. */
    @JsonProperty
    double trained;

    @JsonProperty
    double epochLoss;

    @JsonProperty
    double allLoss;

    @JsonProperty
    double smoothLoss = Double.NaN;

    @JsonProperty
    double firstLoss = Double.NaN;

    @JsonProperty
    double lastLoss = Double.NaN;
    /** Lowest loss so far on normals that nothing is learned from, and its step; -1 without early stopping. */
    @JsonProperty
    double bestLoss = Double.NaN;

    @JsonProperty
    long bestStep = -1;
    /** Validations without a better one since. */
    @JsonProperty
    int worse;
    /** Early stopping has decided. */
    @JsonProperty
    boolean stopped;
    /** Length of the metrics file. */
    @JsonProperty
    long metricsBytes;

    long step() {
        return step;
    }

    long bestStep() {
        return bestStep;
    }

    RunState copy() {
        RunState c = new RunState();
        c.step = step;
        c.elapsed = elapsed;
        c.trained = trained;
        c.epochLoss = epochLoss;
        c.allLoss = allLoss;
        c.smoothLoss = smoothLoss;
        c.firstLoss = firstLoss;
        c.lastLoss = lastLoss;
        c.bestLoss = bestLoss;
        c.bestStep = bestStep;
        c.worse = worse;
        c.stopped = stopped;
        c.metricsBytes = metricsBytes;
        return c;
    }

    /**
     * Counts a step.
     *
     * @param perEpoch steps of an epoch
     */
    void addStep(double loss, int perEpoch) {
        step++;
        allLoss += loss;
        epochLoss += loss;
        smoothLoss = Double.isNaN(smoothLoss) ? loss : smoothLoss + (loss - smoothLoss) / Math.min(step, SMOOTH);
        if (step % perEpoch != 0) return;
        lastLoss = epochLoss / perEpoch;
        if (Double.isNaN(firstLoss)) firstLoss = lastLoss;
        epochLoss = 0;
    }

    /**
     * Counts a validation.
     *
     * @return whether the weights are the best so far
     */
    boolean addValidation(double loss, int patience) {
        if (Double.isNaN(bestLoss) || loss < bestLoss) {
            bestLoss = loss;
            bestStep = step;
            worse = 0;
            return true;
        }
        stopped = ++worse >= patience;
        return false;
    }

    /** Mean loss over the first epoch, or over all steps before its end. */
    double firstLoss() {
        return Double.isNaN(firstLoss) ? allLoss / step : firstLoss;
    }

    /** Mean loss over the last full epoch, or over all steps when there was none. */
    double lastLoss() {
        return Double.isNaN(lastLoss) ? allLoss / step : lastLoss;
    }
}
