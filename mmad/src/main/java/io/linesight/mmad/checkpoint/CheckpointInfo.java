package io.linesight.mmad.checkpoint;

import java.util.Map;

/**
 * Metadata of a checkpoint file, read from the ONNX metadata properties.
 *
 * @param version model version named in every result, e.g. {@code 20260101-120000-1a2b3c4d}
 * @param sha256 of the whole file, lower-case hex
 * @param calibration thresholds per product; never null (a foreign model gets threshold 0.5, scale 0.1 as fallback and
 *     a warning)
 * @param properties all metadata properties of the file as they stand
 */
public record CheckpointInfo(String version, String sha256, Calibration calibration, Map<String, String> properties) {
    public CheckpointInfo {
        properties = Map.copyOf(properties);
    }
}
