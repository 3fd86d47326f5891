package io.linesight.mmad.score;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpec.Init;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.MmadModel;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Checkpoints with untrained weights of a fixed seed: right shapes, right magnitudes, no meaning. Other modules test
 * with them too.
 */
public final class RandomCheckpoint {
    private RandomCheckpoint() {}

    static Path write(Path path, MmadConfig config, Encoder encoder) throws IOException {
        return write(path, config, encoder, weights -> {});
    }

    /** @param change may put other tensors before the file is written */
    static Path write(Path path, MmadConfig config, Encoder encoder, Consumer<Weights> change) throws IOException {
        return write(path, 1, config, encoder, change, Map.of());
    }

    /**
     * One of the tiny preset.
     *
     * @param properties as in {@link Checkpoints#write}
     */
    public static Path tiny(Path path, long seed, Map<String, String> properties) throws IOException {
        Encoder encoder = FilterBankEncoder.create();
        return write(path, seed, MmadConfig.tiny(encoder.channels()), encoder, weights -> {}, properties);
    }

    private static Path write(
            Path path,
            long seed,
            MmadConfig config,
            Encoder encoder,
            Consumer<Weights> change,
            Map<String, String> properties)
            throws IOException {
        Random random = new Random(seed);
        Weights weights = new Weights();
        for (ParameterSpec spec : ParameterSpecs.of(config))
            weights.put(spec.name(), new Tensor(values(spec, random), spec.shape()));
        change.accept(weights);
        Checkpoints.write(
                path,
                new MmadModel(config, weights, encoder),
                new Calibration(new ProductCalibration(0.3, 0.05), Map.of()),
                properties);
        return path;
    }

    private static float[] values(ParameterSpec spec, Random random) {
        float[] out = new float[spec.size()];
        int states = spec.shape()[spec.shape().length - 1];
        // The mask's scores would all be equal up to rounding at their own magnitude, and which pixels are kept then is
        // left to chance.
        double gain = spec.name().contains("route.out_mask") ? 50 : 1;
        for (int i = 0; i < out.length; i++) out[i] = (float) (gain * value(spec.init(), i % states, random));
        return out;
    }

    private static double value(Init init, int state, Random random) {
        if (init instanceof Init.Constant c) return c.value();
        if (init instanceof Init.Normal n) return n.std() * random.nextGaussian();
        if (init instanceof Init.Uniform u) return u.bound() * (2 * random.nextDouble() - 1);
        if (init instanceof Init.LogStates) return Math.log(state + 1);
        double step = Math.max(Math.exp(Math.log(0.001) + random.nextDouble() * Math.log(100)), 1e-4);
        return step + Math.log(-Math.expm1(-step));
    }
}
