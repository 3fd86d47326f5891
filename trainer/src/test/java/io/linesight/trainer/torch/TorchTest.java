package io.linesight.trainer.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TorchTest {
    private static final int N = 700;

    /**
     * As in a process that decodes images before it trains: OpenCV brings OpenBLAS with it, with as many threads as
     * there are processors.
     */
    @BeforeAll
    static void start() {
        ImageCodec.encodeJpeg(new RgbImage(8, 8, new byte[3 * 64]), 90);
        Torch.start(0);
    }

    @Test
    void shouldSolveOnAThreadWithLittleStack() throws Exception {
        AtomicReference<Double> worst = new AtomicReference<>();
        Thread small = new Thread(
                null,
                () -> {
                    try (PointerScope scope = new PointerScope()) {
                        Tensor a = torch.randn(new long[] {N, N})
                                .to(torch.ScalarType.Double)
                                .add(torch.eye(N).mul(Torch.scalar(N)));
                        Tensor b = torch.ones(new long[] {N, 2}).to(torch.ScalarType.Double);
                        Tensor x = Torch.solve(a, b);
                        worst.set(a.mm(x).sub(b).abs().max().item_double());
                    }
                },
                "small",
                512 << 10);
        small.start();
        small.join();
        assertThat(worst.get()).isLessThan(1e-9);
    }

    @Test
    void shouldSayWhatLibtorchSays() {
        assertThatThrownBy(() -> Torch.solve(Torch.zeros(3, 3), Torch.zeros(3, 1)))
                .isInstanceOf(RuntimeException.class)
                .hasMessageContaining("singular");
    }
}
