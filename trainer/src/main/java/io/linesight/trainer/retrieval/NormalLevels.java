package io.linesight.trainer.retrieval;

import io.linesight.mmad.architecture.ImageMemory;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.PatchMemory;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.scan.NearestPatches;
import io.linesight.trainer.network.PlaceLevels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How far the patches of normal images lie from those of the others, by product and place: each image is compared as a
 * new one would be, with the memory less itself and whatever is too much like it.
 */
final class NormalLevels {
    /** Images of a product that are compared, evenly spaced. */
    private static final int MAX_IMAGES = 150;

    /**
     * Mean and deviation of the log distance where nothing can be compared: a single image in all. About what other
     * normal images have.
     */
    private static final float UNKNOWN_MEAN = (float) Math.log(0.05);

    private static final float UNKNOWN_DEVIATION = 0.5f;

    private final List<PatchMemory> strides;
    private final MeanFeatures means;
    private final int[] products;
    private final int[] groups;
    private final int @Nullable [] places;
    private final int neighbours;
    private final int threads;

    /**
     * @param products of every image
     * @param groups of every image: it is not compared with others of its group
     * @param places of every image: it is compared with others of its place only; null = all are of one place
     */
    NormalLevels(
            List<PatchMemory> strides,
            MeanFeatures means,
            int[] products,
            int[] groups,
            int @Nullable [] places,
            int neighbours,
            int threads) {
        this.places = places;
        this.strides = strides;
        this.means = means;
        this.products = products;
        this.groups = groups;
        this.neighbours = neighbours;
        this.threads = threads;
    }

    /** Per stride [P,2,S*S]. */
    List<Tensor> fit() {
        int count = Arrays.stream(products).max().orElseThrow() + 1;
        List<Tensor> levels = new ArrayList<>();
        for (PatchMemory p : strides) levels.add(new Tensor(new float[count * 2 * p.places()], count, 2, p.places()));
        List<Integer> unknown = new ArrayList<>();
        for (int product = 0; product < count; product++) if (!fit(product, levels)) unknown.add(product);
        for (int product : unknown) borrow(product, unknown, count, levels);
        return levels;
    }

    private boolean fit(int product, List<Tensor> levels) {
        int[] own = IntStream.range(0, products.length)
                .filter(i -> products[i] == product && hasOthers(i))
                .toArray();
        if (own.length == 0) return false;
        int wanted = Math.min(own.length, MAX_IMAGES);
        List<List<float[]>> logs = new ArrayList<>();
        for (int s = 0; s < ImageMemory.STRIDES; s++) logs.add(new ArrayList<>());
        for (int n = 0; n < wanted; n++) {
            int image = own[(int) ((long) n * own.length / wanted)];
            int[] compared = means.nearest(
                    image,
                    IntStream.range(0, products.length)
                            .filter(i -> groups[i] != groups[image] && (places == null || places[i] == places[image])),
                    neighbours);
            for (int s = 0; s < ImageMemory.STRIDES; s++) {
                float[] d =
                        NearestPatches.distances(strides.get(s), strides.get(s).features(image), compared, threads);
                for (int i = 0; i < d.length; i++) d[i] = (float) Math.log(d[i] + MmadConfig.MIN_DISTANCE);
                logs.get(s).add(d);
            }
        }
        for (int s = 0; s < ImageMemory.STRIDES; s++)
            PlaceLevels.fit(logs.get(s), strides.get(s).side(), levels.get(s).data(), 2 * product);
        return true;
    }

    /** Images of another product say nothing about how much alike those of a product are. */
    private boolean hasOthers(int image) {
        for (int i = 0; i < products.length; i++)
            if (products[i] == products[image] && groups[i] != groups[image]) return true;
        return false;
    }

    /** A product whose images cannot be compared gets the mean of the others' levels. */
    private static void borrow(int product, List<Integer> unknown, int count, List<Tensor> levels) {
        for (Tensor t : levels) {
            int row = t.shape()[1] * t.shape()[2];
            float[] data = t.data();
            for (int i = 0; i < row; i++) {
                double sum = 0;
                for (int p = 0; p < count; p++) if (!unknown.contains(p)) sum += data[p * row + i];
                float none = i < row / 2 ? UNKNOWN_MEAN : UNKNOWN_DEVIATION;
                data[product * row + i] = unknown.size() == count ? none : (float) (sum / (count - unknown.size()));
            }
        }
    }
}
