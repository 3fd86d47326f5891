package io.linesight.demo;

import org.jspecify.annotations.Nullable;

/**
 * Finds the rate that the machine can score: raises it while answers come quickly, lowers it when frames queue up. By
 * Little's law, frames in flight divided by throughput is the time that a frame is in flight. Called once a second from
 * one thread; any thread may read the rate.
 */
final class RateController {
    private static final double IDLE_SECONDS = 0.35;
    private static final double QUICK_SECONDS = 0.7;
    private static final double SLOW_SECONDS = 1.1;
    private final double maxRate;
    private final boolean fixed;
    private volatile double rate;
    private boolean slowedOnce;
    private double throughput;

    /** @param fixedRate frames a second and camera; null to find the rate */
    RateController(@Nullable Double fixedRate, double maxRate) {
        fixed = fixedRate != null;
        this.maxRate = maxRate;
        rate = fixed ? fixedRate : 1.5;
    }

    double rate() {
        return rate;
    }

    /**
     * @param open frames without an answer
     * @param answered answers in the last second
     */
    void tick(long open, long answered) {
        if (throughput == 0 && answered == 0) return; // nothing to go by before the first answer
        throughput = throughput == 0 ? answered : 0.6 * throughput + 0.4 * answered;
        if (fixed) return;
        double waiting = open / Math.max(throughput, 0.5);
        if (waiting > SLOW_SECONDS) {
            slowedOnce = true;
            rate = Math.max(0.2, rate * (waiting > 2 * SLOW_SECONDS ? 0.6 : 0.85));
        } else if (waiting < QUICK_SECONDS) {
            rate = Math.min(maxRate, rate * (!slowedOnce ? 1.35 : waiting < IDLE_SECONDS ? 1.15 : 1.04));
        }
    }
}
