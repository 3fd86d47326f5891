package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class AdamTest {
    private static final double DECAY = 0.1;
    private static final float[] WEIGHT = {0.5f, -1, 2, 0.1f, 3, -0.7f};
    private static final float[] BIAS = {1, -2};

    @BeforeAll
    static void start() {
        Torch.start(1);
    }

    private static double rate(int step) {
        return 0.05 / step;
    }

    private static Map<String, Tensor> leaves(float[] weight, float[] bias) {
        Map<String, Tensor> leaves = new LinkedHashMap<>();
        leaves.put("w", Torch.of(weight, 2, 3));
        leaves.put("b", Torch.of(bias, 2));
        for (Tensor t : leaves.values()) {
            t.set_requires_grad(true);
            JavaOp.zeroGradient(t);
        }
        return leaves;
    }

    /** Squared error of a linear layer on three rows. */
    private static void gradients(Map<String, Tensor> leaves) {
        Tensor x = Torch.of(new float[] {1, 2, -1, 0.5f, -3, 1, 2, 0, 1}, 3, 3);
        Torch.linear(x, leaves.get("w"), leaves.get("b"))
                .sub(Torch.of(new float[] {1, 0, -2, 3, 0.5f, -1}, 3, 2))
                .square()
                .sum()
                .backward();
    }

    private static void train(Adam adam, Map<String, Tensor> leaves, int from, int to) {
        for (int step = from; step <= to; step++) {
            adam.zeroGradients();
            gradients(leaves);
            adam.step(step, rate(step));
        }
    }

    private static TensorVector one(Tensor t) {
        TensorVector v = new TensorVector();
        v.push_back(t);
        return v;
    }

    private static AdamWOptions options(double decay) {
        AdamWOptions o = new AdamWOptions(rate(1));
        o.weight_decay().put(decay);
        return o;
    }

    @Test
    void shouldStepAsLibtorchsAdamW() {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> theirs = leaves(WEIGHT, BIAS);
            AdamW adamW = new AdamW(one(theirs.get("w")), options(DECAY));
            adamW.add_param_group(new OptimizerParamGroup(one(theirs.get("b")), options(0)));
            for (int step = 1; step <= 10; step++) {
                for (long g = 0; g < 2; g++)
                    adamW.param_groups().get(g).options().set_lr(rate(step));
                adamW.zero_grad(false);
                gradients(theirs);
                adamW.step();
            }
            Map<String, Tensor> ours = leaves(WEIGHT, BIAS);
            try (Adam adam = new Adam(ours, DECAY)) {
                train(adam, ours, 1, 10);
            }
            for (String name : ours.keySet())
                assertThat(Torch.values(ours.get(name)))
                        .as(name)
                        .containsExactly(Torch.values(theirs.get(name)), within(1e-6f));
            assertThat(Math.abs(Torch.values(ours.get("w"))[0] - WEIGHT[0]))
                    .as("it has moved")
                    .isGreaterThan(0.01f);
        }
    }

    @Test
    void shouldResumeExactlyFromExportedState() {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> whole = leaves(WEIGHT, BIAS);
            try (Adam adam = new Adam(whole, DECAY)) {
                train(adam, whole, 1, 10);
            }
            Map<String, Tensor> first = leaves(WEIGHT, BIAS);
            Map<String, float[]> moments = new HashMap<>();
            try (Adam adam = new Adam(first, DECAY)) {
                train(adam, first, 1, 5);
                adam.export().forEach((name, a) -> moments.put(name, a.floats()));
            }
            Map<String, Tensor> second = leaves(Torch.values(first.get("w")), Torch.values(first.get("b")));
            try (Adam adam = new Adam(second, DECAY)) {
                adam.restore(moments);
                train(adam, second, 6, 10);
            }
            for (String name : whole.keySet())
                assertThat(Torch.values(second.get(name))).as(name).containsExactly(Torch.values(whole.get(name)));
        }
    }
}
