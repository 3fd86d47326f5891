package io.linesight.trainer.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.golden.GoldenSet;
import io.linesight.trainer.Golden;
import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The whole base network against the reference: evaluation, and one optimiser step. */
class GoldenNetworkIT {
    private static final MmadConfig CONFIG = MmadConfig.base(List.of(64, 128, 256));

    @BeforeAll
    static void start() {
        Torch.start(2);
    }

    @Test
    void shouldAgreeWithReferenceInEval() throws Exception {
        try (GoldenSet z = GoldenSet.open("full_model_eval");
                PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            Parameters p = new Parameters(ParameterSpecs.of(CONFIG), Golden.manifest());
            assumeThat(z.has("feats_t0")).as("the complete set is present").isTrue();
            List<Tensor> teacher = new ArrayList<>();
            for (int i = 0; i < 3; i++)
                teacher.add(Torch.rows(Torch.of(
                        z.floats("feats_t" + i), 1, CONFIG.encoderChannels().get(i), 64 >> i, 64 >> i)));
            List<Tensor> student = new MmadNet(CONFIG, p).forward(teacher, null);
            double[] noise = {1.5e-4, 6.8e-5, 1.8e-5};
            for (int i = 0; i < 3; i++) {
                float[] nchw = Torch.values(Torch.image(student.get(i), 64 >> i));
                assertThat(Golden.absolute(nchw, z.floats("feats_s" + i)))
                        .as("s" + i)
                        .isLessThan(5 * noise[i]);
            }
        }
    }

    @Test
    void shouldComputeTheReferencesMap() throws Exception {
        try (GoldenSet golden = GoldenSet.open("full_model_eval");
                PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            Weights weights = Golden.manifest();
            List<Tensor> rows = resnet34(weights, Torch.of(golden.floats("x"), 1, 3, 256, 256));
            float[][] features = new float[3][];
            for (int i = 0; i < 3; i++) features[i] = Torch.values(Torch.image(rows.get(i), 64 >> i));
            assertThat(Golden.absolute(EvalMap.of(CONFIG, weights, features), golden.floats("anomaly_map")))
                    .isLessThan(1.6e-6);
        }
    }

    @Test
    void shouldReproduceTheReferencesTrainingStep() throws Exception {
        JsonNode step = GoldenSet.json("full_model_train_step.json");
        try (GoldenSet z = GoldenSet.open("full_model_train");
                PointerScope scope = new PointerScope()) {
            Weights weights = Golden.manifest();
            List<Tensor> teacher =
                    resnet34(weights, Torch.of(Golden.random("train.input", 0, 2, 2 * 3 * 256 * 256), 2, 3, 256, 256));
            List<float[]> gumbel = new ArrayList<>();
            for (int i = 0; i < 6; i++) gumbel.add(z.floats("gumbel_noise" + i));
            Parameters p = new Parameters(ParameterSpecs.of(CONFIG), weights);
            MmadNet net = new MmadNet(CONFIG, p);
            Trainer trainer = new Trainer(net, p, step.get("lr").asDouble());

            double loss = trainer.gradients(teacher, new GivenNoise(gumbel));
            JavaOp.endStep();
            assertThat(loss).isCloseTo(step.get("loss_step0").asDouble(), within(2e-5 * loss));
            Weights gradients = p.gradients();
            int compared = 0;
            double worst = 0;
            for (JsonNode e : step.get("params")) {
                double norm = e.get("grad_l2").asDouble();
                String name = e.get("name").asText();
                if (!gradients.has(name) || norm < 1e-7) continue;
                double tolerance = 5 * Math.max(e.get("grad_rel_err_f32").asDouble(), 2e-3);
                float[] g = gradients.get(name).data();
                double square = 0;
                for (float v : g) square += (double) v * v;
                assertThat(Math.sqrt(square)).as("norm of " + name).isCloseTo(norm, within(tolerance * norm));
                for (int i = 0; i < e.get("grad_first4").size(); i++) {
                    assertThat((double) g[i])
                            .as(name + " gradient " + i)
                            .isCloseTo(e.get("grad_first4").get(i).asDouble(), within(tolerance * norm));
                }
                worst = Math.max(worst, Math.abs(Math.sqrt(square) - norm) / norm);
                compared++;
            }
            assertThat(compared).isGreaterThan(1000);

            Weights running = p.export();
            assertThat(Golden.absolute(
                            running.get("mamba_fuser.bn1.running_mean").data(),
                            z.floats("fuser_bn1_running_mean_after")))
                    .isLessThan(1e-5);
            assertThat(Golden.absolute(
                            running.get("mamba_fuser.bn1.running_var").data(), z.floats("fuser_bn1_running_var_after")))
                    .isLessThan(1e-4);

            // The same batch again, this time with the optimiser; the running statistics have no part in training mode.
            Trainer.Step taken = trainer.step(teacher, new GivenNoise(gumbel));
            assertThat(taken.gradientNorm())
                    .isCloseTo(step.get("total_grad_norm_before_clip").asDouble(), within(1e-3 * 163.8));
            Weights after = p.export();
            double lr = step.get("lr").asDouble();
            for (JsonNode e : step.get("params")) {
                String name = e.get("name").asText();
                if (!gradients.has(name) || e.get("grad_l2").asDouble() < 1e-7) continue;
                for (int i = 0; i < e.get("param_after_step_first4").size(); i++) {
                    // Adam's first step is lr times the gradient's sign: only a sign that rounding decides may differ.
                    double g = e.get("grad_first4").get(i).asDouble();
                    boolean settled = Math.abs(g)
                            > 20
                                    * Math.max(e.get("grad_rel_err_f32").asDouble(), 1e-3)
                                    * e.get("grad_l2").asDouble()
                                    / Math.sqrt(gradients.get(name).size());
                    double expected = e.get("param_after_step_first4").get(i).asDouble();
                    assertThat((double) after.get(name).data()[i])
                            .as(name + " value " + i)
                            .isCloseTo(expected, within(settled ? 0.02 * lr + 1e-6 * Math.abs(expected) : 2.1 * lr));
                }
            }
            double next = trainer.gradients(teacher, new GivenNoise(gumbel));
            JavaOp.endStep();
            assertThat(next)
                    .isCloseTo(step.get("loss_step1_after_one_adamw_step").asDouble(), within(5 * 0.03));
        }
    }

    /** The reference's encoder (MMAD_SPEC section 2), rows [B,L,C]. */
    private static List<Tensor> resnet34(Weights w, Tensor image) {
        try (NoGradGuard off = new NoGradGuard()) {
            Tensor x = torch.relu(bn(w, conv(w, image, "net_t.conv1", 2, 3), "net_t.bn1"));
            x = torch.max_pool2d(x, new long[] {3, 3}, new long[] {2, 2}, new long[] {1, 1}, new long[] {1, 1}, false);
            List<Tensor> out = new ArrayList<>();
            int[] blocks = {3, 4, 6};
            for (int layer = 1; layer <= 3; layer++) {
                for (int b = 0; b < blocks[layer - 1]; b++) {
                    String n = "net_t.layer" + layer + "." + b + ".";
                    int stride = layer > 1 && b == 0 ? 2 : 1;
                    Tensor h = torch.relu(bn(w, conv(w, x, n + "conv1", stride, 1), n + "bn1"));
                    h = bn(w, conv(w, h, n + "conv2", 1, 1), n + "bn2");
                    Tensor shortcut = w.has(n + "downsample.0.weight")
                            ? bn(w, conv(w, x, n + "downsample.0", stride, 0), n + "downsample.1")
                            : x;
                    x = torch.relu(h.add(shortcut));
                }
                out.add(Torch.rows(x));
            }
            return out;
        }
    }

    private static Tensor tensor(Weights w, String name) {
        int[] s = w.get(name).shape();
        long[] shape = new long[s.length];
        for (int i = 0; i < s.length; i++) shape[i] = s[i];
        return Torch.of(w.get(name).data(), shape);
    }

    private static Tensor conv(Weights w, Tensor x, String name, int stride, int padding) {
        return Torch.conv2d(x, tensor(w, name + ".weight"), null, stride, padding, 1, 1);
    }

    private static Tensor bn(Weights w, Tensor x, String n) {
        return Torch.batchNorm(
                x,
                tensor(w, n + ".weight"),
                tensor(w, n + ".bias"),
                tensor(w, n + ".running_mean"),
                tensor(w, n + ".running_var"),
                false);
    }
}
