package io.linesight.trainer.gate;

import io.linesight.mmad.checkpoint.ProductCalibration;

/**
 * Raw scores of the same held-out images of one product by both models.
 *
 * @param product its name
 * @param knownToChampion whether the champion was calibrated on it
 * @param trainedOn whether normals of it were among the challenger's training images
 * @param champion where the champion decides (its fallback when it does not know the product)
 * @param challenger where the challenger decides
 * @param championNormals the champion's scores of the normals
 * @param challengerNormals the challenger's, in the same order
 * @param championAnomalous the champion's scores of the anomalous images
 * @param challengerAnomalous the challenger's, in the same order
 */
record ProductScores(
        String product,
        boolean knownToChampion,
        boolean trainedOn,
        ProductCalibration champion,
        ProductCalibration challenger,
        float[] championNormals,
        float[] challengerNormals,
        float[] championAnomalous,
        float[] challengerAnomalous) {
    public ProductScores {
        if (championNormals.length != challengerNormals.length
                || championAnomalous.length != challengerAnomalous.length) {
            throw new IllegalArgumentException("product " + product + ": both models must have scored the same images");
        }
    }
}
