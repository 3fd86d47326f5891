package io.linesight.streams.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.FrameRef;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

class FrameLogTest {
    @Test
    @SuppressWarnings("try")
    void shouldNameFrameCameraAndModelUntilItIsClosed() {
        try (FrameLog log =
                FrameLog.of("cam-3", "cam-3-17", new FrameRef("frames", 2, 17L)).model("v2")) {
            assertThat(MDC.getCopyOfContextMap())
                    .containsAllEntriesOf(
                            Map.of("camera", "cam-3", "frame", "cam-3-17", "place", "frames-2-17", "model", "v2"));
        }
        assertThat(MDC.get("camera")).isNull();
        assertThat(MDC.get("model")).isNull();
    }
}
