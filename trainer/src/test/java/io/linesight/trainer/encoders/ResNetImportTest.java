package io.linesight.trainer.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderCheck;
import io.linesight.mmad.encoder.ImportedEncoder;
import io.linesight.mmad.encoder.ResNetArchitecture;
import io.linesight.mmad.encoder.ResNetEncoder;
import io.linesight.mmad.statedict.RandomResNet;
import io.linesight.mmad.statedict.StateDictFiles;
import io.linesight.mmad.statedict.StateDicts;
import io.linesight.trainer.torch.Torch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResNetImportTest {
    @TempDir
    Path dir;

    @BeforeAll
    static void start() {
        Torch.start(1);
    }

    /**
     * The work is torchvision's published one at 224x224 (1.814, 3.664, 4.089, 11.398, 4.230 GMAC) less layer4 and
     * classifier, times (256/224)^2.
     */
    @ParameterizedTest
    @CsvSource({
        "resnet18,safetensors,1.832",
        "resnet34,pth,3.946",
        "resnet50,safetensors,4.281",
        "wide_resnet50_2,pth,11.999",
        "resnext50_32x4d,legacy,4.392"
    })
    void shouldComputeWhatLibtorchComputes(String network, String format, double gmac) throws Exception {
        Map<String, Tensor> tensors = RandomResNet.tensors(network, 5);
        Path file = dir.resolve("weights");
        switch (format) {
            case "safetensors" -> StateDictFiles.safetensors(file, tensors);
            case "pth" -> StateDictFiles.zip(file, tensors);
            default -> StateDictFiles.legacy(file, tensors);
        }
        ImportedEncoder e = ResNetImport.of(file, null, "enc");
        assertThat(e.origin()).isEqualTo(network);
        assertThat(e.differences()).hasSize(3).allSatisfy(d -> assertThat(d).isLessThan(2e-5));
        assertThat(e.encoder().channels())
                .isEqualTo(ResNetArchitecture.of(network).channels());
        assertThat(e.encoder().multiplyAdds().getAsLong() / 1e9)
                .isCloseTo(gmac, org.assertj.core.data.Offset.offset(0.002 * gmac));
        Path out = dir.resolve("enc.onnx");
        e.encoder().save(out);
        assertThat(Encoder.load(out).sha256()).isEqualTo(e.encoder().sha256());
    }

    /** The comparison has to see a network that is put together wrongly. */
    @Test
    void shouldNoticeANetworkThatComputesSomethingElse() {
        Weights right = new Weights();
        RandomResNet.tensors("resnet18", 5).forEach(right::put);
        Weights wrong = new Weights();
        RandomResNet.tensors("resnet18", 5).forEach(wrong::put);
        byte[] image = EncoderCheck.image(1);
        var expected = new ResNetReference(right).features(EncoderCheck.scaled(image), MmadConfig.INPUT_SIZE);
        wrong.get("layer3.1.bn2.running_mean").data()[0] += 3;
        Encoder off = ResNetEncoder.create(ResNetArchitecture.of("resnet18"), wrong, "off", true);
        assertThatThrownBy(() -> EncoderCheck.compare(off, image, expected))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stride 16 is off by");
        Encoder unnormalised = ResNetEncoder.create(ResNetArchitecture.of("resnet18"), right, "off", false);
        assertThatThrownBy(() -> EncoderCheck.compare(unnormalised, image, expected))
                .hasMessageContaining("stride 4 is off by");
    }

    /** PyTorch itself reads what the writer of these tests writes, and its own writer's file is read here. */
    @Test
    void shouldAgreeWithPyTorchOnFiles() throws Exception {
        Path ours = StateDictFiles.zipOfPlainDictionary(
                dir.resolve("ours.pth"), Map.of("conv", new Tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3)));
        Path theirs = dir.resolve("theirs.pt");
        try (PointerScope scope = new PointerScope()) {
            IValue dict = torch.pickle_load(new ByteVector(Files.readAllBytes(ours)));
            assertThat(Torch.values(dict.toGenericDict().at(new IValue("conv")).toTensor()))
                    .containsExactly(1, 2, 3, 4, 5, 6);
            ByteVector bytes = torch.pickle_save(dict);
            byte[] b = new byte[(int) bytes.size()];
            for (int i = 0; i < b.length; i++) b[i] = bytes.get(i);
            Files.write(theirs, b);
        }
        assertThat(StateDicts.read(theirs).weights().get("conv").data()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(StateDicts.read(theirs).weights().get("conv").shape()).containsExactly(2, 3);
    }

    @Test
    void shouldRejectWeightsThatAreNotUsable() throws Exception {
        Map<String, Tensor> tensors = RandomResNet.tensors("resnet18", 5);
        tensors.get("layer1.0.conv1.weight").data()[3] = Float.NaN;
        Path file = StateDictFiles.safetensors(dir.resolve("nan.safetensors"), tensors);
        assertThatThrownBy(() -> ResNetImport.of(file, null, "enc"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("nan.safetensors", "NaN", "layer1.0.conv1.weight");
        assertThatThrownBy(() -> ResNetImport.of(file, "resnet50", "enc"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("do not fit resnet50");
        assertThatThrownBy(() -> ResNetImport.of(file, "resnet99", "enc"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("wide_resnet50_2");
    }
}
