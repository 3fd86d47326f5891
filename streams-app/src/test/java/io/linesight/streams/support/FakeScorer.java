package io.linesight.streams.support;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ReviewBand;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A model whose answer follows from the first byte of a frame: raw score = byte / 255, with a bright square in the map
 * as high as the score. 251 makes it return NaN, 252 a map with a NaN, 253 an exception.
 */
public final class FakeScorer implements Scorer {

    public static final int SIZE = 16;
    public static final int NAN = 251;
    public static final int NAN_IN_MAP = 252;
    public static final int THROWS = 253;

    /** First bytes of the frames of every batch, in order. */
    public final List<List<Integer>> batches = Collections.synchronizedList(new ArrayList<>());

    public final AtomicInteger concurrent = new AtomicInteger();
    public volatile int mostConcurrent;
    public volatile boolean closed;
    public volatile Consumer<List<byte[]>> before = frames -> {};

    private final CheckpointInfo info = new CheckpointInfo(
            "fake-1",
            "00",
            new Calibration(
                    new ProductCalibration(0.5, 0.1),
                    Map.of(
                            "bolt",
                            new ProductCalibration(0.25, 0.05),
                            "Geh\u00e4use",
                            new ProductCalibration(0.25, 0.05),
                            "banded",
                            new ProductCalibration(0.25, 0.05, new ReviewBand(0.1, 0.9), null))),
            Map.of());

    @Override
    public CheckpointInfo info() {
        return info;
    }

    @Override
    public String device() {
        return "cpu";
    }

    @Override
    public Scores score(List<byte[]> frames) {
        mostConcurrent = Math.max(mostConcurrent, concurrent.incrementAndGet());
        try {
            before.accept(frames);
            batches.add(frames.stream().map(f -> f[0] & 0xff).toList());
            float[] raw = new float[frames.size()];
            float[] maps = new float[frames.size() * SIZE * SIZE];
            for (int i = 0; i < raw.length; i++) {
                int first = frames.get(i)[0] & 0xff;
                if (first == THROWS) throw new ScoringException("the runtime refused", null);
                raw[i] = first == NAN ? Float.NaN : first / 255f;
                for (int y = 4; y < 8; y++) for (int x = 8; x < 12; x++) maps[i * SIZE * SIZE + y * SIZE + x] = raw[i];
                if (first == NAN_IN_MAP) maps[i * SIZE * SIZE] = Float.NaN;
            }
            return new Scores(raw.length, SIZE, raw, maps);
        } finally {
            concurrent.decrementAndGet();
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
