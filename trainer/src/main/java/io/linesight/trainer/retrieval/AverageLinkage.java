package io.linesight.trainer.retrieval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Hierarchical clustering by the mean distance between members (UPGMA), by nearest-neighbour chains: time and memory
 * grow with the square of the number of points.
 */
final class AverageLinkage {
    private final double[][] distances;
    private final int[] sizes;
    private final List<Merge> merges = new ArrayList<>();

    /** Two clusters, each named by one of its points, become one. */
    private record Merge(int a, int b, double distance) {}

    private AverageLinkage(double[][] distances) {
        this.distances = distances;
        sizes = new int[distances.length];
        Arrays.fill(sizes, 1);
    }

    /**
     * Divides points into clusters.
     *
     * @param distances [N][N], symmetric; overwritten
     * @param clusters 1..N
     * @return of every point its cluster's number, from 0 in the order of their first points
     */
    static int[] cut(double[][] distances, int clusters) {
        AverageLinkage linkage = new AverageLinkage(distances);
        linkage.merge();
        return linkage.labels(clusters);
    }

    private void merge() {
        int n = distances.length;
        int[] chain = new int[n];
        int length = 0;
        for (int left = n; left > 1; ) {
            if (length == 0) chain[length++] = first();
            int tip = chain[length - 1];
            int nearest = nearest(tip, length > 1 ? chain[length - 2] : -1);
            if (length > 1 && nearest == chain[length - 2]) {
                length -= 2;
                merge(Math.min(tip, nearest), Math.max(tip, nearest));
                left--;
            } else {
                chain[length++] = nearest;
            }
        }
    }

    private int first() {
        int i = 0;
        while (sizes[i] == 0) i++;
        return i;
    }

    /** INVARIANT: of equally near ones the one before in the chain, or the chain would never end. */
    private int nearest(int point, int preferred) {
        int nearest = preferred;
        double least = preferred < 0 ? Double.POSITIVE_INFINITY : distances[point][preferred];
        for (int i = 0; i < sizes.length; i++) {
            if (i == point || sizes[i] == 0 || !(distances[point][i] < least)) continue;
            least = distances[point][i];
            nearest = i;
        }
        return nearest;
    }

    private void merge(int a, int b) {
        merges.add(new Merge(a, b, distances[a][b]));
        for (int i = 0; i < sizes.length; i++) {
            if (i == a || i == b || sizes[i] == 0) continue;
            double mean = (sizes[a] * distances[a][i] + sizes[b] * distances[b][i]) / (sizes[a] + sizes[b]);
            distances[a][i] = mean;
            distances[i][a] = mean;
        }
        sizes[a] += sizes[b];
        sizes[b] = 0;
    }

    private int[] labels(int clusters) {
        int n = sizes.length;
        int[] parent = new int[n];
        for (int i = 0; i < n; i++) parent[i] = i;
        merges.sort(Comparator.comparingDouble(Merge::distance));
        for (Merge m : merges.subList(0, n - clusters)) parent[root(parent, m.b)] = root(parent, m.a);
        int[] numbers = new int[n];
        Arrays.fill(numbers, -1);
        int next = 0;
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            int root = root(parent, i);
            if (numbers[root] < 0) numbers[root] = next++;
            labels[i] = numbers[root];
        }
        return labels;
    }

    private static int root(int[] parent, int i) {
        while (parent[i] != i) i = parent[i];
        return i;
    }
}
