package io.linesight.trainer.calibration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.io.Sha256;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which images placed a checkpoint's thresholds after it was trained, so that whoever measures it on the same ones can
 * be told: figures at a threshold that was made to fit the images flatter it. Images are known by what the model sees
 * of them, whatever their names. Immutable.
 */
public final class CalibrationImages {
    /** Metadata property: JSON, a list of marks per product. */
    static final String PROPERTY = "linesight.calibration.pictures";

    private static final int BYTES = 6;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Set<String>> marks;

    private CalibrationImages(Map<String, Set<String>> marks) {
        this.marks = marks;
    }

    /**
     * Those of a checkpoint; none where it has the thresholds that it was trained with. What cannot be read counts as
     * none: it is for a warning only.
     */
    public static CalibrationImages of(CheckpointInfo info) {
        try {
            return new CalibrationImages(JSON.readValue(
                    info.properties().getOrDefault(PROPERTY, "{}"),
                    new TypeReference<TreeMap<String, Set<String>>>() {}));
        } catch (JsonProcessingException e) {
            return new CalibrationImages(Map.of());
        }
    }

    /** @param frame planar 256x256 RGB, as the model takes it */
    public boolean contain(String product, byte[] frame) {
        Set<String> own = marks.get(product);
        return own != null && own.contains(mark(frame));
    }

    /** The property, with those products' images in place of what they had. */
    Map<String, String> with(Map<String, Set<String>> placed) {
        Map<String, Set<String>> all = new TreeMap<>(marks);
        all.putAll(placed);
        try {
            return Map.of(PROPERTY, JSON.writeValueAsString(all));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static String mark(byte[] frame) {
        return Sha256.hex(frame).substring(0, 2 * BYTES);
    }
}
