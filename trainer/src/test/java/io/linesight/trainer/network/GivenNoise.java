package io.linesight.trainer.network;

import io.linesight.trainer.torch.Torch;
import java.util.Iterator;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Replays the reference's Gumbel noise [B,L,2]; nothing is dropped. */
final class GivenNoise implements TrainingNoise {
    private final Iterator<float[]> gumbel;

    GivenNoise(List<float[]> gumbel) {
        this.gumbel = gumbel.iterator();
    }

    @Override
    public Tensor logistic(long batch, long pixels) {
        float[] g = gumbel.next();
        float[] difference = new float[g.length / 2];
        for (int i = 0; i < difference.length; i++) difference[i] = g[2 * i] - g[2 * i + 1];
        return Torch.of(difference, batch, pixels, 1);
    }

    @Override
    public Tensor dropPath(Tensor branch, double rate) {
        return branch;
    }

    @Override
    public Tensor dropout(Tensor x, double rate) {
        return x;
    }
}
