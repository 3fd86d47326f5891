package io.linesight.trainer.network;

import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpec.Init;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Fresh weights (MMAD_SPEC section 9). Every tensor has a random stream of its own, so adding one does not change the
 * others.
 */
public final class Initializer {
    private Initializer() {}

    /** Weights for all specs; the same seed gives the same values. */
    public static Weights fresh(List<ParameterSpec> specs, long seed) {
        Weights w = new Weights();
        for (ParameterSpec spec : specs) w.put(spec.name(), new Tensor(values(spec, seed), spec.shape()));
        return w;
    }

    private static float[] values(ParameterSpec spec, long seed) {
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L ^ hash(spec.name()));
        float[] v = new float[spec.size()];
        int last = spec.shape().length == 0 ? 1 : spec.shape()[spec.shape().length - 1];
        Init init = spec.init();
        for (int i = 0; i < v.length; i++) {
            if (init instanceof Init.Constant c) v[i] = c.value();
            else if (init instanceof Init.Normal n) v[i] = (float) (n.std() * random.nextGaussian());
            else if (init instanceof Init.Uniform u) v[i] = (float) (u.bound() * (2 * random.nextDouble() - 1));
            else if (init instanceof Init.LogStates) v[i] = (float) Math.log(1 + i % last);
            else if (init instanceof Init.TimeStep) v[i] = (float) timeStep(random.nextDouble());
            else throw new IllegalStateException("unknown initial distribution " + init);
        }
        return v;
    }

    private static double timeStep(double uniform) {
        double dt = Math.max(Math.exp(Math.log(0.001) + uniform * Math.log(0.1 / 0.001)), 1e-4);
        return dt + Math.log(-Math.expm1(-dt));
    }

    private static long hash(String name) {
        long h = 0xcbf29ce484222325L;
        for (int i = 0; i < name.length(); i++) h = (h ^ name.charAt(i)) * 0x100000001b3L;
        return h;
    }
}
