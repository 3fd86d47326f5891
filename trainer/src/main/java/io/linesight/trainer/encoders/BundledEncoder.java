package io.linesight.trainer.encoders;

import io.linesight.mmad.encoder.Encoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * The encoder that ships with the trainer, for whoever has no pretrained network at hand: 64, 128 and 256 channels, 1.5
 * billion multiplications an image, trained by {@code encoder distill}. Its model card lies beside it in the jar
 * ({@code linesight-small.onnx.md}).
 */
public final class BundledEncoder {
    /** Its name in checkpoints. */
    public static final String NAME = "linesight-small";

    private static final String RESOURCE = "/io/linesight/trainer/encoder/" + NAME + ".onnx";

    private BundledEncoder() {}

    /**
     * Reads it; takes a fraction of a second.
     *
     * @throws IllegalStateException when the program was built without it
     */
    public static Encoder load() {
        try (InputStream in = BundledEncoder.class.getResourceAsStream(RESOURCE)) {
            if (in == null)
                throw new IllegalStateException(
                        "this build lacks the bundled encoder (" + RESOURCE + "); name another with --encoder");
            return Encoder.of(in.readAllBytes(), NAME);
        } catch (IOException e) {
            throw new UncheckedIOException("the bundled encoder cannot be read", e);
        }
    }
}
