package io.linesight.streams.drift;

import java.util.ArrayList;
import java.util.List;

/** The first day: what later windows are compared with once it is over. */
final class Baseline {
    /** Whose scores it is about; empty where it is about images. */
    final String model;

    long start;
    boolean complete;
    /** One for each measure that it is about. */
    final List<Sketch> sketches;

    Baseline(String model, long start, int measures) {
        this(model, start, new ArrayList<>());
        for (int i = 0; i < measures; i++) sketches.add(new Sketch());
    }

    Baseline(String model, long start, List<Sketch> sketches) {
        this.model = model;
        this.start = start;
        this.sketches = sketches;
    }

    /** Frames that it rests on. */
    long frames() {
        return sketches.stream().mapToLong(Sketch::size).max().orElse(0);
    }
}
