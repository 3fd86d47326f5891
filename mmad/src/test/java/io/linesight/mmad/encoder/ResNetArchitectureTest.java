package io.linesight.mmad.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.statedict.RandomResNet;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResNetArchitectureTest {
    private static Weights weights(Map<String, Tensor> tensors) {
        Weights w = new Weights();
        tensors.forEach(w::put);
        return w;
    }

    @ParameterizedTest
    @ValueSource(strings = {"resnet18", "resnet34", "resnet50", "wide_resnet50_2", "resnext50_32x4d"})
    void shouldTellTheArchitectureByItsTensors(String network) {
        Weights w = weights(RandomResNet.tensors(network, 1));
        ResNetArchitecture a = ResNetArchitecture.detect(w);
        assertThat(a).isEqualTo(ResNetArchitecture.of(network));
        assertThat(a.channels())
                .containsExactly(
                        network.contains("50") ? new Integer[] {256, 512, 1024} : new Integer[] {64, 128, 256});
        a.require(w, Map.of("bn1.num_batches_tracked", "int64[]"));
    }

    @Test
    void shouldNameEverythingThatDoesNotFitAtOnce() {
        Map<String, Tensor> t = RandomResNet.tensors("resnet18", 1);
        t.remove("layer2.1.bn1.running_var");
        t.put("layer1.0.conv2.weight", new Tensor(new float[64 * 64], 64, 64, 1, 1));
        t.put("layer1.0.conv2.bias", new Tensor(new float[64], 64));
        t.get("layer3.0.bn2.weight").data()[7] = Float.NaN;
        t.get("layer3.1.bn2.running_var").data()[0] = -1;
        Weights w = weights(t);
        assertThatThrownBy(
                        () -> ResNetArchitecture.detect(w).require(w, Map.of("layer2.1.bn1.running_var", "int8[128]")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "resnet18",
                        "1 tensor missing (layer2.1.bn1.running_var (it is int8[128], not floating-point))",
                        "layer1.0.conv2.weight is [64, 64, 1, 1], must be [64, 64, 3, 3]",
                        "not part of it (layer1.0.conv2.bias)",
                        "layer3.0.bn2.weight, layer3.1.bn2.running_var");
        assertThatThrownBy(() -> ResNetArchitecture.of("resnet34").require(w, Map.of()))
                .hasMessageContainingAll("do not fit resnet34", "missing (layer1.2.conv1.weight", "more)");
    }

    @ParameterizedTest
    @CsvSource({
        "conv1.0.weight,deep stem",
        "layer1.0.downsample.2.weight,averages",
        "layer1.0.se.fc1.weight,squeeze",
        "stem.conv.weight,stages",
        "patch_embed.proj.weight,transformer"
    })
    void shouldSayWhatKindOfOtherNetworkItIs(String name, String word) {
        Map<String, Tensor> t = RandomResNet.tensors("resnet18", 1);
        if (!name.startsWith("layer")) t.remove("conv1.weight");
        t.put(name, new Tensor(new float[1], 1));
        assertThatThrownBy(() -> ResNetArchitecture.detect(weights(t)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(word, "not the weights of a plain ResNet", "ONNX");
    }

    @Test
    void shouldSayWhatItFoundInsteadOfAResNet() {
        Weights w = new Weights()
                .put("features.0.weight", new Tensor(new float[1], 1))
                .put("classifier.bias", new Tensor(new float[1], 1));
        assertThatThrownBy(() -> ResNetArchitecture.detect(w))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("features.0.weight, classifier.bias");
    }
}
