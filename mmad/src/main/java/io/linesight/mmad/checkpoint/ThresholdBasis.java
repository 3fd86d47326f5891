package io.linesight.mmad.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * What a product's threshold rests on, and what is to be expected of it. Rates are shares, 0..1, of normal parts unless
 * they say otherwise; null where they are not known. They hold for parts like those given: other light, another lens or
 * another batch of material has rates of its own.
 *
 * @param method {@code quantile}, {@code evt}, {@code pooled}, {@code student} or {@code f1max}
 * @param targetFalseRejectRate normals wanted at or above the decision point
 * @param normals normal images that were not trained on
 * @param anomalous anomalous images
 * @param expectedFalseRejectRate normals at or above the decision point, as the fitted distribution has it
 * @param upperFalseRejectRate what that rate may be all the same, by counting alone: 95 % upper confidence bound
 *     (Clopper-Pearson)
 * @param expectedFailRate normals that become FAIL, with the checkpoint's review band
 * @param expectedReviewRate normals that become REVIEW
 * @param expectedMissRate share of the anomalous images given that become PASS
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ThresholdBasis(
        String method,
        double targetFalseRejectRate,
        int normals,
        int anomalous,
        Double expectedFalseRejectRate,
        Double upperFalseRejectRate,
        Double expectedFailRate,
        Double expectedReviewRate,
        Double expectedMissRate) {}
