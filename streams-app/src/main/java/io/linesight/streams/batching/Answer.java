package io.linesight.streams.batching;

import io.linesight.mmad.exemption.BatchFeatures;
import io.linesight.mmad.exemption.FrameFeatures;
import io.linesight.mmad.score.Scores;
import org.jspecify.annotations.Nullable;

/** A model's answer for one frame. */
public sealed interface Answer {

    /**
     * The frame has a score.
     *
     * @param batch answers for the whole batch; shared by its frames, not to be changed
     * @param seen what the encoder saw of the batch; null where nobody asked, or the model does not give it
     * @param frame place of the frame in the batch
     */
    record Scored(Scores batch, int frame, @Nullable BatchFeatures seen) implements Answer {

        /** Without what the encoder saw. */
        public Scored(Scores batch, int frame) {
            this(batch, frame, null);
        }

        /** Image score, uncalibrated; NaN when the model returned NaN. */
        public float raw() {
            return batch.raw()[frame];
        }

        /** What the encoder saw of this frame. */
        public @Nullable FrameFeatures features() {
            return seen == null ? null : seen.frame(frame);
        }

        /** Side of the anomaly map in pixels. */
        public int mapSize() {
            return batch.size();
        }

        /** A copy of the smoothed anomaly map, row-major, {@code mapSize * mapSize}. Few frames need one. */
        public float[] map() {
            return batch.map(frame);
        }

        /** Whether score and map are free of NaN and infinity. Reads the map where it lies. */
        public boolean isFinite() {
            if (!Float.isFinite(raw())) return false;
            int values = batch.size() * batch.size();
            float[] maps = batch.maps();
            for (int i = frame * values, end = i + values; i < end; i++) {
                if (!Float.isFinite(maps[i])) return false;
            }
            return true;
        }
    }

    /** Inference fails on this frame, even alone. */
    record Failed(String reason) implements Answer {}

    /** The frame does not have the proportions that the model's regions and tiles were made for. */
    record Unfit(String reason) implements Answer {}
}
