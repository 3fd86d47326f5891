package io.linesight.streams.drift;

/**
 * What a frame adds. A value that is not finite was not measured.
 *
 * @param capturedAt microseconds since 1970, by the camera's clock
 * @param model version that made the score; counts only where there is one
 */
public record Sample(long capturedAt, String model, float score, float brightness, float contrast, float sharpness) {

    float value(Measure measure) {
        return switch (measure) {
            case SCORE -> score;
            case BRIGHTNESS -> brightness;
            case CONTRAST -> contrast;
            case SHARPNESS -> sharpness;
        };
    }
}
