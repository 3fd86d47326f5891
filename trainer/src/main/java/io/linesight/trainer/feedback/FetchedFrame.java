package io.linesight.trainer.feedback;

import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.CameraFrame;
import org.jspecify.annotations.Nullable;

/**
 * One frame, or why there is none.
 *
 * @param outcome what became of it
 * @param frame the record; null unless FETCHED
 * @param file the image as a JPEG or PNG file (raw pixels become a PNG); null unless FETCHED
 * @param image its pixels; null unless FETCHED
 * @param reason why there is no frame, for people; empty when FETCHED
 */
public record FetchedFrame(
        FetchOutcome outcome,
        @Nullable CameraFrame frame,
        byte @Nullable [] file,
        @Nullable RgbImage image,
        String reason) {
    static FetchedFrame none(FetchOutcome outcome, String reason) {
        return new FetchedFrame(outcome, null, null, null, reason);
    }
}
