package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.trainer.torch.Torch;
import java.util.List;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private static final Architecture TINY = new Architecture(2, List.of(3, 4, 5), List.of(1, 0, 0));

    @Test
    void shouldCountMultiplicationsAsByHand() {
        // 16x16 pixels: positions x kernel x in x out of stem, down4, two convolutions of the block, f4, down8, f8,
        // down16, f16.
        long byHand = 64 * 9 * 3 * 2
                + 16 * 9 * 2 * 3
                + 2 * 16 * 9 * 3 * 3
                + 16 * 3 * 3
                + 4 * 9 * 3 * 4
                + 4 * 4 * 4
                + 9 * 4 * 5
                + 5 * 5;
        assertThat(TINY.macs(16)).isEqualTo(byHand).isEqualTo(7757);
        assertThat(TINY.macs(32)).isEqualTo(4 * byHand);
    }

    @Test
    void shouldCountNumbersAsByHandAndAsTheFileHoldsThem() throws Exception {
        assertThat(TINY.parameters())
                .isEqualTo(54 + 2 + 54 + 3 + 2 * (81 + 3) + 9 + 3 + 108 + 4 + 16 + 4 + 180 + 5 + 25 + 5);
        Torch.start(1);
        try (Student student = new Student(TINY, 1, true)) {
            long numbers = ModelProto.parseFrom(student.onnx()).getGraph().getInitializerList().stream()
                    .mapToLong(t -> t.getDimsList().stream().reduce(1L, (a, b) -> a * b))
                    .sum();
            assertThat(numbers).as("and mean and deviation of the image").isEqualTo(TINY.parameters() + 6);
        }
    }

    @Test
    void shouldRejectWhatCostsMoreThanAnEncoderMay() {
        assertThatCode(() -> Architecture.standard().check()).doesNotThrowAnyException();
        Architecture slow = new Architecture(32, List.of(128, 64, 64), List.of(2, 1, 1));
        assertThat(slow.macs(256)).isGreaterThan(Architecture.MAX_MACS);
        assertThat(4 * slow.parameters()).isLessThan(Architecture.MAX_BYTES);
        assertThatThrownBy(slow::check)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("" + slow.macs(256))
                .hasMessageContaining("" + Architecture.MAX_MACS);
        Architecture large = new Architecture(32, List.of(16, 16, 420), List.of(1, 1, 1));
        assertThat(large.macs(256)).isLessThan(Architecture.MAX_MACS);
        assertThat(4 * large.parameters()).isGreaterThan(Architecture.MAX_BYTES);
        assertThatThrownBy(large::check)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("" + 4 * large.parameters())
                .hasMessageContaining("" + Architecture.MAX_BYTES);
    }
}
