package io.linesight.mmad.scan;

import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link NearestPatches} with vector lanes over the places of a row, so that no sum is ever taken across lanes.
 *
 * <p>Remembered images stay 8-bit in memory, because reading them is what limits the comparison with many images: a row
 * is widened to float once, into the first-level cache, and meets three rows of the frame at three shifts while it is
 * there. The products are float: the Vector API has no 8-bit dot product, and one in 16 bits multiplies no faster than
 * fused multiply-adds do.
 *
 * <p>A task owns a band of the frame's rows. Maxima do not depend on their order, so no result depends on how many
 * tasks there are. The loop bodies are spelled out for the reason that {@link ScanKernel} tells.
 */
final class NearestKernel {
    private static final VectorSpecies<Float> SPECIES = ScanKernel.SPECIES;
    private static final int LANES = ScanKernel.LANES;
    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SPECIES.vectorShape());

    /** Rows of a band, at least: a band also reads the rows above and below it. */
    private static final int MIN_BAND = 8;

    /** Channels that are widened at a time: a row of them stays in the first-level cache beside the frame's three. */
    private static final int BLOCK = 64;

    private static final ConcurrentLinkedQueue<Scratch> SPARE = new ConcurrentLinkedQueue<>();

    private NearestKernel() {}

    /** Computes y on up to {@code threads} threads. The result does not depend on their number. */
    static void run(PatchComparison data, int threads) {
        int bands = data.batch() >= threads ? 1 : Math.max(1, Math.min(threads, data.height() / MIN_BAND));
        ScanPool.run(data.batch() * bands, threads, task -> {
            Scratch scratch = SPARE.poll();
            if (scratch == null) scratch = new Scratch();
            int from = task % bands * data.height() / bands;
            int to = (task % bands + 1) * data.height() / bands;
            new Band(data, task / bands, from, to, scratch).run();
            // After a failure the scratch is left to the collector.
            SPARE.add(scratch);
        });
    }

    /** Work arrays of one thread, reused from call to call. */
    private static final class Scratch {
        float[] image = {};
        float[] frame = {};
        float[] best = {};
        float[] row = {};
        float[] scale = {};
        float[] outside = {};
        float[] out = {};
        int[] packed = {};
        /** Products of a row: by segment, row of the frame and shift. */
        float[] dots = {};

        static float[] grown(float[] array, int size) {
            return array.length >= size ? array : new float[size];
        }
    }

    /** One task. */
    private static final class Band {
        private final PatchComparison data;
        private final int image;
        private final int from;
        private final int to;
        private final Scratch s;
        private final int channels;
        private final int width;
        /** Vectors of a row of places. */
        private final int segments;
        /** Values of a widened row of one channel: a place before the first, one after the last. */
        private final int stride;

        Band(PatchComparison data, int image, int from, int to, Scratch scratch) {
            this.data = data;
            this.image = image;
            this.from = from;
            this.to = to;
            s = scratch;
            channels = data.channels();
            width = data.width();
            segments = (width + LANES - 1) / LANES;
            stride = (segments + 1) * LANES;
        }

        void run() {
            prepare();
            for (int r = Math.max(0, from - 1); r < Math.min(data.height(), to + 1); r++) {
                for (int remembered : data.picks()[image]) compare(remembered, r);
            }
            for (int y = from; y < to; y++) {
                for (int seg = 0; seg < segments; seg++)
                    finish(s, place(y, seg), (y - from) * segments + seg, channels);
                data.y()[image].put(y * width, s.out, (y - from) * segments * LANES, width);
            }
        }

        /** Lays the band out as [row][segment][channel][lane], so that a comparison reads it from front to back. */
        private void prepare() {
            int rows = to - from;
            s.image = Scratch.grown(s.image, channels * data.places());
            s.frame = Scratch.grown(s.frame, rows * segments * channels * LANES);
            s.best = Scratch.grown(s.best, rows * segments * LANES);
            s.out = Scratch.grown(s.out, rows * segments * LANES);
            s.row = Scratch.grown(s.row, BLOCK * stride);
            s.dots = Scratch.grown(s.dots, segments * 9 * LANES);
            s.scale = Scratch.grown(s.scale, stride);
            s.outside = Scratch.grown(s.outside, stride);
            if (s.packed.length < data.rowInts() + LANES) s.packed = new int[data.rowInts() + LANES];
            Arrays.fill(s.row, 0, BLOCK * stride, 0f);
            Arrays.fill(s.scale, 0, stride, 0f);
            Arrays.fill(s.outside, 0, stride, Float.NEGATIVE_INFINITY);
            Arrays.fill(s.outside, 1, 1 + width, 0f);
            Arrays.fill(s.best, 0, rows * segments * LANES, Float.NEGATIVE_INFINITY);
            if (width % LANES != 0) Arrays.fill(s.frame, 0, rows * segments * channels * LANES, 0f);
            data.x()[image].get(0, s.image, 0, channels * data.places());
            for (int y = from; y < to; y++) {
                for (int seg = 0; seg < segments; seg++) {
                    int at = place(y, seg);
                    int take = Math.min(LANES, width - seg * LANES);
                    int source = y * width + seg * LANES;
                    for (int c = 0; c < channels; c++, at += LANES, source += data.places())
                        System.arraycopy(s.image, source, s.frame, at, take);
                }
            }
        }

        private int place(int y, int segment) {
            return ((y - from) * segments + segment) * channels * LANES;
        }

        /** Compares row r of a remembered image with the band's rows above, beside and below it. */
        private void compare(int remembered, int r) {
            int at = remembered * data.height() + r;
            data.memory().get(at * data.rowInts(), s.packed, 0, data.rowInts());
            data.scale().get(at * width, s.scale, 1, width);
            Arrays.fill(s.dots, 0, segments * 9 * LANES, 0f);
            boolean whole = r - 1 >= from && r + 1 < to;
            int first = Math.max(from, r - 1);
            int last = Math.min(to - 1, r + 1);
            for (int c = 0; c < channels; c += BLOCK) {
                int count = Math.min(BLOCK, channels - c);
                widen(s.packed, c / 4 * width, s.row, count / 4, width, segments, stride);
                for (int seg = 0; seg < segments; seg++) {
                    int dots = seg * 9 * LANES;
                    int lanes = c * LANES;
                    if (whole)
                        three(
                                s,
                                dots,
                                stride,
                                seg * LANES,
                                place(r - 1, seg) + lanes,
                                place(r, seg) + lanes,
                                place(r + 1, seg) + lanes,
                                count);
                    else
                        for (int y = first; y <= last; y++)
                            one(s, dots + 3 * (y - r + 1) * LANES, stride, seg * LANES, place(y, seg) + lanes, count);
                }
            }
            for (int seg = 0; seg < segments; seg++)
                for (int y = first; y <= last; y++)
                    best(s, (seg * 9 + 3 * (y - r + 1)) * LANES, seg * LANES, ((y - from) * segments + seg) * LANES);
        }
    }

    /** Bytes to float: values [group][place] of four channels each to rows [channel][1 + place]. */
    private static void widen(int[] packed, int first, float[] row, int groups, int width, int segments, int stride) {
        for (int g = 0; g < groups; g++) {
            for (int seg = 0; seg < segments; seg++) {
                int to = 4 * g * stride + 1 + seg * LANES;
                IntVector v = IntVector.fromArray(INTS, packed, first + g * width + seg * LANES);
                ((FloatVector) v.lanewise(VectorOperators.LSHL, 24)
                                .lanewise(VectorOperators.ASHR, 24)
                                .convert(VectorOperators.I2F, 0))
                        .intoArray(row, to);
                ((FloatVector) v.lanewise(VectorOperators.LSHL, 16)
                                .lanewise(VectorOperators.ASHR, 24)
                                .convert(VectorOperators.I2F, 0))
                        .intoArray(row, to + stride);
                ((FloatVector) v.lanewise(VectorOperators.LSHL, 8)
                                .lanewise(VectorOperators.ASHR, 24)
                                .convert(VectorOperators.I2F, 0))
                        .intoArray(row, to + 2 * stride);
                ((FloatVector) v.lanewise(VectorOperators.ASHR, 24).convert(VectorOperators.I2F, 0))
                        .intoArray(row, to + 3 * stride);
            }
        }
    }

    /** Adds the products of some channels of one widened row with three rows of the frame, at three shifts. */
    private static void three(Scratch s, int at, int stride, int x, int a, int b, int c, int channels) {
        float[] row = s.row;
        float[] frame = s.frame;
        float[] dots = s.dots;
        FloatVector a0 = FloatVector.fromArray(SPECIES, dots, at);
        FloatVector a1 = FloatVector.fromArray(SPECIES, dots, at + LANES);
        FloatVector a2 = FloatVector.fromArray(SPECIES, dots, at + 2 * LANES);
        FloatVector b0 = FloatVector.fromArray(SPECIES, dots, at + 3 * LANES);
        FloatVector b1 = FloatVector.fromArray(SPECIES, dots, at + 4 * LANES);
        FloatVector b2 = FloatVector.fromArray(SPECIES, dots, at + 5 * LANES);
        FloatVector c0 = FloatVector.fromArray(SPECIES, dots, at + 6 * LANES);
        FloatVector c1 = FloatVector.fromArray(SPECIES, dots, at + 7 * LANES);
        FloatVector c2 = FloatVector.fromArray(SPECIES, dots, at + 8 * LANES);
        for (int k = 0; k < channels; k++) {
            int r = k * stride + x;
            int i = k * LANES;
            FloatVector m0 = FloatVector.fromArray(SPECIES, row, r);
            FloatVector m1 = FloatVector.fromArray(SPECIES, row, r + 1);
            FloatVector m2 = FloatVector.fromArray(SPECIES, row, r + 2);
            FloatVector u = FloatVector.fromArray(SPECIES, frame, a + i);
            a0 = u.fma(m0, a0);
            a1 = u.fma(m1, a1);
            a2 = u.fma(m2, a2);
            FloatVector v = FloatVector.fromArray(SPECIES, frame, b + i);
            b0 = v.fma(m0, b0);
            b1 = v.fma(m1, b1);
            b2 = v.fma(m2, b2);
            FloatVector w = FloatVector.fromArray(SPECIES, frame, c + i);
            c0 = w.fma(m0, c0);
            c1 = w.fma(m1, c1);
            c2 = w.fma(m2, c2);
        }
        a0.intoArray(dots, at);
        a1.intoArray(dots, at + LANES);
        a2.intoArray(dots, at + 2 * LANES);
        b0.intoArray(dots, at + 3 * LANES);
        b1.intoArray(dots, at + 4 * LANES);
        b2.intoArray(dots, at + 5 * LANES);
        c0.intoArray(dots, at + 6 * LANES);
        c1.intoArray(dots, at + 7 * LANES);
        c2.intoArray(dots, at + 8 * LANES);
    }

    /** The same with one row of the frame, at the edges of a band. */
    private static void one(Scratch s, int at, int stride, int x, int a, int channels) {
        float[] row = s.row;
        float[] frame = s.frame;
        float[] dots = s.dots;
        FloatVector a0 = FloatVector.fromArray(SPECIES, dots, at);
        FloatVector a1 = FloatVector.fromArray(SPECIES, dots, at + LANES);
        FloatVector a2 = FloatVector.fromArray(SPECIES, dots, at + 2 * LANES);
        for (int k = 0; k < channels; k++) {
            int r = k * stride + x;
            FloatVector u = FloatVector.fromArray(SPECIES, frame, a + k * LANES);
            a0 = u.fma(FloatVector.fromArray(SPECIES, row, r), a0);
            a1 = u.fma(FloatVector.fromArray(SPECIES, row, r + 1), a1);
            a2 = u.fma(FloatVector.fromArray(SPECIES, row, r + 2), a2);
        }
        a0.intoArray(dots, at);
        a1.intoArray(dots, at + LANES);
        a2.intoArray(dots, at + 2 * LANES);
    }

    /** Takes the products of three shifts into the best of a row's places; places beyond the border never win. */
    private static void best(Scratch s, int dots, int x, int at) {
        float[] scale = s.scale;
        float[] outside = s.outside;
        FloatVector best = FloatVector.fromArray(SPECIES, s.best, at);
        for (int shift = 0; shift < 3; shift++) {
            FloatVector d = FloatVector.fromArray(SPECIES, s.dots, dots + shift * LANES);
            FloatVector cosine = d.fma(
                    FloatVector.fromArray(SPECIES, scale, x + shift),
                    FloatVector.fromArray(SPECIES, outside, x + shift));
            // Keeps NaN, which a comparison would lose.
            best = best.max(cosine);
        }
        best.intoArray(s.best, at);
    }

    /** Cosine distances of a vector of places from their best products. */
    private static void finish(Scratch s, int a, int segment, int channels) {
        float[] frame = s.frame;
        FloatVector squares = FloatVector.zero(SPECIES);
        for (int k = 0; k < channels; k++) {
            FloatVector u = FloatVector.fromArray(SPECIES, frame, a + k * LANES);
            squares = u.fma(u, squares);
        }
        FloatVector length = squares.sqrt().max(FloatVector.broadcast(SPECIES, NearestPatches.MIN_LENGTH));
        FloatVector.fromArray(SPECIES, s.best, segment * LANES)
                .div(length)
                .neg()
                .add(1f)
                .max(FloatVector.zero(SPECIES))
                .intoArray(s.out, segment * LANES);
    }
}
