package io.linesight.trainer.feedback;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.GrayImage;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.FrameTimes;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What makes a label valid. The same rules hold where labels are written and where they are read, since anybody may
 * write to the topic. Stateless; any thread.
 */
public final class LabelRules {
    /** Longest free text (annotator, note, product) that is accepted. */
    public static final int MAX_TEXT = 1024;

    /** How far the clocks of a camera and of a person who labels may differ. */
    private static final Duration MAX_SKEW = Duration.ofHours(1);

    private LabelRules() {}

    /**
     * Every problem that can be found without the frame; empty when there is none.
     *
     * @param framesTopic name of the frames topic
     */
    public static List<String> problems(FrameLabel label, String framesTopic) {
        List<String> problems = new ArrayList<>();
        if (label.getLabel() == LabelKind.UNKNOWN)
            problems.add("its label is UNKNOWN, or one that a newer program wrote; NORMAL, ANOMALOUS and RETRACTED "
                    + "are known");
        if (!label.getFrameRef().getTopic().equals(framesTopic)) {
            problems.add("it points to topic '" + label.getFrameRef().getTopic() + "'; frames are in " + framesTopic);
        }
        if (label.getFrameRef().getPartition() < 0 || label.getFrameRef().getOffset() < 0)
            problems.add("its frame has a negative partition or offset");
        if (label.getAnnotator().isBlank()) problems.add("it does not say who gave it (annotator)");
        text(problems, "annotator", label.getAnnotator());
        text(problems, "note", label.getNote());
        text(problems, "product", label.getProduct());
        if (label.getProduct() != null && label.getProduct().isBlank())
            problems.add("its product is blank; leave it out to take the frame's own");
        if (label.getMaskPng() != null && label.getLabel() != LabelKind.ANOMALOUS)
            problems.add("it has a mask but says " + label.getLabel() + "; a mask goes with ANOMALOUS only");
        return problems;
    }

    /**
     * The problem with a record's key; null when it is as it should be. Under another key the label would not replace
     * an earlier one.
     */
    public static @Nullable String keyProblem(@Nullable String key, FrameLabel label) {
        String wanted = FrameKeys.of(label.getFrameRef());
        return wanted.equals(key)
                ? null
                : "its record key is " + (key == null ? "missing" : "'" + key + "'") + " instead of " + wanted;
    }

    /**
     * The problem with the frame that lies where the label points to; null when it is the one that was labelled.
     *
     * @param frame what lies there now: a topic that is made again has other frames at the same places
     */
    public static @Nullable String frameProblem(FrameLabel label, CameraFrame frame) {
        if (!label.getFrameId().isBlank() && !label.getFrameId().equals(frame.getFrameId()))
            return "it is about frame '" + label.getFrameId() + "', and frame '" + frame.getFrameId()
                    + "' lies there now";
        if (!label.getCameraId().isBlank() && !label.getCameraId().equals(frame.getCameraId()))
            return "it is about a frame of camera '" + label.getCameraId() + "', and one of '" + frame.getCameraId()
                    + "' lies there now";
        Instant captured = frame.getCapturedAt();
        // A camera's clock that is far off says nothing about the order.
        return FrameTimes.isPlausible(captured.toEpochMilli(), System.currentTimeMillis())
                        && captured.isAfter(label.getAt().plus(MAX_SKEW))
                ? "it was given at " + label.getAt() + ", and the frame that lies there now was taken at " + captured
                : null;
    }

    /**
     * The problem with a mask; null when it fits.
     *
     * @param width of the frame in pixels
     * @param height of the frame in pixels
     */
    public static @Nullable String maskProblem(byte[] png, int width, int height, ImageLimits limits) {
        if (png.length < 8 || png[0] != (byte) 0x89 || png[1] != 'P' || png[2] != 'N' || png[3] != 'G')
            return "its mask is not a PNG";
        try {
            GrayImage mask = ImageCodec.decodeMask(png, limits);
            if (mask.width() != width || mask.height() != height) {
                return "its mask is " + mask.width() + "x" + mask.height() + " pixels, the frame " + width + "x"
                        + height + ": they must be the same";
            }
            for (byte b : mask.gray()) if (b != 0) return null;
            return "its mask marks no pixel; leave the mask out when the place is not known";
        } catch (BadImageException e) {
            return "its mask cannot be read: " + e.getMessage();
        }
    }

    /** The mask's bytes; null without a mask. */
    public static byte @Nullable [] mask(FrameLabel label) {
        if (label.getMaskPng() == null) return null;
        ByteBuffer b = label.getMaskPng().duplicate();
        byte[] bytes = new byte[b.remaining()];
        b.get(bytes);
        return bytes;
    }

    private static void text(List<String> problems, String field, @Nullable String value) {
        if (value != null && value.length() > MAX_TEXT)
            problems.add(
                    "its " + field + " has " + value.length() + " characters; at most " + MAX_TEXT + " are accepted");
    }
}
