package io.linesight.trainer.distill;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.trainer.torch.Torch;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Compares an exported encoder with the network in training, at 256x256, and has it accepted as an encoder. */
final class ExportCheck {
    private static final int SIDE = 256;
    /** Largest difference between the exported network and the trained one, as a share of the largest value. */
    private static final double TOLERANCE = 1e-3;

    private ExportCheck() {}

    /**
     * @param out where the encoder is to be written, for its name and the message
     * @throws IllegalArgumentException when the file is no encoder
     * @throws IllegalStateException when it does not give what the trained network gives
     */
    static void verify(byte[] onnx, Student student, Path out, long seed) {
        Encoder encoder = Encoder.of(onnx, out.getFileName().toString().replaceFirst("\\.onnx$", ""));
        Crops crops = new Crops(Photos.none(), 0, SIDE, seed);
        float[] images = Feed.images(new byte[][] {crops.heldOut(0), crops.heldOut(1)});
        float[][] exported;
        try (Teacher session = Teacher.open(encoder, 1)) {
            exported = session.answer(images, 2, SIDE);
        }
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            List<Tensor> trained = student.forward(Torch.of(images, 2, 3, SIDE, SIDE), false);
            for (int s = 0; s < 3; s++) compare(Torch.values(trained.get(s)), exported[s], 4 << s, out);
        }
    }

    private static void compare(float[] trained, float[] exported, int stride, Path out) {
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < trained.length; i++) {
            largest = Math.max(largest, Math.abs(trained[i]));
            difference = Math.max(difference, Math.abs(trained[i] - exported[i]));
        }
        if (difference <= TOLERANCE * largest) return;
        throw new IllegalStateException(String.format(
                Locale.ROOT,
                "the exported encoder differs from the trained one at stride %d by %.3g of %.3g; %s was not written",
                stride,
                difference,
                largest,
                out));
    }
}
