package io.linesight.trainer.retrieval;

import io.linesight.trainer.calibration.CheckpointFinisher.Seen;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.AbstractList;
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
    private static final int SCORED = 400;

    /**
     * Images of a product that are scored at least where some were left out of the memory: these are held in the heap.
     */
    static final int LEFT_OUT = 150;

    private final int[] folds;
    private final int[] viewFolds;
    private final int[] products;
    /** The last ones are scored by the whole memory. */
    private final List<Map<String, List<byte[]>>> frames = new ArrayList<>();

    /** Frames that are read when they are asked for: with their tiles, all of them are gigabytes. */
    private static final class Later extends AbstractList<byte[]> {
        private final List<Frame> frames = new ArrayList<>();

        @Override
        public byte[] get(int i) {
            try {
                return frames.get(i).get();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public int size() {
            return frames.size();
        }
    }

    private interface Frame {
        byte[] get() throws IOException;
    }

    /** Writes a checkpoint that remembers the images of other folds only, with their tiles, and has levels by these. */
    interface Writer {
        void write(Path draft, int fold, int[] others) throws IOException;
    }

    /**
     * @param folds of every remembered image
     * @param products of every remembered image
     * @param viewFolds of everything in the memory: the images, then their tiles
     */
    UnseenNormals(int[] folds, int[] products, int[] viewFolds) {
        this.viewFolds = viewFolds;
        this.folds = folds;
        this.products = products;
        for (int f = 0; f <= ImageGroups.FOLDS; f++) frames.add(new TreeMap<>());
    }

    /** @param names of the products */
    void addRemembered(List<String> names, RetrievalFit.Frames images) {
        for (int product = 0; product < names.size(); product++) {
            int p = product;
            int[] own = IntStream.range(0, products.length)
                    .filter(i -> products[i] == p)
                    .toArray();
            int wanted = own.length < 2 ? 0 : Math.min(own.length, SCORED);
            for (int n = 0; n < wanted; n++) {
                int image = own[(int) ((long) n * own.length / wanted)];
                add(folds[image], names.get(product), () -> images.get(image));
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
        add(alone ? ImageGroups.FOLDS : folds[nearest], product, () -> frame);
    }

    private void add(int fold, String product, Frame frame) {
        ((Later) frames.get(fold).computeIfAbsent(product, p -> new Later())).frames.add(frame);
    }

    /** What scores which; every product has an image as long as one of it was held out. */
    List<Seen> folds(Writer writer) {
        List<Seen> all = new ArrayList<>();
        for (int f = 0; f < ImageGroups.FOLDS; f++) {
            int fold = f;
            int[] others = IntStream.range(0, viewFolds.length)
                    .filter(i -> viewFolds[i] != fold)
                    .toArray();
            if (!frames.get(f).isEmpty()) all.add(new Seen(frames.get(f), draft -> writer.write(draft, fold, others)));
        }
        all.add(new Seen(frames.get(ImageGroups.FOLDS), null));
        return all;
    }
}
