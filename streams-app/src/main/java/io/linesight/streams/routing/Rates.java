package io.linesight.streams.routing;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one model did with its newest frames, and how often it found something wrong per camera and product. Not
 * thread-safe.
 */
final class Rates {

    static final int FAILED = 1;
    static final int NAN = 2;
    static final int ANOMALOUS = 4;

    /** Cameras and products are not ours to bound. */
    private static final int PLACES = 4096;

    private static final int MIN_AT_PLACE = 20;
    private static final double MEMORY = 1 / 200.0;

    private static final class Place {
        int frames;
        double rate;
    }

    private final byte[] outcomes;
    private final float[] expected;
    private final int[] counts = new int[8];
    private int frames;
    private int expectations;
    private double expectedSum;
    private final Map<String, Place> places = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Place> eldest) {
            return size() > PLACES;
        }
    };
    final Latencies latencies = new Latencies();

    Rates(int window) {
        outcomes = new byte[window];
        expected = new float[window];
    }

    /** @param expectedAnomalous how likely the other model would call it anomalous; NaN when unknown */
    void add(int outcome, String place, double expectedAnomalous) {
        int at = frames % outcomes.length;
        if (frames >= outcomes.length) {
            counts[outcomes[at]]--;
            expect(at, -1);
        }
        outcomes[at] = (byte) outcome;
        expected[at] = (float) expectedAnomalous;
        counts[outcome]++;
        expect(at, 1);
        frames = frames + 1 == 2 * outcomes.length ? outcomes.length : frames + 1;
        if ((outcome & (FAILED | NAN)) != 0) return;
        Place here = places.computeIfAbsent(place, p -> new Place());
        here.frames++;
        double anomalous = (outcome & ANOMALOUS) != 0 ? 1 : 0;
        // A plain mean at first, one that forgets later.
        here.rate += (anomalous - here.rate) * Math.max(MEMORY, 1.0 / here.frames);
    }

    private void expect(int at, int sign) {
        if (Float.isNaN(expected[at])) return;
        expectations += sign;
        expectedSum += sign * expected[at];
    }

    int frames() {
        return Math.min(frames, outcomes.length);
    }

    /** Share of the newest frames with that outcome. */
    double share(int outcome) {
        int n = 0;
        for (int i = 0; i < counts.length; i++) if ((i & outcome) != 0) n += counts[i];
        return frames() == 0 ? 0 : n / (double) frames();
    }

    /** Frames for which it is known how the other model would have judged. */
    int expectations() {
        return expectations;
    }

    /** Share of anomalous frames that the other model would have found; NaN when unknown. */
    double expectedAnomalous() {
        return expectations == 0 ? Double.NaN : Math.max(0, expectedSum / expectations);
    }

    /**
     * How often this model finds something wrong there; its overall rate where it has seen too little; NaN when it has
     * seen nothing.
     */
    double anomalousAt(String place, int min) {
        Place here = places.get(place);
        if (here != null && here.frames >= MIN_AT_PLACE) return here.rate;
        return frames() >= min ? share(ANOMALOUS) : Double.NaN;
    }
}
