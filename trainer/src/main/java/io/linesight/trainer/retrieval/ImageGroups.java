package io.linesight.trainer.retrieval;

import io.linesight.trainer.folders.DatasetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Good images that belong together, and the folds that they are left out with. An image that is left out alone still
 * finds its twin in the memory and looks far too normal.
 *
 * @param numbers of every image its group, unique over products
 * @param folds of every image its fold, 0 to {@value #FOLDS} - 1; a group is in one fold
 * @param facts by product, in the order of their numbers
 */
record ImageGroups(int[] numbers, int[] folds, List<Fact> facts) {
    static final int FOLDS = 5;

    /**
     * Images in a group of similar ones, on average: with fewer, more good images were rejected than asked for; with
     * six many more defects were missed (docs/accuracy.md).
     */
    private static final int SIMILAR = 4;
    /** Images of a product that are clustered; others go with the most similar of these. */
    private static final int MAX_CLUSTERED = 2000;
    /** Names tell groups where there are so many of them, of two images or more on average. */
    private static final int MIN_NAMED = 10;

    /**
     * What groups a product has.
     *
     * @param by what they go by in the end
     * @param images of the product
     * @param groups number of them
     */
    record Fact(GroupBy.Kind by, int images, int groups) {}

    /**
     * Groups images and deals the groups into folds, by product.
     *
     * @param names of the images
     * @param products of the images, each from 0 on
     * @throws DatasetException when a pattern finds nothing in any name
     */
    static ImageGroups of(List<String> names, int[] products, MeanFeatures means, GroupBy by) {
        if (by.kind() == GroupBy.Kind.PATTERN && names.stream().allMatch(n -> by.named(n) == null))
            throw new DatasetException("--group-by " + by.pattern()
                    + " finds nothing in the name of any image, such as " + names.get(0) + ". Nothing was written");
        int[] numbers = new int[products.length];
        int[] folds = new int[products.length];
        List<Fact> facts = new ArrayList<>();
        int next = 0;
        int count = Arrays.stream(products).max().orElseThrow() + 1;
        for (int product = 0; product < count; product++) {
            int p = product;
            int[] own = IntStream.range(0, products.length)
                    .filter(i -> products[i] == p)
                    .toArray();
            GroupBy.Kind kind = by.kind();
            int[] labels = kind == GroupBy.Kind.SIMILARITY ? null : named(names, own, by);
            if (labels == null) {
                kind = GroupBy.Kind.SIMILARITY;
                labels = similar(own, means);
            } else if (kind == GroupBy.Kind.AUTO) {
                kind = GroupBy.Kind.STEM;
            }
            int groups = Arrays.stream(labels).max().orElse(-1) + 1;
            int[] dealt = deal(labels, groups);
            for (int i = 0; i < own.length; i++) {
                numbers[own[i]] = next + labels[i];
                folds[own[i]] = dealt[labels[i]];
            }
            next += groups;
            facts.add(new Fact(kind, own.length, groups));
        }
        return new ImageGroups(numbers, folds, facts);
    }

    /** @param names of the products */
    Map<String, RetrievalResult.Groups> byProduct(List<String> names) {
        Map<String, RetrievalResult.Groups> all = new TreeMap<>();
        for (int p = 0; p < names.size(); p++) {
            Fact fact = facts.get(p);
            all.put(names.get(p), new RetrievalResult.Groups(fact.by, fact.images, fact.groups));
        }
        return all;
    }

    /** Groups by name; null where they cannot be told from the names. */
    private static int @Nullable [] named(List<String> names, int[] own, GroupBy by) {
        Map<String, Integer> known = new HashMap<>();
        int[] labels = new int[own.length];
        for (int i = 0; i < own.length; i++) {
            String name = names.get(own[i]);
            String group = by.kind() == GroupBy.Kind.NONE ? null : by.named(name);
            // What has no group is one of its own.
            labels[i] = known.computeIfAbsent(group == null ? "\n" + i : group, g -> known.size());
        }
        boolean tells = by.kind() == GroupBy.Kind.AUTO
                ? known.size() >= MIN_NAMED && 2 * known.size() <= own.length
                : known.size() > 1 || own.length == 1;
        return tells ? labels : null;
    }

    private static int[] similar(int[] own, MeanFeatures means) {
        int clustered = Math.min(own.length, MAX_CLUSTERED);
        int[] some = IntStream.range(0, clustered)
                .map(n -> own[(int) ((long) n * own.length / clustered)])
                .toArray();
        double[][] distances = new double[clustered][clustered];
        for (int i = 0; i < clustered; i++)
            for (int j = 0; j < i; j++) distances[i][j] = distances[j][i] = Math.sqrt(means.distance(some[i], some[j]));
        int groups = Math.max(Math.min(FOLDS, clustered), Math.round((float) clustered / SIMILAR));
        int[] labels = AverageLinkage.cut(distances, groups);
        if (clustered == own.length) return labels;
        return IntStream.of(own)
                .parallel()
                .map(image -> {
                    int nearest = 0;
                    for (int i = 1; i < clustered; i++)
                        if (means.distance(image, some[i]) < means.distance(image, some[nearest])) nearest = i;
                    return labels[nearest];
                })
                .toArray();
    }

    /** The fold of every group: the largest first, each into the fold that has the fewest images. */
    private static int[] deal(int[] labels, int groups) {
        int[] sizes = new int[groups];
        for (int label : labels) sizes[label]++;
        int[] load = new int[FOLDS];
        int[] folds = new int[groups];
        IntStream.range(0, groups)
                .boxed()
                .sorted((a, b) -> sizes[a] != sizes[b] ? sizes[b] - sizes[a] : a - b)
                .forEach(group -> {
                    int fold = 0;
                    for (int f = 1; f < FOLDS; f++) if (load[f] < load[fold]) fold = f;
                    folds[group] = fold;
                    load[fold] += sizes[group];
                });
        return folds;
    }
}
