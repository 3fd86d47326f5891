package io.linesight.cameras;

import io.linesight.schemas.FrameEncoding;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One image as a camera delivers it.
 *
 * @param product what is on the line; null when the camera does not know
 * @param capturedAt exposure time
 * @param encoding how {@code image} is encoded
 * @param width pixels; 0 allowed for JPEG and PNG
 * @param height pixels; 0 allowed for JPEG and PNG
 * @param image encoded bytes; not copied
 * @param attributes free text that travels with the frame; ground truth under the {@code TRUTH_} keys
 */
public record CameraShot(
        @Nullable String product,
        Instant capturedAt,
        FrameEncoding encoding,
        int width,
        int height,
        byte[] image,
        Map<String, String> attributes) {
    /** {@code true} or {@code false}: whether the part is known to be defective. */
    public static final String TRUTH_ANOMALOUS = "truth.anomalous";
    /** Kind of defect, {@code good} for none. */
    public static final String TRUTH_DEFECT = "truth.defect";
    /** File the image came from, relative to the replayed folder. */
    public static final String FILE = "file";

    public CameraShot {
        attributes = Map.copyOf(attributes);
    }

    /** Whether the part is known to be defective; null when nothing is known. */
    public @Nullable Boolean anomalous() {
        String truth = attributes.get(TRUTH_ANOMALOUS);
        return truth == null ? null : Boolean.valueOf(truth);
    }
}
