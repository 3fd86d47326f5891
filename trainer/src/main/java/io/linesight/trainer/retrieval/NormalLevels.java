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
 * new one would be, with the memory less all images of its fold.
 */
final class NormalLevels {
    /** Images of a product that are compared, evenly spaced. */
    private static final int MAX_IMAGES = 400;

    /**
     * Mean and deviation of the log distance where nothing can be compared: a single image in all. About what other
     * normal images have.
     */
    private static final float UNKNOWN_MEAN = (float) Math.log(0.05);

    private static final float UNKNOWN_DEVIATION = 0.5f;

    private final List<PatchMemory> strides;
    private final MeanFeatures means;
    private final int[] products;
    private final int[] folds;
    private final int @Nullable [] places;
    private final int neighbours;
    private final int threads;
    private final List<Compared> compared = new ArrayList<>();

    /** An image's log distances to those of other folds, by stride. */
    private record Compared(int image, List<float[]> logs) {}

    /**
     * Compares.
     *
     * @param products of every image
     * @param folds of every image: it is not compared with others of its fold
     * @param places of every image: it is compared with others of its place only; null = all are of one place
     */
    NormalLevels(
            List<PatchMemory> strides,
            MeanFeatures means,
            int[] products,
            int[] folds,
            int @Nullable [] places,
            int neighbours,
            int threads) {
        this.places = places;
        this.strides = strides;
        this.means = means;
        this.products = products;
        this.folds = folds;
        this.neighbours = neighbours;
        this.threads = threads;
        int count = Arrays.stream(products).max().orElseThrow() + 1;
        for (int product = 0; product < count; product++) compare(product);
    }

    /** By all images, per stride [P,2,S*S]. */
    List<Tensor> fit() {
        return without(-1);
    }

    /**
     * The same by the images of the other folds: those that a score was placed by lie closer to it than new ones do. A
     * product that has no others gets those of all its images.
     */
    List<Tensor> without(int fold) {
        int count = Arrays.stream(products).max().orElseThrow() + 1;
        List<Tensor> levels = new ArrayList<>();
        for (PatchMemory p : strides) levels.add(new Tensor(new float[count * 2 * p.places()], count, 2, p.places()));
        List<Integer> unknown = new ArrayList<>();
        for (int product = 0; product < count; product++) if (!fit(product, fold, levels)) unknown.add(product);
        for (int product : unknown) borrow(product, unknown, count, levels);
        return levels;
    }

    private boolean fit(int product, int withoutFold, List<Tensor> levels) {
        List<Compared> own =
                compared.stream().filter(c -> products[c.image] == product).toList();
        if (own.isEmpty()) return false;
        List<Compared> others =
                own.stream().filter(c -> folds[c.image] != withoutFold).toList();
        List<Compared> used = others.isEmpty() ? own : others;
        for (int s = 0; s < ImageMemory.STRIDES; s++) {
            int stride = s;
            PlaceLevels.fit(
                    used.stream().map(c -> c.logs.get(stride)).toList(),
                    strides.get(s).side(),
                    levels.get(s).data(),
                    2 * product);
        }
        return true;
    }

    private void compare(int product) {
        int[] own = IntStream.range(0, products.length)
                .filter(i -> products[i] == product && hasOthers(i))
                .toArray();
        int wanted = Math.min(own.length, MAX_IMAGES);
        for (int n = 0; n < wanted; n++) {
            int image = own[(int) ((long) n * own.length / wanted)];
            int[] others = means.nearest(
                    image,
                    IntStream.range(0, products.length)
                            .filter(i -> folds[i] != folds[image] && (places == null || places[i] == places[image])),
                    neighbours);
            List<float[]> logs = new ArrayList<>();
            for (PatchMemory stride : strides) {
                float[] d = NearestPatches.distances(stride, stride.features(image), others, threads);
                for (int i = 0; i < d.length; i++) d[i] = (float) Math.log(d[i] + MmadConfig.MIN_DISTANCE);
                logs.add(d);
            }
            compared.add(new Compared(image, logs));
        }
    }

    /** Images of another product say nothing about how much alike those of a product are. */
    private boolean hasOthers(int image) {
        for (int i = 0; i < products.length; i++)
            if (products[i] == products[image] && folds[i] != folds[image]) return true;
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
