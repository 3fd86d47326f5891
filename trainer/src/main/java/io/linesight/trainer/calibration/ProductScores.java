package io.linesight.trainer.calibration;

/**
 * Raw scores of one product's images.
 *
 * @param normals normal images that were not trained on, at least one
 * @param training normal images that were trained on; may be empty. They score lower than others, and the pooled method
 *     measures by how much
 * @param anomalous anomalous images; may be empty
 */
record ProductScores(double[] normals, double[] training, double[] anomalous) {
    private static final double[] NONE = {};

    ProductScores {
        if (normals.length == 0) throw new IllegalArgumentException("at least one normal score is needed");
    }

    static ProductScores normals(double... scores) {
        return new ProductScores(scores, NONE, NONE);
    }
}
