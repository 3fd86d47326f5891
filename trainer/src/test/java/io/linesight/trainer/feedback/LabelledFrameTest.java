package io.linesight.trainer.feedback;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A label counts for the frame that the person saw, whatever lies at its place now. */
class LabelledFrameTest {
    private static final Instant NOW = Instant.now();

    private static CameraFrame frame(String id, String camera, Instant captured) {
        return CameraFrame.newBuilder()
                .setFrameId(id)
                .setCameraId(camera)
                .setCapturedAt(captured)
                .setSequence(0)
                .setEncoding(FrameEncoding.PNG)
                .setWidth(0)
                .setHeight(0)
                .setImage(ByteBuffer.allocate(1))
                .setAttributes(Map.of())
                .build();
    }

    private static FrameLabel label(String id, String camera, Instant at) {
        return FrameLabel.newBuilder()
                .setFrameRef(new FrameRef("frames", 0, 1L))
                .setFrameId(id)
                .setCameraId(camera)
                .setLabel(LabelKind.NORMAL)
                .setAnnotator("a")
                .setAt(at)
                .build();
    }

    @ParameterizedTest
    @CsvSource({"cam-1-7, cam-1", "'', cam-1", "cam-1-7, ''", "'', ''"})
    void shouldTakeTheFrameThatTheLabelNames(String id, String camera) {
        assertThat(LabelRules.frameProblem(label(id, camera, NOW), frame("cam-1-7", "cam-1", NOW)))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({"cam-1-8, cam-1", "cam-2-7, cam-2", "cam-1-7, cam-2", "7, ''"})
    void shouldRejectAnotherFrame(String id, String camera) {
        assertThat(LabelRules.frameProblem(label(id, camera, NOW), frame("cam-1-7", "cam-1", NOW)))
                .contains("lies there now");
    }

    @Test
    void shouldRejectAFrameThatWasTakenAfterTheLabel() {
        CameraFrame taken = frame("cam-1-7", "cam-1", NOW);
        assertThat(LabelRules.frameProblem(label("cam-1-7", "cam-1", NOW.minus(Duration.ofHours(2))), taken))
                .contains("was taken at");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT50M", "PT-50M", "PT-20H"})
    void shouldBearClocksThatDiffer(String away) {
        CameraFrame taken = frame("cam-1-7", "cam-1", NOW);
        assertThat(LabelRules.frameProblem(label("cam-1-7", "cam-1", NOW.minus(Duration.parse(away))), taken))
                .isEqualTo(null);
    }

    @Test
    void shouldNotJudgeByAClockThatIsFarOff() {
        CameraFrame ahead = frame("cam-1-7", "cam-1", NOW.plus(Duration.ofDays(400)));
        assertThat(LabelRules.frameProblem(label("cam-1-7", "cam-1", NOW), ahead))
                .isNull();
    }
}
