package io.linesight.trainer.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class WhiteningTest {
    private static final MmadConfig CONFIG = MmadConfig.preset("tiny", List.of(4, 6, 8))
            .withMap(MapKind.WHITENED)
            .withFinest(1)
            .withGroups(2);

    @BeforeAll
    static void start() {
        Torch.start(2);
    }

    /** The network's imitation is that of random weights: what is whitened does not matter here. */
    private static Whitening.LeftOut fit(List<float[][]> images, int[] groupOf, Weights weights) {
        try (Parameters p = new Parameters(ParameterSpecs.of(CONFIG), weights);
                MmadNet net = new MmadNet(CONFIG, p)) {
            return Whitening.fit(
                    net,
                    CONFIG,
                    i -> {
                        List<org.bytedeco.pytorch.Tensor> features = new ArrayList<>();
                        for (int s = 0; s < 3; s++)
                            features.add(Torch.of(
                                    images.get(i)[s],
                                    1,
                                    (64 >> s) * (64 >> s),
                                    CONFIG.encoderChannels().get(s)));
                        return features;
                    },
                    groupOf,
                    weights);
        }
    }

    private static float[][] image(long seed) {
        Random r = new Random(seed);
        float[][] scales = new float[3][];
        for (int s = 0; s < 3; s++) {
            scales[s] =
                    new float[(64 >> s) * (64 >> s) * CONFIG.encoderChannels().get(s)];
            for (int i = 0; i < scales[s].length; i++) scales[s][i] = (float) r.nextGaussian();
        }
        return scales;
    }

    @Test
    void shouldJudgeAFoldsImagesByTheOthersOnly() {
        int[] groupOf = {0, 0, 0, 0, 0, 0, 1, 1, 1};
        List<float[][]> images = new ArrayList<>();
        for (int i = 0; i < groupOf.length; i++) images.add(image(i));
        Weights first = Initializer.fresh(ParameterSpecs.of(CONFIG), 3);
        Whitening.LeftOut before = fit(images, groupOf, first);
        assertThat(before.foldOf()).containsExactly(0, 1, 2, 3, 4, 0, 0, 1, 2);

        // Image 1 alone is in the second fold of the first group.
        for (float[] scale : images.get(1)) for (int i = 0; i < scale.length; i++) scale[i] *= 5;
        Weights second = Initializer.fresh(ParameterSpecs.of(CONFIG), 3);
        Whitening.LeftOut after = fit(images, groupOf, second);
        for (int s = 1; s < 3; s++) {
            String matrix = "anomaly_map." + s + ".whiten.matrix";
            int own = CONFIG.encoderChannels().get(s) * CONFIG.encoderChannels().get(s);
            float[] with = Arrays.copyOf(after.tensors().get(1).get(matrix).data(), own);
            float[] without = Arrays.copyOf(before.tensors().get(1).get(matrix).data(), own);
            for (int i = 0; i < own; i++)
                assertThat(with[i])
                        .as(matrix + " without the image")
                        .isCloseTo(without[i], within(1e-4f * Math.max(1, Math.abs(without[i]))));
            assertThat(largest(after.tensors().get(0).get(matrix).data(), own))
                    .as("other folds know it")
                    .isLessThan(
                            0.95f * largest(before.tensors().get(0).get(matrix).data(), own));
            assertThat(largest(second.get(matrix).data(), own))
                    .as("and so does the model")
                    .isLessThan(0.95f * largest(first.get(matrix).data(), own));
        }
    }

    private static float largest(float[] values, int first) {
        float max = 0;
        for (int i = 0; i < first; i++) max = Math.max(max, Math.abs(values[i]));
        return max;
    }

    @Test
    void shouldLeaveOutNothingWhereThereIsOneImage() {
        Weights weights = Initializer.fresh(ParameterSpecs.of(CONFIG), 3);
        Whitening.LeftOut left = fit(List.of(image(1), image(2), image(3)), new int[] {0, 1, 1}, weights);
        assertThat(left.foldOf()).containsExactly(-1, 0, 1);
        for (int s = 1; s < 3; s++)
            for (float v : weights.get("anomaly_map." + s + ".levels").data())
                assertThat(v).isFinite();
    }

    @Test
    void shouldExpectMoreWhereNormalImagesHaveMoreAndTheMoreTheMoreImagesSaySo() {
        double few = corner(3);
        double many = corner(300);
        // The corner's 3x3 mean, the border's values standing in for what is beyond it, is 4/9 of 9.
        assertThat(many).isCloseTo((4 - 9.0 / 64) * 300 / 330, within(0.05));
        assertThat(few).isCloseTo((4 - 9.0 / 64) * 3 / 33, within(0.1));
    }

    /** Mean expected in a corner where normal images have 9 and elsewhere -1 to 1. */
    private static double corner(int images) {
        int side = 8;
        Random r = new Random(5);
        List<float[]> logs = new ArrayList<>();
        for (int n = 0; n < images; n++) {
            float[] p = new float[side * side];
            for (int i = 0; i < p.length; i++) p[i] = r.nextFloat() * 2 - 1;
            p[0] = 9;
            logs.add(p);
        }
        float[] levels = new float[2 * side * side];
        PlaceLevels.fit(logs, side, levels, 0);
        double all = 9.0 / 64;
        for (int i = 0; i < side * side; i++) {
            assertThat((double) levels[i])
                    .as("never less than the whole image's")
                    .isGreaterThan(all - 0.1);
            assertThat(levels[side * side + i]).isPositive();
        }
        return levels[0] - all;
    }
}
