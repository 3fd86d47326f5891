package io.linesight.trainer.fit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The order of the images in an epoch, and which copy of each the epoch takes. Both follow from the seed and the
 * epoch's number, so that a resumed run has the same. Not thread-safe.
 */
final class ImageOrder {
    private final LearnedImages images;
    private final long seed;
    private final boolean balance;
    private List<Integer> order = new ArrayList<>();

    /**
     * The order as it is before a step.
     *
     * @param perEpoch steps of an epoch
     */
    ImageOrder(LearnedImages images, long seed, boolean balance, long step, int perEpoch) {
        this.images = images;
        this.seed = seed;
        this.balance = balance;
        for (int i = 0; i < images.count(); i++) order.add(i);
        for (long epoch = 0; epoch * perEpoch < step; epoch++) begin(epoch);
    }

    /** Epochs begin one after the other: each shuffles the order of the one before. */
    void begin(long epoch) {
        SplittableRandom random = new SplittableRandom(seed * 1_000_003 + epoch);
        if (balance) order = balanced(random);
        else shuffle(order, random);
    }

    /** As many images of one category as of another: small ones come several times. */
    private List<Integer> balanced(SplittableRandom random) {
        List<List<Integer>> categories = new ArrayList<>();
        int first = 0;
        for (int size : images.sizes()) {
            List<Integer> category = new ArrayList<>();
            for (int i = 0; i < size; i++) category.add(first + i);
            shuffle(category, random);
            categories.add(category);
            first += size;
        }
        shuffle(categories, random); // the last round is not a full one
        List<Integer> even = new ArrayList<>();
        for (int i = 0; even.size() < first; i++) {
            for (List<Integer> c : categories) if (even.size() < first) even.add(c.get(i % c.size()));
        }
        shuffle(even, random);
        return even;
    }

    /**
     * The images of a step, as the feature store counts them.
     *
     * @param at step within the epoch
     */
    int[] batch(int at, int size, long epoch) {
        int[] batch = new int[size];
        for (int i = 0; i < size; i++) batch[i] = variant(order.get(at * size + i), epoch);
        return batch;
    }

    private int variant(int image, long epoch) {
        int copies = images.copies();
        if (copies == 0) return image;
        int copy = new SplittableRandom(seed * 31 + image * 1_000_003L + epoch * 7_919).nextInt(1 + copies);
        return image * (1 + copies) + copy;
    }

    private static <T> void shuffle(List<T> list, SplittableRandom random) {
        for (int i = list.size() - 1; i > 0; i--) Collections.swap(list, i, random.nextInt(i + 1));
    }
}
