package io.linesight.trainer.feedback;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LabelRulesTest {
    private static final String FRAMES = "linesight.frames.v1";

    private static FrameLabel.Builder label(LabelKind kind) {
        return FrameLabel.newBuilder()
                .setFrameRef(new FrameRef(FRAMES, 0, 42L))
                .setFrameId("f")
                .setCameraId("c")
                .setProduct(null)
                .setLabel(kind)
                .setMaskPng(null)
                .setAnnotator("ann")
                .setAt(Instant.EPOCH)
                .setNote("");
    }

    private static byte[] mask(int width, int height, int value) {
        byte[] gray = new byte[width * height];
        Arrays.fill(gray, (byte) value);
        return ImageCodec.encodeGrayPng(gray, width, height);
    }

    @Test
    void shouldAcceptSoundLabels() {
        assertThat(LabelRules.problems(label(LabelKind.NORMAL).build(), FRAMES)).isEmpty();
        assertThat(LabelRules.problems(label(LabelKind.RETRACTED).build(), FRAMES))
                .isEmpty();
        assertThat(LabelRules.problems(
                        label(LabelKind.ANOMALOUS)
                                .setMaskPng(ByteBuffer.wrap(mask(8, 8, 1)))
                                .build(),
                        FRAMES))
                .isEmpty();
        assertThat(LabelRules.keyProblem(
                        FRAMES + "-0-42", label(LabelKind.NORMAL).build()))
                .isNull();
    }

    @Test
    void shouldNameEveryProblemAtOnce() {
        FrameLabel bad = label(LabelKind.UNKNOWN)
                .setFrameRef(new FrameRef("elsewhere", -1, 1L))
                .setAnnotator(" ")
                .setProduct("")
                .setNote("x".repeat(2000))
                .build();
        assertThat(LabelRules.problems(bad, FRAMES))
                .hasSize(6)
                .anyMatch(p -> p.contains("UNKNOWN"))
                .anyMatch(p -> p.contains("elsewhere"))
                .anyMatch(p -> p.contains("annotator"))
                .anyMatch(p -> p.contains("negative"))
                .anyMatch(p -> p.contains("note has 2000"))
                .anyMatch(p -> p.contains("product is blank"));
    }

    @Test
    void shouldRejectMaskOnNormalFrame() {
        assertThat(LabelRules.problems(
                        label(LabelKind.NORMAL)
                                .setMaskPng(ByteBuffer.wrap(mask(8, 8, 1)))
                                .build(),
                        FRAMES))
                .singleElement()
                .asString()
                .contains("ANOMALOUS only");
    }

    @Test
    void shouldRejectKeyOtherThanTheFrames() {
        assertThat(LabelRules.keyProblem("camera-1", label(LabelKind.NORMAL).build()))
                .contains("'camera-1'", FRAMES + "-0-42");
        assertThat(LabelRules.keyProblem(null, label(LabelKind.NORMAL).build())).contains("missing");
    }

    @Test
    void shouldRejectMasksThatDoNotFit() {
        ImageLimits limits = ImageLimits.defaults();
        assertThat(LabelRules.maskProblem(mask(8, 6, 255), 8, 6, limits)).isNull();
        assertThat(LabelRules.maskProblem(mask(6, 8, 255), 8, 6, limits)).contains("6x8", "8x6");
        assertThat(LabelRules.maskProblem(mask(8, 6, 0), 8, 6, limits)).contains("marks no pixel");
        assertThat(LabelRules.maskProblem(new byte[] {1, 2, 3}, 8, 6, limits)).contains("not a PNG");
        assertThat(LabelRules.maskProblem(
                        ImageCodec.encodeJpeg(new RgbImage(8, 6, new byte[8 * 6 * 3]), 90), 8, 6, limits))
                .contains("not a PNG");
        byte[] torn = Arrays.copyOf(mask(8, 6, 255), 40);
        assertThat(LabelRules.maskProblem(torn, 8, 6, limits)).contains("cannot be read");
    }
}
