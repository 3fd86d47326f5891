package io.linesight.trainer.encoders;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderCheck;
import io.linesight.mmad.encoder.ImportedEncoder;
import io.linesight.mmad.encoder.ResNetArchitecture;
import io.linesight.mmad.encoder.ResNetEncoder;
import io.linesight.mmad.statedict.StateDict;
import io.linesight.mmad.statedict.StateDicts;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Makes an encoder from a file of a ResNet's weights, and compares it with the same network computed by libtorch. */
public final class ResNetImport {
    private ResNetImport() {}

    /**
     * Reads the weights and makes the encoder; nothing is written.
     *
     * @param file {@code .safetensors}, {@code .pth} or {@code .pt} as torchvision and timm publish them
     * @param architecture a name of {@link ResNetArchitecture#KNOWN}; null finds it out from the tensors
     * @param name of the encoder
     * @throws IOException when the file cannot be read or is damaged
     * @throws IllegalArgumentException when the weights are not those of a plain ResNet, not finite, or compute
     *     something else than the reference
     */
    public static ImportedEncoder of(Path file, @Nullable String architecture, String name) throws IOException {
        ResNetArchitecture wanted = architecture == null ? null : ResNetArchitecture.of(architecture);
        StateDict dict = StateDicts.read(file);
        try {
            ResNetArchitecture found = wanted == null ? ResNetArchitecture.detect(dict.weights()) : wanted;
            found.require(dict.weights(), dict.others());
            Encoder encoder = ResNetEncoder.create(found, dict.weights(), name, true);
            Torch.start(0);
            byte[] image = EncoderCheck.image(1);
            var expected =
                    new ResNetReference(dict.weights()).features(EncoderCheck.scaled(image), MmadConfig.INPUT_SIZE);
            return new ImportedEncoder(encoder, found.name(), EncoderCheck.compare(encoder, image, expected));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }
}
