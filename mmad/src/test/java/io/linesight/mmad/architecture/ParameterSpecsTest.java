package io.linesight.mmad.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.linesight.mmad.golden.GoldenSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ParameterSpecsTest {
    private static final MmadConfig BASE = MmadConfig.base(List.of(64, 128, 256));

    @Test
    void shouldHaveThePublishedNumberOfParameters() {
        // 16,727,950 trainable, less the 876,804 that never reach the output.
        long trainable = ParameterSpecs.of(BASE).stream()
                .filter(ParameterSpec::trainable)
                .mapToLong(ParameterSpec::size)
                .sum();
        assertThat(trainable).isEqualTo(16_727_950 - 876_804);
        assertThat(count("mamba_fuser.")).isEqualTo(6_304_448);
        assertThat(count("net_s.layers_up.0.blocks.0.mixer.ssm_blocks_2.1.")).isEqualTo(236_800);
        assertThat(count("net_s.layers_up.3.blocks.0.mixer.ssm_blocks_4.2.")).isEqualTo(15_264);
        assertThat(count("net_s.layers_up.0.blocks.0.ffn.")).isEqualTo(795_648);
    }

    private static long count(String prefix) {
        return ParameterSpecs.of(BASE).stream()
                .filter(p -> p.trainable() && p.name().startsWith(prefix))
                .mapToLong(ParameterSpec::size)
                .sum();
    }

    @Test
    void shouldNameAndShapeTensorsLikeTheReference() throws Exception {
        Map<String, String> expected = new TreeMap<>();
        for (JsonNode t : GoldenSet.json("model_weights_manifest.json").path("tensors")) {
            String name = t.path("name").asText();
            boolean dead =
                    name.contains(".project_q.") || name.contains(".project_k.") || name.contains(".out_offsets.");
            if (!dead && !name.startsWith("net_t."))
                expected.put(name, t.path("shape").toString().replace(",", ", "));
        }
        Map<String, String> actual = ParameterSpecs.of(BASE).stream()
                .collect(Collectors.toMap(
                        ParameterSpec::name, p -> java.util.Arrays.toString(p.shape()), (a, b) -> a, TreeMap::new));
        assertThat(actual).isEqualTo(expected);
    }

    @Test
    void shouldInitialiseAndDecayAsPublished() {
        Map<String, ParameterSpec> p =
                ParameterSpecs.of(BASE).stream().collect(Collectors.toMap(ParameterSpec::name, Function.identity()));
        String block = "net_s.layers_up.3.blocks.0.mixer.";
        assertThat(p.get(block + "project_v.weight").init())
                .isEqualTo(new ParameterSpec.Init.Normal(Math.sqrt(2.0 / 64)));
        assertThat(p.get(block + "conv_sptial.6.weight").init())
                .isEqualTo(new ParameterSpec.Init.Normal(Math.sqrt(2.0 / 49)));
        assertThat(p.get(block + "ssm_blocks_1.0.self_attention.in_proj.weight").init())
                .isEqualTo(new ParameterSpec.Init.Normal(0.02));
        assertThat(p.get("mamba_fuser.ssm_blocks.self_attention.conv2d.weight").init())
                .isEqualTo(new ParameterSpec.Init.Normal(Math.sqrt(2.0 / 4608)));
        assertThat(p.get("mamba_fuser.ssm_blocks.self_attention.conv2d.bias").init())
                .isEqualTo(new ParameterSpec.Init.Uniform(1 / 3.0));
        assertThat(p.get("mamba_fuser.ssm_blocks.self_attention.A_logs").init())
                .isInstanceOf(ParameterSpec.Init.LogStates.class);
        assertThat(p.get("mamba_fuser.ssm_blocks.self_attention.A_logs").decay())
                .isTrue();
        assertThat(p.get("mamba_fuser.ssm_blocks.self_attention.dt_projs_bias").decay())
                .isTrue();
        assertThat(p.get("mamba_fuser.ssm_blocks.self_attention.Ds").decay()).isFalse();
        assertThat(p.get("mamba_fuser.conv21.bias").decay()).isFalse();
        assertThat(p.get("mamba_fuser.bn1.running_var").trainable()).isFalse();
    }

    @Test
    void shouldProjectToTheEncodersChannelsAndKeepItsStatistics() {
        MmadConfig tiny = MmadConfig.tiny(List.of(36, 64, 144));
        Map<String, ParameterSpec> p =
                ParameterSpecs.of(tiny).stream().collect(Collectors.toMap(ParameterSpec::name, Function.identity()));
        assertThat(p.get("net_s.proj.0.weight").shape()).containsExactly(36, 16, 1, 1);
        assertThat(p.get("net_s.proj.2.bias").shape()).containsExactly(144);
        assertThat(p.get("teacher_norm.1.scale").shape()).containsExactly(64);
        assertThat(p.get("teacher_norm.1.scale").trainable()).isFalse();
        assertThat(p.get("mamba_fuser.conv31.weight").shape()).containsExactly(64, 144, 1, 1);
        assertThat(p).doesNotContainKey("net_s.layers_up.3.blocks.0.mixer.ssm_blocks_1.1.ln_1.weight");
        assertThat(ParameterSpecs.of(MmadConfig.tiny(List.of(16, 32, 64))))
                .noneMatch(s -> s.name().startsWith("net_s.proj"));
    }
}
