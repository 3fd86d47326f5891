package io.linesight.trainer.distill;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.FolderWalk;
import io.linesight.trainer.folders.ImageFiles;
import io.linesight.trainer.folders.ReadingContext;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Photographs in memory, scaled down to at most {@value #SIDE} pixels a side. Small, flat and repeated ones are left
 * out; one in twenty is held out to measure on. Immutable once loaded; any number of threads.
 */
final class Photos {
    private static final int SIDE = 1024;
    private static final int MIN_SIDE = 96;
    private static final int HELD_OUT = 20;
    /** Standard deviation of brightness below which an image shows nothing. */
    private static final double FLAT = 4;

    private final List<RgbImage> train = new ArrayList<>();
    private final List<RgbImage> heldOut = new ArrayList<>();
    private final Map<Path, Integer> counts = new LinkedHashMap<>();
    private final ReadingContext context;
    private double[] chance;
    private long bytes;
    private int repeated;
    private int poor;
    private int unreadable;
    private int overBudget;

    private Photos(ReadingContext context) {
        this.context = context;
    }

    static Photos none() {
        return new Photos(ReadingContext.defaults());
    }

    /**
     * Reads all images below folders.
     *
     * @param wanted which, and which not; of more than its bytes what comes later, in an order drawn from the seed, is
     *     left out and counted
     * @throws DatasetException when an image is one of the excluded ones, or there is none at all
     */
    static Photos load(DistillOptions.Photographs wanted, long seed, PrintStream progress) {
        if (wanted.folders().isEmpty()) return none();
        Loader loader = new Loader(wanted);
        // They are not used, so what is left out of them is no part of the report.
        ReadingContext apart = ReadingContext.of(wanted.reading().decoding());
        for (Path folder : wanted.exclude()) {
            for (Path file : new FolderWalk(apart.report()).withoutTruth(folder)) loader.exclude(file, apart);
        }
        loader.offerAll(found(wanted.folders(), loader.photos, seed), progress);
        if (loader.photos.train.isEmpty())
            throw new DatasetException("no usable photograph (PNG, JPEG, BMP, TIFF, WebP or GIF, at least " + MIN_SIDE
                    + " pixels a side) below " + wanted.folders());
        loader.photos.weigh();
        return loader.photos;
    }

    private record Found(Path folder, Path file) {}

    private static List<Found> found(List<Path> folders, Photos photos, long seed) {
        List<Found> files = new ArrayList<>();
        for (Path folder : folders) {
            photos.counts.put(folder, 0);
            for (Path file : new FolderWalk(photos.context.report()).withoutTruth(folder))
                files.add(new Found(folder, file));
        }
        Collections.shuffle(files, new Random(seed));
        return files;
    }

    /** A large image holds more to see than a small one, though not in proportion to its area. */
    private void weigh() {
        chance = new double[train.size()];
        double sum = 0;
        for (int i = 0; i < chance.length; i++)
            chance[i] = sum +=
                    Math.sqrt((double) train.get(i).width() * train.get(i).height());
    }

    /** What is known while photographs are read: which were kept, and which must not come in. */
    private static final class Loader {
        private record Excluded(ImageHash hash, Path file) {}

        private static final long PROGRESS_NANOS = 10_000_000_000L;

        private final Photos photos;
        private final List<Excluded> excluded = new ArrayList<>();
        private final Set<String> pixels = new HashSet<>();
        private final List<ImageHash> kept = new ArrayList<>();
        private final long budget;

        Loader(DistillOptions.Photographs wanted) {
            photos = new Photos(wanted.reading());
            budget = wanted.maxBytes();
        }

        void exclude(Path file, ReadingContext apart) {
            try {
                excluded.add(
                        new Excluded(ImageHash.of(ImageFiles.image(file, apart).read()), file));
            } catch (IOException | BadImageException e) {
                throw new DatasetException(
                        "the image " + file
                                + " to exclude cannot be read, so nobody can tell whether it is among the "
                                + "photographs: "
                                + e.getMessage(),
                        e);
            }
        }

        void offerAll(List<Found> files, PrintStream progress) {
            long last = System.nanoTime();
            for (int i = 0; i < files.size(); i++) {
                if (System.nanoTime() - last > PROGRESS_NANOS) {
                    last = System.nanoTime();
                    progress.printf(Locale.ROOT, "photographs: %d of %d read%n", i, files.size());
                }
                offer(files.get(i));
            }
        }

        private void offer(Found found) {
            RgbImage image;
            try {
                image = ImageFiles.image(found.file, photos.context).read();
            } catch (IOException | BadImageException e) {
                photos.unreadable++;
                return;
            }
            if (Math.min(image.width(), image.height()) < MIN_SIDE) {
                photos.poor++;
                return;
            }
            ImageHash hash = ImageHash.of(image);
            rejectExcluded(hash, found.file);
            RgbImage small = shrink(image);
            if (deviation(small) < FLAT) {
                photos.poor++;
            } else if (!pixels.add(hash.pixels()) || kept.stream().anyMatch(hash::same)) {
                photos.repeated++;
            } else if (photos.bytes + small.rgb().length > budget) {
                photos.overBudget++;
            } else {
                keep(found, small, hash);
            }
        }

        private void rejectExcluded(ImageHash hash, Path file) {
            for (Excluded other : excluded) {
                if (hash.same(other.hash)) {
                    throw new DatasetException("the photograph " + file + " is the image " + other.file
                            + " that must not be learned from: take it out of the folder");
                }
            }
        }

        private void keep(Found found, RgbImage small, ImageHash hash) {
            kept.add(hash);
            photos.bytes += small.rgb().length;
            photos.counts.merge(found.folder, 1, Integer::sum);
            (kept.size() % HELD_OUT == 0 ? photos.heldOut : photos.train).add(small);
        }
    }

    boolean isEmpty() {
        return train.isEmpty();
    }

    /** One at random; a held-out one when asked for and there is any. */
    RgbImage any(SplittableRandom r, boolean fromHeldOut) {
        if (fromHeldOut && !heldOut.isEmpty()) return heldOut.get(r.nextInt(heldOut.size()));
        double at = r.nextDouble() * chance[chance.length - 1];
        int i = java.util.Arrays.binarySearch(chance, at);
        return train.get(Math.min(chance.length - 1, i < 0 ? -i - 1 : i + 1));
    }

    int size() {
        return train.size() + heldOut.size();
    }

    /** Photographs that are only measured on. */
    int heldOut() {
        return heldOut.size();
    }

    /** Photographs kept per folder. */
    Map<Path, Integer> counts() {
        return counts;
    }

    /** What became of the files; with a line end. */
    String files() {
        return context.report().text();
    }

    String summary() {
        return String.format(
                Locale.ROOT,
                "%d photographs kept (%d held out, %.2f GB of pixels); left out: %d repeated, %d too small or flat, "
                        + "%d unreadable, %d over the memory budget",
                size(),
                heldOut.size(),
                bytes / 1e9,
                repeated,
                poor,
                unreadable,
                overBudget);
    }

    private static double deviation(RgbImage image) {
        double sum = 0;
        double squares = 0;
        int n = 0;
        for (int i = 1; i < image.rgb().length; i += 3 * 7) {
            int v = image.rgb()[i] & 255;
            sum += v;
            squares += v * v;
            n++;
        }
        return Math.sqrt(Math.max(0, squares / n - (sum / n) * (sum / n)));
    }

    /** The mean over the pixels that fall on each new one. */
    static RgbImage shrink(RgbImage image) {
        int side = Math.max(image.width(), image.height());
        if (side <= SIDE) return image;
        int w = Math.max(1, (int) Math.round((double) image.width() * SIDE / side));
        int h = Math.max(1, (int) Math.round((double) image.height() * SIDE / side));
        byte[] out = new byte[3 * w * h];
        for (int y = 0; y < h; y++) {
            int y0 = (int) ((long) y * image.height() / h);
            int y1 = Math.max(y0 + 1, (int) ((long) (y + 1) * image.height() / h));
            for (int x = 0; x < w; x++) {
                int x0 = (int) ((long) x * image.width() / w);
                int x1 = Math.max(x0 + 1, (int) ((long) (x + 1) * image.width() / w));
                int n = (y1 - y0) * (x1 - x0);
                for (int c = 0; c < 3; c++) {
                    int sum = n / 2;
                    for (int v = y0; v < y1; v++)
                        for (int u = x0; u < x1; u++) sum += image.rgb()[3 * (v * image.width() + u) + c] & 255;
                    out[3 * (y * w + x) + c] = (byte) (sum / n);
                }
            }
        }
        return new RgbImage(w, h, out);
    }
}
