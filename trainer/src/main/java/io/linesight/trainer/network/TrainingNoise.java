package io.linesight.trainer.network;

import io.linesight.trainer.torch.Torch;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The random draws of a training pass (MMAD_SPEC section 8). Seeded by libtorch's generator of the CPU. */
interface TrainingNoise {
    /**
     * Logistic(0,1) noise of the keep decision, [batch,pixels,1]. Asked for once per HybridBlock, in execution order.
     */
    Tensor logistic(long batch, long pixels);

    /** Stochastic depth: drops whole images of a branch [B,...] and rescales the rest. */
    Tensor dropPath(Tensor branch, double rate);

    Tensor dropout(Tensor x, double rate);

    /** The paper's noise. */
    TrainingNoise RANDOM = new TrainingNoise() {
        @Override
        public Tensor logistic(long batch, long pixels) {
            Tensor u = Torch.onDevice(torch.rand(batch, pixels, 1))
                    .clamp_(
                            new org.bytedeco.pytorch.ScalarOptional(Torch.scalar(1e-7)),
                            new org.bytedeco.pytorch.ScalarOptional(Torch.scalar(1 - 1e-7)));
            return u.log().sub_(u.neg().add_(Torch.scalar(1)).log_());
        }

        @Override
        public Tensor dropPath(Tensor branch, double rate) {
            if (rate == 0) return branch;
            Tensor keep = Torch.onDevice(torch.rand(branch.size(0), 1, 1))
                    .ge(Torch.scalar(rate))
                    .to(torch.ScalarType.Float)
                    .div_(Torch.scalar(1 - rate));
            return branch.mul(keep);
        }

        @Override
        public Tensor dropout(Tensor x, double rate) {
            return Torch.dropout(x, rate);
        }
    };
}
