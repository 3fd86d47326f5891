package io.linesight.mmad.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.ResNetEncoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A base checkpoint with made-up but reproducible weights, for comparing implementations and speed: the tensors come
 * from a generator that is seeded with their names, so two programs agree on 24.9 million parameters without exchanging
 * them.
 */
public final class ParityCheckpoint {
    private static final String ENCODER_PREFIX = "net_t.";

    private ParityCheckpoint() {}

    /**
     * Writes the base network with a ResNet-34 encoder, ImageNet normalisation inside.
     *
     * @param manifestJson {@code {"tensors":[{"name","shape","offset","scale"}...]}}, encoder tensors under
     *     {@code net_t.}
     */
    public static CheckpointInfo build(Path manifestJson, Path out) throws IOException {
        Weights all = weights(manifestJson);
        Encoder encoder = encoder(all, true);
        return Checkpoints.write(
                out,
                new MmadModel(config(), all, encoder),
                new Calibration(new ProductCalibration(0.5, 0.1), Map.of()),
                Map.of("origin", "parity weights"));
    }

    /** The network that the manifest describes. */
    public static MmadConfig config() {
        return MmadConfig.base(List.of(64, 128, 256));
    }

    /** Every tensor of the manifest. */
    public static Weights weights(Path manifestJson) throws IOException {
        JsonNode tensors = new ObjectMapper().readTree(manifestJson.toFile()).path("tensors");
        if (!tensors.isArray() || tensors.isEmpty())
            throw new IOException(manifestJson + " is not a weights manifest: it has no list 'tensors'");
        Weights weights = new Weights();
        for (JsonNode t : tensors) {
            int[] shape = new int[t.path("shape").size()];
            for (int i = 0; i < shape.length; i++)
                shape[i] = t.path("shape").get(i).asInt();
            String name = t.path("name").asText();
            weights.put(
                    name,
                    tensor(
                            name,
                            (float) t.path("offset").asDouble(),
                            (float) t.path("scale").asDouble(),
                            shape));
        }
        return weights;
    }

    /** The manifest's encoder. */
    public static Encoder encoder(Weights all, boolean normalise) {
        Weights own = new Weights();
        for (String name : all.names()) {
            if (name.startsWith(ENCODER_PREFIX)) own.put(name.substring(ENCODER_PREFIX.length()), all.get(name));
        }
        return ResNetEncoder.create(own, normalise ? "resnet34-parity" : "resnet34-parity-unnormalised", normalise);
    }

    /** offset + scale * v in float, v in [-1,1) from a SplittableRandom seeded with the FNV-1a hash of the name. */
    public static Tensor tensor(String name, float offset, float scale, int... shape) {
        int n = 1;
        for (int d : shape) n *= d;
        SplittableRandom random = new SplittableRandom(fnv1a(name));
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            float v = (random.nextLong() >>> 40) * 0x1p-23f - 1;
            values[i] = offset + scale * v;
        }
        return new Tensor(values, shape);
    }

    private static long fnv1a(String text) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        return hash;
    }
}
