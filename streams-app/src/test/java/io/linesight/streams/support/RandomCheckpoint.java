package io.linesight.streams.support;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.model.MmadConfig;
import io.linesight.mmad.model.ParameterSpec;
import io.linesight.mmad.model.ParameterSpec.Init;
import io.linesight.mmad.model.ParameterSpecs;
import io.linesight.mmad.model.Tensor;
import io.linesight.mmad.model.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/** Checkpoints of the tiny preset with untrained weights: right shapes, no meaning. */
public final class RandomCheckpoint {

    private RandomCheckpoint() { }

    /** @param properties as in {@link Checkpoints#write} */
    public static Path write(Path path, long seed, Map<String, String> properties) throws IOException {
        Random random = new Random(seed);
        Encoder encoder = FilterBankEncoder.create();
        MmadConfig config = MmadConfig.tiny(encoder.channels());
        Weights weights = new Weights();
        for (ParameterSpec spec : ParameterSpecs.of(config)) weights.put(spec.name(), new Tensor(values(spec, random), spec.shape()));
        Checkpoints.write(path, config, weights, encoder, new Calibration(new ProductCalibration(0.3, 0.05), Map.of()), properties);
        return path;
    }

    private static float[] values(ParameterSpec spec, Random random) {
        float[] out = new float[spec.size()];
        int states = spec.shape()[spec.shape().length - 1];
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
