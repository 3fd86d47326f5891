package io.linesight.trainer.calibration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Scores of images that a checkpoint was trained on, as models gave them whose map did not know these images. They
 * cannot be had from the checkpoint afterwards, and recalibration needs them as much as {@code fit} did.
 */
public final class TrainingScores {
    /** Metadata property: JSON, a list of scores per product. */
    static final String PROPERTY = "linesight.calibration.training";

    private static final ObjectMapper JSON = new ObjectMapper();

    private TrainingScores() {}

    /** The property; nothing where there are no scores. */
    static Map<String, String> property(Map<String, List<Double>> scores) {
        if (scores.isEmpty()) return Map.of();
        Map<String, float[]> shorter = new TreeMap<>();
        scores.forEach((product, s) -> {
            float[] f = new float[s.size()];
            for (int i = 0; i < f.length; i++) f[i] = s.get(i).floatValue();
            shorter.put(product, f);
        });
        try {
            return Map.of(PROPERTY, JSON.writeValueAsString(shorter));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * By product; empty where the checkpoint has none.
     *
     * @throws IllegalArgumentException when what it has cannot be read
     */
    public static Map<String, double[]> of(CheckpointInfo info) {
        try {
            return JSON.readValue(
                    info.properties().getOrDefault(PROPERTY, "{}"), new TypeReference<TreeMap<String, double[]>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "the checkpoint's scores of training images (" + PROPERTY + ") cannot be read: "
                            + e.getOriginalMessage(),
                    e);
        }
    }
}
