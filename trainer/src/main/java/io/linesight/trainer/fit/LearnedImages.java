package io.linesight.trainer.fit;

import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.ImageReading;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The images learned from, by number: category after category, in the order of the spool.
 *
 * @param categories names
 * @param sizes images of each category
 * @param copies copies that the feature store holds of every image, right behind it
 */
record LearnedImages(List<String> categories, List<Integer> sizes, int copies) {
    static LearnedImages of(ImageReading.Result read, int copies) {
        return new LearnedImages(List.copyOf(read.categories()), List.copyOf(read.sizes()), copies);
    }

    /** Number of images, copies not counted. */
    int count() {
        return sizes.stream().mapToInt(Integer::intValue).sum();
    }

    /** Images and their copies. */
    int countWithCopies() {
        return count() * (1 + copies);
    }

    /** Images by number, as many of one category as of another while they last, evenly spaced within it. */
    List<Integer> spread(int perCategory) {
        List<Integer> chosen = new ArrayList<>();
        int first = 0;
        for (int size : sizes) {
            int n = Math.min(size, perCategory);
            for (int i = 0; i < n; i++) chosen.add(first + (int) ((long) i * size / n));
            first += size;
        }
        return chosen;
    }

    /** Where images lie in the feature store, without their copies. */
    int[] stored(List<Integer> chosen) {
        return chosen.stream().mapToInt(image -> image * (1 + copies)).toArray();
    }

    /** The categories of images, by number; the images must be sorted. */
    int[] categoriesOf(List<Integer> chosen) {
        int[] of = new int[chosen.size()];
        int category = 0;
        int end = sizes.get(0);
        for (int i = 0; i < of.length; i++) {
            while (chosen.get(i) >= end) end += sizes.get(++category);
            of[i] = category;
        }
        return of;
    }

    /** Frames of some images, by category; the images must be sorted. */
    Map<String, List<byte[]>> framesOf(List<Integer> chosen, FrameSpool spool) throws IOException {
        int[] of = categoriesOf(chosen);
        Map<String, List<byte[]>> frames = new TreeMap<>();
        for (int i = 0; i < of.length; i++)
            frames.computeIfAbsent(categories.get(of[i]), c -> new ArrayList<>())
                    .add(spool.get(chosen.get(i)));
        return frames;
    }
}
