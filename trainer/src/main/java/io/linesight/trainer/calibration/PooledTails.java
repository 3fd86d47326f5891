package io.linesight.trainer.calibration;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/**
 * Tails of products with few normals of their own. The scores' logarithms are taken to have much the same shape for all
 * products, and a location and a spread of each. Of a product there are a few normals that were not trained on and many
 * that were: the many tell location and spread, the few by how much training lowered them. Both corrections, and the
 * spread where nothing was trained on, are drawn towards what they are on the other products, the more the fewer the
 * product's own images (random effects by the method of moments). What stays uncertain widens the bound as Student's t
 * does, so that a product that stands alone with {@code n} normals gets Student's bound with {@code n - 1} degrees of
 * freedom.
 */
final class PooledTails {
    private static final int MIN_TRAINING = 8;
    /** Standardised scores from which on their own shape is taken, and not the normal distribution's. */
    private static final int MIN_SHAPE = 50;
    /** The same of a single product, and how many make it half its own shape. */
    private static final int MIN_OWN_SHAPE = 20;

    private static final double HALF_OWN_SHAPE = 20;
    /** Shape of the normal distribution's tail where one in seven lies above; logarithms of maxima are much like it. */
    private static final double LOGARITHMS_SHAPE = -0.15;
    /**
     * Products differ at least so much, whatever the few at hand say: in standard deviations, and in the logarithm of
     * the spread.
     */
    private static final double MIN_SHIFT_APART = 0.2;

    private static final double MIN_RATIO_APART = 0.1;
    private static final double MIN_SPREAD_APART = 0.3;

    private PooledTails() {}

    /**
     * Location, spread and how uncertain they are; the variances are of the location in spreads and of the spread's
     * logarithm.
     */
    private record Place(double location, double spread, double locationVariance, double spreadVariance) {}

    static Map<String, Tail> tails(Map<String, ProductScores> products) {
        boolean log = products.values().stream()
                .flatMapToDouble(p -> DoubleStream.concat(Arrays.stream(p.normals()), Arrays.stream(p.training())))
                .allMatch(d -> d > Tail.MIN_LOGARITHM);
        Map<String, Summary> own = new TreeMap<>();
        Map<String, Summary> trained = new TreeMap<>();
        products.forEach((name, p) -> {
            own.put(name, Summary.of(logs(p.normals(), log)));
            Summary t = p.training().length < MIN_TRAINING ? null : Summary.of(logs(p.training(), log));
            if (t != null && t.spread > 0) trained.put(name, t);
        });
        Map<String, Place> places = places(own, trained);
        Map<String, double[]> standard = new TreeMap<>();
        products.forEach((name, p) -> standard.put(name, standardised(name, p, own, trained, places, log)));
        double[] all =
                standard.values().stream().flatMapToDouble(Arrays::stream).toArray();
        Tail common = all.length < MIN_SHAPE ? Tail.normal() : Tail.pareto(all, LOGARITHMS_SHAPE, false);
        Map<String, Tail> tails = new TreeMap<>();
        places.forEach((name, p) -> tails.put(name, tail(p, shape(standard.get(name), common), log)));
        return tails;
    }

    /**
     * The product's own as far as its images tell it: on some products normal scores end soon, on others a few stand
     * far out.
     */
    private static Tail shape(double[] standard, Tail common) {
        if (standard.length < MIN_OWN_SHAPE) return common;
        Tail own = Tail.pareto(standard, LOGARITHMS_SHAPE, false);
        double share = standard.length / (standard.length + HALF_OWN_SHAPE);
        return rate -> share * own.quantile(rate) + (1 - share) * common.quantile(rate);
    }

    private static Tail tail(Place p, Tail shape, boolean log) {
        double freedom = 1 / (2 * Math.max(p.spreadVariance, 1e-9));
        double wider = Math.sqrt(1 + p.locationVariance);
        return rate -> {
            double ratio = rate > 0.4
                    ? 1
                    : Math.min(3, Distributions.studentQuantile(rate, freedom) / Distributions.normalQuantile(rate));
            double x = p.location + shape.quantile(rate) * ratio * wider * p.spread;
            return log ? Math.exp(x) : x;
        };
    }

    private static Map<String, Place> places(Map<String, Summary> own, Map<String, Summary> trained) {
        Map<String, Place> places = new TreeMap<>();
        placeTrained(own, trained, places);
        placeOthers(own, trained, places);
        return places;
    }

    /** Products that were trained on: the many training images, corrected by how much training lowered the scores. */
    private static void placeTrained(
            Map<String, Summary> own, Map<String, Summary> trained, Map<String, Place> places) {
        List<String> names = List.copyOf(trained.keySet());
        Shrunk shift = new Shrunk(MIN_SHIFT_APART);
        Shrunk ratio = new Shrunk(MIN_RATIO_APART);
        for (String name : names) {
            Summary t = trained.get(name);
            Summary h = own.get(name);
            shift.add((h.location - t.location) / t.spread, 1.0 / h.n + 1.0 / t.n);
            if (h.spread > 0) ratio.add(h.logSpread() - t.logSpread(), h.logSpreadVariance() + t.logSpreadVariance());
            else ratio.addUnknown();
        }
        for (int i = 0; i < names.size(); i++) {
            Summary t = trained.get(names.get(i));
            double spread = Math.exp(t.logSpread() + ratio.value(i));
            // In spreads of the new images.
            double unit = t.spread / spread;
            places.put(
                    names.get(i),
                    new Place(
                            t.location + shift.value(i) * t.spread,
                            spread,
                            shift.variance(i) * unit * unit,
                            ratio.variance(i)));
        }
    }

    /** Products that nothing was trained on: their own location, and a spread drawn towards that of the others. */
    private static void placeOthers(Map<String, Summary> own, Map<String, Summary> trained, Map<String, Place> places) {
        List<String> alone =
                own.keySet().stream().filter(name -> !trained.containsKey(name)).toList();
        Shrunk spreads = new Shrunk(MIN_SPREAD_APART);
        for (String name : alone) {
            Summary h = own.get(name);
            if (h.spread > 0) spreads.add(h.logSpread(), h.logSpreadVariance());
            else spreads.addUnknown();
        }
        for (int i = 0; i < alone.size(); i++) {
            Summary h = own.get(alone.get(i));
            double spread = spreads.none() ? Math.max(0.1 * Math.abs(h.location), 1e-6) : Math.exp(spreads.value(i));
            places.put(
                    alone.get(i), new Place(h.location, spread, 1.0 / h.n, spreads.none() ? 0.5 : spreads.variance(i)));
        }
    }

    /**
     * What a product tells about the shape. The few normals of its own would look the more alike the fewer they are,
     * standardised by themselves.
     */
    private static double[] standardised(
            String name,
            ProductScores p,
            Map<String, Summary> own,
            Map<String, Summary> trained,
            Map<String, Place> places,
            boolean log) {
        Place place = places.get(name);
        Summary t = trained.get(name);
        DoubleStream fresh = t == null && own.get(name).n < 20
                ? DoubleStream.empty()
                : Arrays.stream(logs(p.normals(), log)).map(x -> (x - place.location) / place.spread);
        return (t == null
                        ? fresh
                        : DoubleStream.concat(
                                fresh, Arrays.stream(logs(p.training(), log)).map(x -> (x - t.location) / t.spread)))
                .toArray();
    }

    private static double[] logs(double[] scores, boolean log) {
        return log ? Arrays.stream(scores).map(Math::log).toArray() : scores;
    }

    /** Mean and standard deviation of some scores. */
    private record Summary(int n, double location, double spread) {
        static Summary of(double[] x) {
            double mean = Arrays.stream(x).average().orElseThrow();
            double variance = x.length < 2
                    ? 0
                    : Arrays.stream(x).map(d -> (d - mean) * (d - mean)).sum() / (x.length - 1);
            return new Summary(x.length, mean, Math.sqrt(variance));
        }

        /** The logarithm of an estimated deviation lies below that of the true one on average. */
        double logSpread() {
            return Math.log(spread) + logSpreadVariance();
        }

        double logSpreadVariance() {
            return 1 / (2.0 * (n - 1));
        }
    }

    /**
     * One figure of several products, each drawn towards their mean as its own variance and their differences have it.
     */
    private static final class Shrunk {
        private final double minApart;
        private final List<Double> values = new ArrayList<>();
        private final List<Double> variances = new ArrayList<>();
        private double mean;
        private double meanVariance;
        private double apart = -1;

        Shrunk(double minApart) {
            this.minApart = minApart;
        }

        void add(double value, double variance) {
            values.add(value);
            variances.add(variance);
        }

        /** A product that says nothing. */
        void addUnknown() {
            add(0, Double.POSITIVE_INFINITY);
        }

        boolean none() {
            return variances.stream().allMatch(v -> v.isInfinite());
        }

        /** Variance between products by DerSimonian and Laird, and the mean it gives. */
        private void fit() {
            if (apart >= 0) return;
            double sum = 0;
            double squares = 0;
            double weighted = 0;
            int count = 0;
            for (int i = 0; i < values.size(); i++) {
                double w = 1 / variances.get(i);
                if (w > 0) count++;
                sum += w;
                squares += w * w;
                weighted += w * values.get(i);
            }
            double fixed = weighted / sum;
            double q = 0;
            for (int i = 0; i < values.size(); i++)
                q += (values.get(i) - fixed) * (values.get(i) - fixed) / variances.get(i);
            double between = count < 2 ? 0 : (q - (count - 1)) / (sum - squares / sum);
            apart = Math.max(minApart * minApart, between);
            sum = 0;
            weighted = 0;
            for (int i = 0; i < values.size(); i++) {
                double w = 1 / (variances.get(i) + apart);
                sum += w;
                weighted += w * values.get(i);
            }
            mean = none() ? 0 : weighted / sum;
            meanVariance = none() ? 0.5 : 1 / sum;
        }

        private double share(int i) {
            fit();
            return variances.get(i).isInfinite() ? 0 : apart / (apart + variances.get(i));
        }

        double value(int i) {
            return share(i) * values.get(i) + (1 - share(i)) * mean;
        }

        double variance(int i) {
            double share = share(i);
            if (share == 0) return apart + meanVariance;
            return share * variances.get(i) + (1 - share) * (1 - share) * meanVariance;
        }
    }
}
