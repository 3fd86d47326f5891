package io.linesight.trainer.fit;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Counters of the training loop, as they are after a step. A not-a-number loss means that there is none yet. */
final class RunState {
    @JsonProperty
    private long step;
    /**
     * Wall-clock seconds from the start of the run, pauses between its parts left out: what a budget in minutes is held
     * against.
     */
    @JsonProperty
    double elapsed;
    /** Of them those of the training loop. */
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
    /** Loss on normals that nothing is learned from, the least so far, and when it was; -1 without early stopping. */
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

    /** @return the step's number, from 1 */
    long nextStep() {
        return ++step;
    }
}
