package io.linesight.trainer.network;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Fits what {@link io.linesight.mmad.architecture.MapKind#WHITENED} needs, in closed form on normal images: per scale
 * and product the mean and covariance of the difference between teacher and student, averaged over 3x3 pixels, and by
 * place the mean and deviation of the logarithms of both distances.
 *
 * <p>A covariance knows the images that it comes from: their own differences look small by it, the more the fewer they
 * are. So every product's images are dealt into folds, each with a covariance of the other folds' images only. By these
 * the levels of the Mahalanobis distance are measured, and whoever wants scores of these images as new ones would have
 * them takes {@link LeftOut}.
 */
public final class Whitening {
    /**
     * Added to the covariance's diagonal, as a share of its mean: directions in which normal images hardly differ are
     * not blown up. Between 0.003 and 0.3 the real categories' mean image AUROC moved by 0.004.
     */
    private static final double SHRINK = 0.03;

    /** A group's covariance counts as much as the mean of all groups' when it comes from so many images. */
    private static final double BORROWED = 10;

    private static final int FOLDS = 5;
    /** Products from which on there are two folds: each fold holds a matrix per product. */
    private static final int MANY_GROUPS = 20;

    private final MmadNet net;
    private final MmadConfig config;
    private final IntFunction<List<Tensor>> features;
    private final int scales;
    private final int groups;
    private final List<List<Integer>> members = new ArrayList<>();
    private final int folds;

    private Whitening(MmadNet net, MmadConfig config, IntFunction<List<Tensor>> features, int[] groupOf) {
        this.net = net;
        this.config = config;
        this.features = features;
        scales = 3 - config.finest();
        groups = Math.max(1, config.groups());
        folds = groups > MANY_GROUPS ? 2 : FOLDS;
        for (int g = 0; g < groups; g++) members.add(new ArrayList<>());
        for (int i = 0; i < groupOf.length; i++) members.get(groupOf[i]).add(i);
    }

    /**
     * The folds: which images each holds, and the tensors fitted without them.
     *
     * @param foldOf of image i its fold; -1 where its product has a single image, which cannot be left out
     * @param tensors by fold, those of the weights that are other than with all images
     */
    public record LeftOut(int[] foldOf, List<Map<String, io.linesight.mmad.architecture.Tensor>> tensors) {}

    /**
     * Puts the fitted {@code anomaly_map.*} tensors into the weights. The network sees every image twice. One product's
     * differences are held in native memory at a time: 1.6 MB an image for a MobileNet without stride 4, 3.7 MB with
     * it.
     *
     * @param features raw teacher features [1,L,C] of image i, finest first
     * @param groupOf of image i its group, 0 to {@link MmadConfig#groups} - 1; every group has at least one
     */
    public static LeftOut fit(
            MmadNet net, MmadConfig config, IntFunction<List<Tensor>> features, int[] groupOf, Weights weights) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            return new Whitening(net, config, features, groupOf).fit(groupOf.length, weights);
        }
    }

    private LeftOut fit(int images, Weights weights) {
        float[][] means = new float[images][];
        List<Tensor> common = common(means);
        List<Map<String, float[]>> left = new ArrayList<>();
        for (int f = 0; f < folds; f++) left.add(new HashMap<>());
        Map<String, float[]> whole = new HashMap<>();
        int[] foldOf = new int[images];
        for (int g = 0; g < groups; g++) {
            List<Integer> mine = members.get(g);
            for (int n = 0; n < mine.size(); n++) foldOf[mine.get(n)] = mine.size() < 2 ? -1 : n % folds;
            group(g, common, foldOf, whole, left);
        }
        whole.forEach((name, values) -> put(weights, name, values));
        List<Map<String, io.linesight.mmad.architecture.Tensor>> tensors = new ArrayList<>();
        for (Map<String, float[]> fold : left) {
            Map<String, io.linesight.mmad.architecture.Tensor> some = new HashMap<>();
            fold.forEach((name, values) ->
                    some.put(name, new io.linesight.mmad.architecture.Tensor(values, shape(name, values.length))));
            tensors.add(some);
        }
        if (groups > 1) centres(means, weights);
        return new LeftOut(foldOf, tensors);
    }

    /**
     * One image's differences [L,C], averaged, and logarithms of its cosine distances [L], by scale; both in the
     * caller's scope.
     */
    private record Distances(List<Tensor> differences, List<float[]> cosine, float[] mean) {}

    private Distances distances(int image, PointerScope keeper) {
        List<Tensor> differences = new ArrayList<>();
        List<float[]> cosine = new ArrayList<>();
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> all = net.normalised(features.apply(image));
            List<Tensor> teacher = net.imitated(all);
            List<Tensor> student = net.student(all, null).features();
            for (int s = 0; s < scales; s++) {
                differences.add(Torch.keep(keeper, averaged(teacher.get(s).sub(student.get(s)), side(s))));
                cosine.add(Torch.values(Expectation.logDistance(
                        teacher.get(s).squeeze(0), student.get(s).squeeze(0))));
            }
            return new Distances(differences, cosine, Torch.values(all.get(2).mean(new long[] {0, 1})));
        }
    }

    private int side(int scale) {
        return 64 >> scale + config.finest();
    }

    private int channels(int scale) {
        return config.encoderChannels().get(scale + config.finest());
    }

    private String prefix(int scale) {
        return "anomaly_map." + (scale + config.finest()) + ".";
    }

    /** By scale the mean of the groups' covariances; fills in every image's mean coarsest feature. */
    private List<Tensor> common(float[][] means) {
        List<Tensor> common = new ArrayList<>();
        for (int s = 0; s < scales; s++)
            common.add(torch.zeros(new long[] {channels(s), channels(s)}).to(torch.ScalarType.Double));
        for (List<Integer> mine : members) {
            try (PointerScope group = new PointerScope()) {
                List<Sums> sums = new ArrayList<>();
                for (int s = 0; s < scales; s++) sums.add(new Sums(channels(s)));
                for (int image : mine) {
                    try (PointerScope scope = new PointerScope()) {
                        Distances d = distances(image, scope);
                        means[image] = d.mean;
                        for (int s = 0; s < scales; s++) sums.get(s).add(d.differences.get(s));
                    }
                }
                for (int s = 0; s < scales; s++)
                    common.get(s).add_(sums.get(s).covariance().div(Torch.scalar(groups)));
            }
        }
        return common;
    }

    /** Rows' number, sum and products, in double. Made in a scope that lasts as long as they do. */
    private static final class Sums {
        private final Tensor sum;
        private final Tensor products;
        private long rows;
        private int images;

        Sums(int c) {
            sum = torch.zeros(new long[] {c}).to(torch.ScalarType.Double);
            products = torch.zeros(new long[] {c, c}).to(torch.ScalarType.Double);
        }

        /** Sums within an image in float, over images in double. */
        void add(Tensor difference) {
            try (PointerScope image = new PointerScope()) {
                sum.add_(difference.sum(new long[] {0}).to(torch.ScalarType.Double));
                products.add_(difference.t().mm(difference).to(torch.ScalarType.Double));
            }
            rows += difference.size(0);
            images++;
        }

        void add(Sums other) {
            sum.add_(other.sum);
            products.add_(other.products);
            rows += other.rows;
            images += other.images;
        }

        Tensor mean() {
            return sum.div(Torch.scalar(rows));
        }

        Tensor covariance() {
            Tensor mean = mean();
            return products.div(Torch.scalar(rows)).sub(torch.outer(mean, mean));
        }
    }

    /**
     * Mean [C] and the factor [C,C] of the inverse covariance P = L L': a row less the mean, times L, has the squared
     * length that P measures.
     */
    private record Measure(Tensor mean, Tensor factor) {
        /** @param common the mean of all groups' covariances */
        static Measure of(Sums sums, Tensor common) {
            int c = (int) common.size(0);
            double borrowed = BORROWED / (sums.images + BORROWED);
            Tensor covariance =
                    sums.covariance().mul(Torch.scalar(1 - borrowed)).add(common.mul(Torch.scalar(borrowed)));
            Tensor eye = torch.eye(c).to(torch.ScalarType.Double);
            double typical = Math.max(covariance.trace().item_double() / c, 1e-12);
            Tensor inverse = Torch.solve(covariance.add(eye.mul(Torch.scalar(SHRINK * typical))), eye);
            Tensor factor = Torch.cholesky(inverse.add(inverse.t()).mul(Torch.scalar(0.5)));
            return new Measure(sums.mean().to(torch.ScalarType.Float), factor.to(torch.ScalarType.Float));
        }

        /** Logarithms of the rows' mean squares, [L]. */
        float[] logSquares(Tensor difference) {
            try (PointerScope image = new PointerScope()) {
                Tensor squares = difference
                        .sub(mean)
                        .mm(factor)
                        .square()
                        .mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional());
                return Torch.values(
                        squares.add(Torch.scalar(MmadConfig.MIN_DISTANCE)).log());
            }
        }
    }

    private void group(
            int g, List<Tensor> common, int[] foldOf, Map<String, float[]> whole, List<Map<String, float[]>> left) {
        try (PointerScope scope = new PointerScope()) {
            List<Integer> mine = members.get(g);
            List<Distances> all = new ArrayList<>();
            for (int image : mine) all.add(distances(image, scope));
            for (int s = 0; s < scales; s++)
                scale(g, s, all, mine.stream().mapToInt(image -> foldOf[image]).toArray(), common.get(s), whole, left);
        }
    }

    /** @param fold of the group's images; -1 where there is none */
    private void scale(
            int g,
            int s,
            List<Distances> images,
            int[] fold,
            Tensor common,
            Map<String, float[]> whole,
            List<Map<String, float[]>> left) {
        try (PointerScope scope = new PointerScope()) {
            int c = channels(s);
            List<Sums> parts = new ArrayList<>();
            for (int f = 0; f < folds; f++) parts.add(new Sums(c));
            for (int n = 0; n < fold.length; n++)
                parts.get(Math.max(0, fold[n])).add(images.get(n).differences.get(s));
            Sums sums = new Sums(c);
            parts.forEach(sums::add);
            Measure measure = Measure.of(sums, common);
            put(whole, s, g, measure);
            float[][] logs = new float[fold.length][];
            for (int f = 0; f < folds; f++) {
                try (PointerScope one = new PointerScope()) {
                    // Without the fold's images, also in what is borrowed from all groups together. A fold may hold
                    // none.
                    Measure others =
                            parts.get(f).images == 0 || fold.length < 2 ? measure : others(parts, f, sums, common);
                    put(left.get(f), s, g, others);
                    for (int n = 0; n < fold.length; n++)
                        if (Math.max(0, fold[n]) == f)
                            logs[n] =
                                    others.logSquares(images.get(n).differences.get(s));
                }
            }
            float[] levels =
                    whole.computeIfAbsent(prefix(s) + "levels", name -> new float[groups * 4 * side(s) * side(s)]);
            PlaceLevels.fit(images.stream().map(d -> d.cosine.get(s)).toList(), side(s), levels, 4 * g);
            PlaceLevels.fit(List.of(logs), side(s), levels, 4 * g + 2);
        }
    }

    private Measure others(List<Sums> parts, int fold, Sums all, Tensor common) {
        Sums rest = new Sums((int) common.size(0));
        for (int f = 0; f < folds; f++) if (f != fold) rest.add(parts.get(f));
        return Measure.of(
                rest, common.add(rest.covariance().sub(all.covariance()).div(Torch.scalar(groups))));
    }

    private void put(Map<String, float[]> tensors, int s, int g, Measure m) {
        int c = (int) m.mean.size(0);
        System.arraycopy(
                Torch.values(m.mean),
                0,
                tensors.computeIfAbsent(prefix(s) + "whiten.mean", name -> new float[groups * c]),
                g * c,
                c);
        System.arraycopy(
                Torch.values(m.factor),
                0,
                tensors.computeIfAbsent(prefix(s) + "whiten.matrix", name -> new float[groups * c * c]),
                g * c * c,
                c * c);
    }

    /** [1,L,C] to [L,C]: every pixel's mean over itself and those of its eight neighbours that there are. */
    private static Tensor averaged(Tensor rows, int side) {
        long[] three = {3, 3};
        Tensor image = torch.avg_pool2d(
                Torch.image(rows, side),
                three,
                new long[] {1, 1},
                new long[] {1, 1},
                false,
                false,
                new org.bytedeco.pytorch.LongOptional());
        return Torch.rows(image).squeeze(0);
    }

    /**
     * Where the groups' mean features lie, and the scale by which a channel counts: the inverse of its deviation within
     * the groups.
     */
    private void centres(float[][] means, Weights weights) {
        int c = means[0].length;
        float[] centre = new float[groups * c];
        float[] scale = new float[c];
        double typical = 0;
        for (int g = 0; g < groups; g++)
            for (int i : members.get(g))
                for (int k = 0; k < c; k++)
                    centre[g * c + k] += means[i][k] / members.get(g).size();
        for (int k = 0; k < c; k++) {
            double squares = 0;
            for (int g = 0; g < groups; g++)
                for (int i : members.get(g)) squares += Math.pow(means[i][k] - centre[g * c + k], 2);
            scale[k] = (float) Math.sqrt(squares / means.length);
            typical += scale[k] / c;
        }
        for (int k = 0; k < c; k++) scale[k] = (float) (1 / Math.max(scale[k], Math.max(0.1 * typical, 1e-6)));
        put(weights, "anomaly_map.groups.centre", centre);
        weights.put("anomaly_map.groups.scale", new io.linesight.mmad.architecture.Tensor(scale, scale.length));
    }

    private void put(Weights weights, String name, float[] values) {
        weights.put(name, new io.linesight.mmad.architecture.Tensor(values, shape(name, values.length)));
    }

    private int[] shape(String name, int values) {
        int each = values / groups;
        if (name.endsWith(".matrix")) {
            int c = (int) Math.round(Math.sqrt(each));
            return new int[] {groups, c, c};
        }
        return name.endsWith(".levels") ? new int[] {groups, 4, each / 4} : new int[] {groups, each};
    }
}
