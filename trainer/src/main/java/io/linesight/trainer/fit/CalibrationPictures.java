package io.linesight.trainer.fit;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/**
 * Which pictures placed a checkpoint's thresholds, so that whoever measures it on the same ones can be told: figures at a threshold that was made
 * to fit the pictures flatter it. Pictures are known by what the model sees of them, whatever their names.
 */
public final class CalibrationPictures {
    /** Metadata property: marks separated by commas. */
    static final String PROPERTY = "linesight.calibration.pictures";
    private static final int BYTES = 6;

    private final Set<String> marks;

    private CalibrationPictures(Set<String> marks) {
        this.marks = marks;
    }

    /** Those of a checkpoint that was calibrated after it was trained; of another, none. */
    public static CalibrationPictures of(CheckpointInfo info) {
        String text = info.properties().getOrDefault(PROPERTY, "");
        return new CalibrationPictures(text.isEmpty() ? Set.of() : Set.of(text.split(",")));
    }

    /** @param frame planar 256x256 RGB, as the model takes it */
    public boolean contain(byte[] frame) {
        return !marks.isEmpty() && marks.contains(mark(frame));
    }

    static Map<String, String> properties(Set<String> marks) {
        return Map.of(PROPERTY, String.join(",", marks));
    }

    static String mark(byte[] frame) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(frame), 0, BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
