package io.linesight.mmad.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Test;

class MmadConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final MmadConfig tiny = MmadConfig.tiny(List.of(8, 16, 32));

    @Test
    void shouldReadFilesWrittenBeforeThereWasAChoice() throws Exception {
        ObjectNode old = JSON.valueToTree(tiny);
        old.remove(List.of("map", "finest", "topShare", "groups"));
        MmadConfig read = JSON.treeToValue(old, MmadConfig.class);
        assertThat(read).isEqualTo(tiny);
        assertThat(read.levels()).isEqualTo(4);
        MmadConfig chosen =
                tiny.withMap(MapKind.WHITENED).withFinest(1).withTopShare(0.005).withGroups(5);
        assertThat(JSON.readValue(JSON.writeValueAsString(chosen), MmadConfig.class))
                .isEqualTo(chosen);
    }

    @Test
    void shouldNameEveryProblem() {
        assertThatThrownBy(() -> new MmadConfig(
                        "x",
                        List.of(8, 16, 32),
                        List.of(32, 64),
                        List.of(128, 64, 32, 16),
                        List.of(1, 1, 1, 1),
                        tiny.chains(),
                        FeatureNorm.NONE,
                        MapKind.COSINE,
                        3,
                        1.5,
                        -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("finest must be 0")
                .hasMessageContaining("topShare must be 0..1")
                .hasMessageContaining("groups must not be negative");
    }

    @Test
    void shouldHaveNoTensorsOfLevelsThatAreLeftOut() {
        List<String> all = names(tiny);
        List<String> coarse = names(tiny.withFinest(1));
        assertThat(all).containsAll(coarse);
        assertThat(all.stream().filter(n -> !coarse.contains(n)))
                .isNotEmpty()
                .allMatch(n -> n.startsWith("net_s.layers_up.3.") || n.startsWith("net_s.proj.0."));
    }

    @Test
    void shouldKeepStatisticsPerGroup() {
        List<ParameterSpec> specs =
                ParameterSpecs.of(tiny.withMap(MapKind.WHITENED).withFinest(1).withGroups(3));
        assertThat(specs)
                .filteredOn(s -> s.name().equals("anomaly_map.2.whiten.matrix"))
                .singleElement()
                .satisfies(s -> assertThat(s.shape()).containsExactly(3, 32, 32));
        assertThat(specs)
                .filteredOn(s -> s.name().startsWith("anomaly_map."))
                .hasSize(8)
                .noneMatch(ParameterSpec::trainable);
        assertThat(names(tiny.withMap(MapKind.WHITENED)).stream().filter(n -> n.startsWith("anomaly_map.groups")))
                .as("one group needs no centres")
                .isEmpty();
    }

    private static List<String> names(MmadConfig config) {
        return ParameterSpecs.of(config).stream().map(ParameterSpec::name).toList();
    }
}
