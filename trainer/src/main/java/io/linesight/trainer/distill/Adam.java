package io.linesight.trainer.distill;

import io.linesight.mmad.io.NpyArray;
import io.linesight.trainer.torch.Torch;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * AdamW, step for step that of libtorch. Of our own because a run must go on exactly where it stopped: libtorch's lets
 * its moments out only as an archive of its own, here they are arrays by name that go into the same file as the
 * weights, so that one rename saves both or neither. Not thread-safe; the parameters, which must have gradients, stay
 * their owner's.
 */
final class Adam implements AutoCloseable {
    private static final double B1 = 0.9;
    private static final double B2 = 0.999;
    private static final double EPS = 1e-8;

    private record Slot(Tensor parameter, Tensor first, Tensor second, boolean decays) {}

    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final double decay;

    /** @param decay of tensors with more than one axis; biases and normalisation do not decay */
    Adam(Map<String, Tensor> parameters, double decay) {
        this.decay = decay;
        parameters.forEach((name, p) -> {
            Tensor first = torch.zeros_like(p.detach());
            Tensor second = torch.zeros_like(p.detach());
            first.retainReference();
            second.retainReference();
            slots.put(name, new Slot(p, first, second, p.dim() > 1));
        });
    }

    void zeroGradients() {
        try (PointerScope scope = new PointerScope()) {
            for (Slot s : slots.values()) s.parameter.grad().zero_();
        }
    }

    /** @param step number of this step, from 1 */
    void step(long step, double rate) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            double c1 = 1 - Math.pow(B1, step);
            double c2 = Math.sqrt(1 - Math.pow(B2, step));
            for (Slot s : slots.values()) {
                Tensor g = s.parameter.grad();
                if (s.decays) s.parameter.mul_(Torch.scalar(1 - rate * decay));
                s.first.mul_(Torch.scalar(B1)).add_(g, Torch.scalar(1 - B1));
                s.second.mul_(Torch.scalar(B2)).addcmul_(g, g, Torch.scalar(1 - B2));
                Tensor denominator = s.second.sqrt().div_(Torch.scalar(c2)).add_(Torch.scalar(EPS));
                s.parameter.addcdiv_(s.first, denominator, Torch.scalar(-rate / c1));
            }
        }
    }

    Map<String, NpyArray> export() {
        Map<String, NpyArray> out = new LinkedHashMap<>();
        slots.forEach((name, s) -> {
            out.put("first." + name, Student.array(s.first));
            out.put("second." + name, Student.array(s.second));
        });
        return out;
    }

    void restore(Map<String, float[]> values) {
        slots.forEach((name, s) -> {
            Student.set(s.first, "first." + name, values);
            Student.set(s.second, "second." + name, values);
        });
    }

    @Override
    public void close() {
        slots.values().forEach(s -> {
            s.first.releaseReference();
            s.second.releaseReference();
        });
        slots.clear();
    }
}
