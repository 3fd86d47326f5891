package io.linesight.trainer.fit;

/**
 * Raw scores of one product's pictures.
 *
 * @param normals normal pictures that were not trained on, at least one
 * @param training normal pictures that were trained on; may be empty. They score lower than others, and the pooled
 *     method measures by how much
 * @param anomalous anomalous pictures; may be empty
 */
record ProductSamples(double[] normals, double[] training, double[] anomalous) {
    private static final double[] NONE = {};

    ProductSamples {
        if (normals.length == 0) throw new IllegalArgumentException("at least one normal score is needed");
    }

    static ProductSamples normals(double... scores) {
        return new ProductSamples(scores, NONE, NONE);
    }
}
