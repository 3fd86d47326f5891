package io.linesight.streams;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.streams.routing.ModelControl;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A fast model for tests of everything around the model: the raw score is the frame's first byte / 255, the map is
 * flat.
 */
class MeanScorer implements Scorer {

    private static final int SIZE = 8;
    private static final CheckpointInfo INFO =
            new CheckpointInfo("mean-1", "00", new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), Map.of());

    /** An app's only model. */
    static ModelControl serving(Scorer scorer) {
        return ModelControl.fixed().withScorer(() -> scorer);
    }

    final AtomicInteger batches = new AtomicInteger();
    final AtomicInteger frames = new AtomicInteger();

    @Override
    public CheckpointInfo info() {
        return INFO;
    }

    @Override
    public String device() {
        return "cpu";
    }

    @Override
    public Scores score(List<byte[]> batch) {
        batches.incrementAndGet();
        frames.addAndGet(batch.size());
        float[] raw = new float[batch.size()];
        float[] maps = new float[batch.size() * SIZE * SIZE];
        for (int i = 0; i < raw.length; i++) {
            raw[i] = (batch.get(i)[0] & 0xff) / 255f;
            Arrays.fill(maps, i * SIZE * SIZE, (i + 1) * SIZE * SIZE, raw[i]);
        }
        return new Scores(raw.length, SIZE, raw, maps);
    }

    @Override
    public void close() {}
}
