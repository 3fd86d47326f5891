package io.linesight.streams.drift;

/** Whether a measure has drifted, with on-delay and off-delay in windows. */
final class Track {
    /** Share of the limit below which a window is back; between this and the limit nothing changes. */
    private static final double BACK = 0.6;

    /** Windows in a row beyond the limit. */
    int out;
    /** Windows in a row that were back. */
    int back;

    boolean drifted;

    void reset() {
        out = 0;
        back = 0;
        drifted = false;
    }

    void add(double effect, double limit, int openWindows, int clearWindows) {
        out = effect >= limit ? out + 1 : 0;
        back = effect < BACK * limit ? back + 1 : 0;
        if (out >= openWindows) drifted = true;
        else if (back >= clearWindows) drifted = false;
    }
}
