package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.Weights;

/**
 * A network as training leaves it.
 *
 * @param run counters; of step 0 where nothing was trained
 * @param batch images of a step
 * @param perEpoch steps of an epoch
 */
record TrainedNetwork(Weights weights, RunState run, int batch, int perEpoch) {
    double epochs() {
        return (double) run.step() / perEpoch;
    }

    /** Wall-clock seconds of training per image seen; NaN where nothing was trained. */
    double secondsPerImage() {
        return run.trained / (run.step() * batch);
    }
}
