package io.linesight.trainer.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpec.Init;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.golden.GoldenSet;
import io.linesight.trainer.Golden;
import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GoldenModulesTest {
    @BeforeAll
    static void start() {
        Torch.start(2);
    }

    /** Specs and values of all stored weights {@code w.*} under a prefix. */
    private static Parameters parameters(GoldenSet z, String prefix) throws Exception {
        List<ParameterSpec> specs = new ArrayList<>();
        Weights weights = new Weights();
        for (String name : z.names()) {
            if (!name.startsWith("w.")
                    || name.contains("project_q")
                    || name.contains("project_k")
                    || name.contains("out_offsets")) continue;
            int[] shape = z.get(name).shape();
            specs.add(
                    new ParameterSpec(prefix + name.substring(2), shape, new Init.Constant(0), true, shape.length > 1));
            weights.put(prefix + name.substring(2), new io.linesight.mmad.architecture.Tensor(z.floats(name), shape));
        }
        return new Parameters(specs, weights);
    }

    @ParameterizedTest
    @EnumSource(ScanKind.class)
    void shouldAgreeWithReferenceSs2d(ScanKind kind) throws Exception {
        try (GoldenSet z = GoldenSet.open("ss2d_" + kind.name().toLowerCase() + "_8");
                PointerScope scope = new PointerScope()) {
            String prefix = "mamba_fuser.ssm_blocks";
            int channels = z.get("x").shape()[3];
            int batch = z.get("x").shape()[0];
            Parameters p = new WithNorm(z, prefix, channels).parameters;
            Tensor x = Torch.of(z.floats("x"), batch, 64, 1, channels);
            x.set_requires_grad(true);
            Tensor y = new VssBlock(p, prefix, kind, 8, 0, 0).ss2d(x);
            y.mul(Torch.of(z.floats("grad_y"), batch, 64, channels)).sum().backward();
            assertThat(Golden.absolute(Torch.values(y), z.floats("y"))).as("y").isLessThan(2.5e-6);
            assertThat(Golden.relative(Torch.values(x.grad()), z.floats("grad_x")))
                    .as("grad x")
                    .isLessThan(1e-5);
            Weights g = p.gradients();
            for (String name : z.names()) {
                if (name.startsWith("g.")) {
                    assertThat(Golden.relative(
                                    g.get(prefix + ".self_attention." + name.substring(2))
                                            .data(),
                                    z.floats(name)))
                            .as(name)
                            .isLessThan(2e-5);
                }
            }
            JavaOp.endStep();
        }
    }

    /** SS2D weights with an identity norm in front, as VssBlock wants one. */
    private static final class WithNorm {
        final Parameters parameters;

        WithNorm(GoldenSet z, String prefix, int channels) throws Exception {
            List<ParameterSpec> specs = new ArrayList<>();
            Weights weights = new Weights();
            for (String name : z.names()) {
                if (!name.startsWith("w.")) continue;
                String full = prefix + ".self_attention." + name.substring(2);
                specs.add(new ParameterSpec(full, z.get(name).shape(), new Init.Constant(0), true, true));
                weights.put(
                        full,
                        new io.linesight.mmad.architecture.Tensor(
                                z.floats(name), z.get(name).shape()));
            }
            for (String n : List.of(".ln_1.weight", ".ln_1.bias")) {
                specs.add(new ParameterSpec(prefix + n, new int[] {channels}, new Init.Constant(0), true, false));
                weights.put(prefix + n, new io.linesight.mmad.architecture.Tensor(new float[channels], channels));
            }
            parameters = new Parameters(specs, weights);
        }
    }

    @Test
    void shouldAgreeWithReferenceHybridBlockInEval() throws Exception {
        try (GoldenSet z = GoldenSet.open("hybrid_64_16");
                PointerScope scope = new PointerScope()) {
            Parameters p = parameters(z, "b.");
            HybridBlock block =
                    new HybridBlock(p, "b", 64, List.of(ScanKind.HILBERT, ScanKind.ZORDER, ScanKind.ZIGZAG), 16, 0);
            Tensor y = block.forward(Torch.of(z.floats("x"), 2, 256, 64), null);
            float[] expected = z.floats("y_expected_image");
            assertThat(Golden.absolute(Golden.beginning(Torch.values(y), 2 * 256 * 64, expected), expected))
                    .isLessThan(5 * 3.5e-6);
        }
    }

    @Test
    void shouldAgreeWithReferenceHybridBlockInTraining() throws Exception {
        try (GoldenSet z = GoldenSet.open("hybrid_64_16");
                PointerScope scope = new PointerScope()) {
            assumeThat(z.has("train.y")).as("the complete set is present").isTrue();
            Parameters p = parameters(z, "b.");
            HybridBlock block =
                    new HybridBlock(p, "b", 64, List.of(ScanKind.HILBERT, ScanKind.ZORDER, ScanKind.ZIGZAG), 16, 0);
            Tensor x = Torch.of(z.floats("x"), 2, 256, 64);
            x.set_requires_grad(true);
            Tensor y = block.forward(x, new GivenNoise(List.of(z.floats("train.gumbel_noise"))));
            y.mul(Torch.of(z.floats("grad_y"), 2, 256, 64)).sum().backward();
            assertThat(Golden.absolute(Torch.values(y), z.floats("train.y")))
                    .as("y")
                    .isLessThan(5 * 2.8e-6);
            assertThat(Golden.absolute(Torch.values(x.grad()), z.floats("train.grad_x")))
                    .as("grad x")
                    .isLessThan(5 * 3.3e-5);
            Weights g = p.gradients();
            int compared = 0;
            for (String name : z.names()) {
                if (!name.startsWith("train.g.")) continue;
                assertThat(Golden.relative(
                                g.get("b." + name.substring("train.g.".length()))
                                        .data(),
                                z.floats(name)))
                        .as(name)
                        .isLessThan(2e-4);
                compared++;
            }
            assertThat(compared).isEqualTo(184);
            JavaOp.endStep();
        }
    }

    @Test
    void shouldFollowTheReferenceDropPathTable() {
        assertThat(MmadNet.dropPath(0, 0)).isEqualTo(0.2);
        assertThat(MmadNet.dropPath(1, 1)).isCloseTo(0.146667, org.assertj.core.api.Assertions.within(1e-6));
        assertThat(MmadNet.dropPath(2, 0)).isCloseTo(0.106667, org.assertj.core.api.Assertions.within(1e-6));
        assertThat(MmadNet.dropPath(3, 0)).isCloseTo(0.026667, org.assertj.core.api.Assertions.within(1e-6));
        assertThat(MmadNet.dropPath(3, 9)).isEqualTo(MmadNet.dropPath(3, 2)).isZero();
        assertThat(MmadConfig.base(List.of(64, 128, 256)).blocks()).containsExactly(1, 2, 2, 1);
    }
}
