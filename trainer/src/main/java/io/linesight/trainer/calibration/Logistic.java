package io.linesight.trainer.calibration;

/**
 * Logistic regression of one parameter: how many raw units a logit has, with the decision point where it is. Our own,
 * since a search over 121 scales is shorter than any library's fit and cannot diverge.
 */
final class Logistic {
    /**
     * The fit may leave the normals' own scale by this factor; perfectly separated scores would want no scale at all.
     */
    private static final double MAX_FACTOR = 4;

    private static final int STEPS = 60;

    private Logistic() {}

    /**
     * Both kinds weigh the same however many there are of each, and the normals' own scale counts as one observation.
     *
     * @param usual scale by the normals alone
     */
    static double scale(double[] normals, double[] anomalous, double threshold, double usual) {
        double best = usual;
        double lowest = Double.POSITIVE_INFINITY;
        for (int i = -STEPS; i <= STEPS; i++) {
            double farther = Math.log(MAX_FACTOR) * i / STEPS;
            double scale = usual * Math.exp(farther);
            double loss = loss(normals, threshold, scale, 1)
                    + loss(anomalous, threshold, scale, -1)
                    + farther * farther / Math.min(normals.length, anomalous.length);
            if (loss < lowest) {
                lowest = loss;
                best = scale;
            }
        }
        return best;
    }

    private static double loss(double[] scores, double threshold, double scale, int sign) {
        double sum = 0;
        for (double s : scores) {
            double logit = sign * (s - threshold) / scale;
            sum += logit > 30 ? logit : Math.log1p(Math.exp(logit));
        }
        return sum / scores.length;
    }
}
