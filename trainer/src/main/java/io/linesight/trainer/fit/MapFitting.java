package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.features.FeatureStore;
import io.linesight.trainer.network.Expectation;
import io.linesight.trainer.network.MmadNet;
import io.linesight.trainer.network.Parameters;
import io.linesight.trainer.network.Whitening;
import io.linesight.trainer.torch.Torch;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Puts what the anomaly map needs to know of normal images into the weights. */
final class MapFitting {
    /**
     * Normal images that the expected distances are fitted on: 800,000 pixels at the finest scale for some 300
     * unknowns.
     */
    private static final int EXPECTATION_IMAGES = 200;
    /** Normal images that covariances are fitted on: of a single category all of them, of five a hundred each. */
    private static final int WHITENING_IMAGES = 500;

    private static final int MIN_WHITENING_IMAGES = 20;

    /**
     * Images that were trained on, and the tensors by which to score them where they differ from the model's.
     *
     * @param images by number, sorted
     */
    record Judge(List<Integer> images, Map<String, Tensor> tensors) {}

    private MapFitting() {}

    /**
     * Fits the map.
     *
     * @param weights of the trained network; what the map needs is put in
     * @return what scores images that were trained on
     */
    static List<Judge> fit(
            MmadConfig config, Weights weights, FeatureStore store, LearnedImages images, long seed, PrintStream out) {
        // Not a matter of speed: this wants the host's solver.
        Torch.useCpu();
        int categories = images.sizes().size();
        List<Integer> scored = images.spread(CheckpointFinisher.worthScoring(categories));
        if (config.map() == MapKind.COSINE) return List.of(new Judge(scored, Map.of()));
        try (Parameters parameters = new Parameters(ParameterSpecs.of(config), weights);
                MmadNet net = new MmadNet(config, parameters);
                Progress progress = new Progress(out, "finish")) {
            progress.say("fitting what distances to expect on normal images");
            if (config.map() == MapKind.STANDARDISED) {
                int[] normals = images.stored(images.spread(Math.max(1, EXPECTATION_IMAGES / categories)));
                Expectation.fit(net, config, i -> store.batch(new int[] {normals[i]}), normals.length, seed, weights);
                return List.of(new Judge(scored, Map.of()));
            }
            List<Integer> chosen = images.spread(Math.max(MIN_WHITENING_IMAGES, WHITENING_IMAGES / categories));
            int[] normals = images.stored(chosen);
            Whitening.LeftOut left = Whitening.fit(
                    net, config, i -> store.batch(new int[] {normals[i]}), images.categoriesOf(chosen), weights);
            return judges(chosen, left, scored);
        }
    }

    /** Every image by the fold that it was left out of; those that the map was not fitted on by the model itself. */
    private static List<Judge> judges(List<Integer> fitted, Whitening.LeftOut left, List<Integer> scored) {
        Map<Integer, Integer> foldOf = new HashMap<>();
        for (int i = 0; i < fitted.size(); i++) foldOf.put(fitted.get(i), left.foldOf()[i]);
        List<Judge> judges = new ArrayList<>();
        for (int f = -1; f < left.tensors().size(); f++) {
            int fold = f;
            List<Integer> own = scored.stream()
                    .filter(image -> foldOf.getOrDefault(image, -1) == fold)
                    .toList();
            judges.add(new Judge(own, f < 0 ? Map.of() : left.tensors().get(f)));
        }
        return judges;
    }
}
