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
        assertThatThrownBy(() -> Torch.useCuda(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("cuda:0 cannot be trained on")
                .hasMessageContaining("cuda-training")
                .hasMessageContaining("Nothing was trained")
                .hasMessageContaining("cpu, or auto");
        assertThat(Torch.device()).as("what it was before").isEqualTo("cpu");
        try (PointerScope scope = new PointerScope()) {
            assertThat(Torch.of(new float[] {1, 2}, 2).is_cuda()).isFalse();
        }
    }

    @Test
    void shouldRejectMissingGpu() {
        assertThat(Torch.checkCuda(0, 1)).isZero();
        assertThat(Torch.checkCuda(3, 4)).isEqualTo(3);
        assertThatThrownBy(() -> Torch.checkCuda(1, 1))
                .hasMessageContaining("no GPU cuda:1")
                .hasMessageContaining("one, cuda:0")
                .hasMessageContaining("Nothing was trained");
        assertThatThrownBy(() -> Torch.checkCuda(4, 4)).hasMessageContaining("4, cuda:0 to cuda:3");
    }

    /** As libtorch's GPU natives fail where there is no CUDA, measured without one. */
    @Test
    void shouldSayWhyAProgramBuiltForAGpuDoesNotStart() {
        UnsatisfiedLinkError e = new UnsatisfiedLinkError("no jnitorch in java.library.path");
        e.initCause(new UnsatisfiedLinkError(
                "/cache/linux-x86_64-gpu/libjnitorch.so: libcupti.so.13: cannot open shared object file: No "
                        + "such file or directory"));
        assertThat(Torch.notLoaded(e))
                .contains(
                        "cuda-training",
                        "CUDA 13, cuDNN 9 and NCCL 2",
                        "whatever the device",
                        "build without the profile",
                        "nothing was trained",
                        "libcupti.so.13");
        assertThat(Torch.notLoaded(new UnsatisfiedLinkError("no jnitorch in java.library.path")))
                .contains("natives for this platform")
                .doesNotContain("CUDA");
    }

    /** The way to a GPU, with the CPU as the place to go to: shape, type and values stay. */
    @Test
    void shouldKeepShapeTypeAndValuesOnTheWay() {
        try (PointerScope scope = new PointerScope()) {
            Tensor t = torch.randn(2, 3, 4).to(torch.ScalarType.Double);
            Tensor moved = Torch.moved(t, "cpu");
            assertThat(moved.sizes().vec().get()).containsExactly(2, 3, 4);
            assertThat(moved.scalar_type().intern()).isEqualTo(torch.ScalarType.Double);
            assertThat(moved.equal(t)).isTrue();
        }
    }

    @Test
    void shouldNotMoveWhatIsThereAlready() {
        try (PointerScope scope = new PointerScope()) {
            Tensor t = torch.randn(3, 4);
            assertThat(Torch.onHost(t).data_ptr().address())
                    .isEqualTo(t.data_ptr().address());
            assertThat(Torch.onDevice(t).data_ptr().address())
                    .isEqualTo(t.data_ptr().address());
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
            assertThat(Torch.values(Torch.dropout(torch.ones(new long[] {50}), 0.3)))
                    .isEqualTo(dropped)
                    .contains(0f);
            assertThatThrownBy(() -> Torch.randomState(new byte[7])).isInstanceOf(IllegalStateException.class);
        }
    }
}
