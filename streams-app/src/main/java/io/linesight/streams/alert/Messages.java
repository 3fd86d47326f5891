package io.linesight.streams.alert;

import io.linesight.streams.alert.CameraState.LiveAlert;
import java.util.Locale;

/** What alerts say to people. */
final class Messages {

    private Messages() {}

    static String of(CameraState state, LiveAlert a) {
        String camera = "Camera " + state.camera;
        return switch (a.condition) {
            case Conditions.ANOMALOUS ->
                camera + ": " + a.anomalous + " of " + a.frames + (a.frames == 1 ? " frame" : " frames")
                        + (a.product == null ? "" : a.product.equals("*") ? " of various products" : " of " + a.product)
                        + (a.anomalous == 1 ? " was" : " were") + " anomalous"
                        + (a.worst == null
                                ? "."
                                : String.format(Locale.ROOT, "; the highest score is %.2f.", a.worst.score()));
            case Conditions.SILENT ->
                a.active ? camera + " has sent no frame for a while." : camera + " sends frames again.";
            case Conditions.FROZEN ->
                a.active
                        ? camera + " sends the same image again and again."
                        : camera + " sends different images again.";
            case Conditions.BLACK -> camera + (a.active ? " sends black images." : " no longer sends black images.");
            case Conditions.OVEREXPOSED ->
                camera + (a.active ? " sends overexposed images." : " no longer sends overexposed images.");
            case Conditions.BLURRED ->
                camera
                        + (a.active
                                ? " sends images that are less sharp than usual."
                                : " sends images as sharp as usual again.");
            case Conditions.SHIFTED -> DriftRules.message(camera, a);
            case Conditions.GUARD_TRIPPED, Conditions.INSTANCE_BEHIND -> ModelRules.message(a);
            default -> a.details.getOrDefault("message", a.condition);
        };
    }
}
