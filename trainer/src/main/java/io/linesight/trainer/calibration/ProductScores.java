package io.linesight.trainer.calibration;

/**
 * Raw scores of one product's images.
 *
 * @param normals normal images that were not trained on, at least one
 * @param training normal images that were trained on; may be empty. They score lower than others, and the pooled method
 *     measures by how much
 * @param anomalous anomalous images; may be empty
 * @param groups of the normals that belong together, such as images of one part: so many are independent. 0 where
 *     nobody knows, and every image counts. Where they are known the scores are deviations of logarithms, and nothing
 *     was trained
 * @param exact whether images of a group are as good as one
 */
record ProductScores(double[] normals, double[] training, double[] anomalous, int groups, boolean exact) {
    private static final double[] NONE = {};

    ProductScores {
        if (normals.length == 0) throw new IllegalArgumentException("at least one normal score is needed");
    }

    ProductScores(double[] normals, double[] training, double[] anomalous) {
        this(normals, training, anomalous, 0, false);
    }

    static ProductScores grouped(double[] normals, Groups groups) {
        return new ProductScores(normals, NONE, NONE, Math.min(groups.count(), normals.length), groups.exact());
    }

    boolean isGrouped() {
        return groups > 0;
    }

    /** How many of the normals say how the tail falls. */
    int independent() {
        return isGrouped() ? groups : normals.length;
    }

    /** How many of them say where the middle lies, and how they spread about it. */
    int independentForSpread() {
        return exact ? groups : normals.length;
    }

    static ProductScores normals(double... scores) {
        return new ProductScores(scores, NONE, NONE);
    }
}
