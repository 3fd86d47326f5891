package io.linesight.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameRef;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;

class DeadLetterHeadersTest {

    private final RecordHeaders headers = new RecordHeaders();

    @Test
    void shouldGiveBackTheReasonAndLeaveOtherHeadersAlone() {
        headers.add("traceparent", new byte[] {1});

        DeadLetterHeaders.write(
                headers,
                DeadLetterCode.CORRUPT_IMAGE,
                "abgeschnittenes JPEG: 12 % fehlen – ü",
                "linesight.frames.v1",
                3,
                9_000_000_000L);

        assertThat(DeadLetterHeaders.read(headers))
                .contains(new DeadLetterReason(
                        DeadLetterCode.CORRUPT_IMAGE,
                        "abgeschnittenes JPEG: 12 % fehlen – ü",
                        new FrameRef("linesight.frames.v1", 3, 9_000_000_000L)));
        assertThat(headers.lastHeader("traceparent").value()).containsExactly(1);
    }

    @Test
    void shouldReplaceAnEarlierReason() {
        DeadLetterHeaders.write(headers, DeadLetterCode.INTERNAL, "first", "a", 0, 1);
        DeadLetterHeaders.write(headers, DeadLetterCode.EMPTY_IMAGE, null, "b", 1, 2);

        assertThat(headers.headers(DeadLetterHeaders.CODE)).hasSize(1);
        assertThat(DeadLetterHeaders.read(headers))
                .contains(new DeadLetterReason(DeadLetterCode.EMPTY_IMAGE, "", new FrameRef("b", 1, 2L)));
    }

    @Test
    void shouldReadACodeOfANewerVersionAsUnknown() {
        DeadLetterHeaders.write(headers, DeadLetterCode.INTERNAL, "m", "a", 0, 1);
        headers.remove(DeadLetterHeaders.CODE)
                .add(DeadLetterHeaders.CODE, "TOO_BRIGHT".getBytes(StandardCharsets.UTF_8));

        assertThat(DeadLetterHeaders.read(headers))
                .hasValueSatisfying(r -> assertThat(r.getCode()).isEqualTo(DeadLetterCode.UNKNOWN));
    }

    @Test
    void shouldFindNoReasonWhereThereIsNone() {
        assertThat(DeadLetterHeaders.read(headers)).isEmpty();
        DeadLetterHeaders.write(headers, DeadLetterCode.INTERNAL, "m", "a", 0, 1);
        headers.remove(DeadLetterHeaders.SOURCE_OFFSET)
                .add(DeadLetterHeaders.SOURCE_OFFSET, "x".getBytes(StandardCharsets.UTF_8));
        assertThat(DeadLetterHeaders.read(headers)).isEmpty();
    }
}
