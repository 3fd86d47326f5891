package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.FeatureNorm;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.MmadModel;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.trainer.features.FeatureStore;
import io.linesight.trainer.network.Initializer;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The encoder and the shape of the network that training begins with.
 *
 * @param parent checkpoint that both come from; null = a fresh network
 */
record StartingPoint(@Nullable Parent parent, Encoder encoder, MmadConfig config) {
    /** What a run takes over from a checkpoint; its file is read once and not kept in memory. */
    record Parent(CheckpointInfo info, Weights weights) {}

    /**
     * Twenty pixels of the map's 4,096: on the real categories the mean image AUROC was 0.909 with it, 0.908 with the
     * single highest pixel, and 0.897 with ten times as many (tiny preset, ten minutes).
     */
    private static final double TOP_SHARE = 0.005;

    static StartingPoint of(FitOptions.Network network) throws IOException {
        Parent parent = null;
        Encoder encoder;
        MmadConfig config;
        if (network.from() == null) {
            encoder = network.encoder() == null ? FilterBankEncoder.create() : network.encoder();
            MmadConfig preset = MmadConfig.preset(network.preset(), encoder.channels());
            config = network.recipe() == FitOptions.Recipe.PAPER
                    ? preset.withFeatureNorm(FeatureNorm.NONE)
                    : preset.withMap(MapKind.WHITENED).withFinest(1).withTopShare(TOP_SHARE);
        } else {
            Checkpoint checkpoint = Checkpoint.read(network.from());
            MmadModel model = checkpoint.mmad();
            parent = new Parent(checkpoint.info(), model.weights());
            encoder = model.encoder();
            config = model.config();
        }
        if (network.finestStride() > 0)
            config = config.withFinest(Integer.numberOfTrailingZeros(network.finestStride()) - 2);
        if (!Double.isNaN(network.topShare())) config = config.withTopShare(network.topShare());
        if (network.map() != null) config = config.withMap(network.map());
        return new StartingPoint(parent, encoder, config);
    }

    /** This start for so many categories: a whitened map has a covariance for each. */
    StartingPoint withCategories(int categories) {
        return new StartingPoint(parent, encoder, config.withGroups(config.map() == MapKind.WHITENED ? categories : 0));
    }

    List<ParameterSpec> specs() {
        return ParameterSpecs.of(config);
    }

    /** Weights before the first step. */
    Weights weights(long seed, FeatureStore store) {
        if (parent != null) return inherited(parent.weights());
        Weights weights = Initializer.fresh(specs(), seed);
        if (config.featureNorm() == FeatureNorm.CHANNEL) putStatistics(store, weights);
        return weights;
    }

    private Weights inherited(Weights weights) {
        // The feature statistics stay as they were: the network was trained on features normalised by them.
        // What the map needs is fitted again after training; the checkpoint has none where its map was another, and
        // others where it knew other products.
        for (ParameterSpec spec : specs()) {
            if (!weights.has(spec.name()) || weights.get(spec.name()).size() != spec.size())
                weights.put(spec.name(), new Tensor(new float[spec.size()], spec.shape()));
        }
        return weights;
    }

    /**
     * Shift and scale that give every teacher channel mean 0 and variance 1; channels that hardly vary are not blown
     * up.
     */
    private static void putStatistics(FeatureStore store, Weights weights) {
        for (int i = 0; i < 3; i++) {
            float[] scale = store.deviation(i);
            double typical = 0;
            for (float d : scale) typical += d / scale.length;
            for (int k = 0; k < scale.length; k++)
                scale[k] = (float) (1 / Math.max(scale[k], Math.max(1e-3 * typical, 1e-6)));
            weights.put("teacher_norm." + i + ".shift", new Tensor(store.mean(i), scale.length));
            weights.put("teacher_norm." + i + ".scale", new Tensor(scale, scale.length));
        }
    }
}
