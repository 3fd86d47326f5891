package io.linesight.trainer.retrieval;

import io.linesight.trainer.calibration.CheckpointFinisher.Seen;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Normal images that are to be scored as new ones, by the fold of the memory that is left out for it. Thresholds rest
 * on these scores: a memory knows its own images by heart, and those that were held out nearly as well where the same
 * part was taken twice. Not thread-safe.
 */
final class UnseenNormals {
    /** Images of a product that are scored, of those to learn from, evenly spaced. */
    static final int SCORED = 150;

    private final int[] folds;
    private final int[] products;
    /** The last ones are scored by the whole memory. */
    private final List<Map<String, List<byte[]>>> frames = new ArrayList<>();

    /** Writes a checkpoint that remembers some of the images only. */
    interface Writer {
        void write(Path draft, int[] images) throws IOException;
    }

    /**
     * @param folds of every remembered image
     * @param products of every remembered image
     */
    UnseenNormals(int[] folds, int[] products) {
        this.folds = folds;
        this.products = products;
        for (int f = 0; f <= Folds.COUNT; f++) frames.add(new TreeMap<>());
    }

    /** @param names of the products */
    void addRemembered(List<String> names, RetrievalFit.Frames images) throws IOException {
        for (int product = 0; product < names.size(); product++) {
            int p = product;
            int[] own = IntStream.range(0, products.length)
                    .filter(i -> products[i] == p)
                    .toArray();
            int wanted = own.length < 2 ? 0 : Math.min(own.length, SCORED);
            for (int n = 0; n < wanted; n++) {
                int image = own[(int) ((long) n * own.length / wanted)];
                add(folds[image], names.get(product), images.get(image));
            }
        }
    }

    /**
     * An image that is not remembered.
     *
     * @param nearest the remembered image that it is most like; it may show the same part, and is left out with it
     */
    void addOther(String product, byte[] frame, int nearest) {
        boolean alone =
                IntStream.of(products).filter(p -> p == products[nearest]).count() < 2;
        add(alone ? Folds.COUNT : folds[nearest], product, frame);
    }

    private void add(int fold, String product, byte[] frame) {
        frames.get(fold).computeIfAbsent(product, p -> new ArrayList<>()).add(frame);
    }

    /** What scores which; every product has an image as long as one of it was held out. */
    List<Seen> folds(Writer writer) {
        List<Seen> all = new ArrayList<>();
        for (int f = 0; f < Folds.COUNT; f++) {
            int fold = f;
            int[] others = IntStream.range(0, folds.length)
                    .filter(i -> folds[i] != fold)
                    .toArray();
            if (!frames.get(f).isEmpty()) all.add(new Seen(frames.get(f), draft -> writer.write(draft, others)));
        }
        all.add(new Seen(frames.get(Folds.COUNT), null));
        return all;
    }
}
