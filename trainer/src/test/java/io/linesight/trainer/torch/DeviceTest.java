package io.linesight.trainer.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class DeviceTest {
    @BeforeAll
    static void start() {
        Torch.start(1);
    }

    @Test
    void shouldSayWhyThereIsNoGpu() {
        assumeThat(Torch.cudaAvailable()).isFalse();
        assertThatThrownBy(Torch::useCuda).isInstanceOf(IllegalStateException.class).hasMessageContaining("cuda-training").hasMessageContaining("cpu, or auto");
        try (PointerScope scope = new PointerScope()) {
            assertThat(Torch.of(new float[] {1, 2}, 2).is_cuda()).isFalse();
        }
    }

    @Test
    void shouldNotMoveWhatIsThereAlready() {
        try (PointerScope scope = new PointerScope()) {
            Tensor t = torch.randn(3, 4);
            assertThat(Torch.onHost(t).data_ptr().address()).isEqualTo(t.data_ptr().address());
            assertThat(Torch.onDevice(t).data_ptr().address()).isEqualTo(t.data_ptr().address());
        }
    }

    @Test
    void shouldDrawOnFromASavedState() {
        try (PointerScope scope = new PointerScope()) {
            torch.manual_seed(3);
            torch.randn(5);
            byte[] state = Torch.randomState();
            float[] next = Torch.values(torch.randn(100));
            float[] dropped = Torch.values(Torch.dropout(torch.ones(new long[] {50}), 0.3));
            Torch.randomState(state);
            assertThat(Torch.values(torch.randn(100))).isEqualTo(next);
            assertThat(Torch.values(Torch.dropout(torch.ones(new long[] {50}), 0.3))).isEqualTo(dropped).contains(0f);
            assertThatThrownBy(() -> Torch.randomState(new byte[7])).isInstanceOf(IllegalStateException.class);
        }
    }
}
