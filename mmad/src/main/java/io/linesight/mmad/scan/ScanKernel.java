package io.linesight.mmad.scan;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The selective scan with vector lanes over channels.
 *
 * <p>A task owns a strip of channels of one image and walks all directions one after the other, so nothing is shared
 * between tasks and no sum depends on how many threads there are. Time is cut into tiles: a tile's rows are gathered
 * into arrays once, then every pair of states runs over the whole tile with its states in registers. Rows of the strip
 * are padded to whole vectors, states to whole pairs; padding computes with zeros.
 *
 * <p>The loop bodies are spelled out, with nothing but Vector API calls in them: a helper method that the compiler
 * declines to inline boxes every vector, which costs a factor of 50.
 */
final class ScanKernel {
    static final VectorSpecies<Float> SPECIES = ScanVectors.settle();
    static final int LANES = SPECIES.length();
    private static final int TILE = 32;
    /** States that run together over a tile. */
    private static final int UNROLL = 2;
    /** Widest strip in channels: more would push a strip's map out of the second-level cache. */
    private static final int WIDEST = 64;

    private static final float LOG2E = 1.44269504f;
    /** 1.5 * 2^23: adding it rounds to an integer that stands in the low bits of the sum. */
    private static final float ROUND = 12582912f;

    private static final int ROUND_BITS = 0x4B400000;
    /** Exponents below are clamped, as integers: a float maximum would have to care for NaN and signed zero. */
    private static final int MIN_EXPONENT = ROUND_BITS - 126;
    /** Beyond this product the rounding above no longer works. */
    private static final float MAX = 1 << 21;
    // 2^f on [-0.5, 0.5] with 2^0 exactly 1; relative error 9e-8.
    private static final float E1 = 0.693147f;
    private static final float E2 = 0.24022241f;
    private static final float E3 = 0.05550735f;
    private static final float E4 = 0.009671619f;
    private static final float E5 = 0.0013264591f;
    // artanh(s)/s in s^2 on [0, 1/3].
    private static final float L1 = 0.33333158f;
    private static final float L2 = 0.20012455f;
    private static final float L3 = 0.13980302f;
    private static final float L4 = 0.14089167f;

    private static final ConcurrentLinkedQueue<Scratch> SPARE = new ConcurrentLinkedQueue<>();

    private ScanKernel() {}

    /** Computes y on up to {@code threads} threads. The result does not depend on their number. */
    static void run(ScanData data, int threads) {
        Plan plan = Plan.of(data.shape(), threads);
        ScanPool.run(plan.tasks(), threads, task -> {
            Scratch scratch = SPARE.poll();
            if (scratch == null) scratch = new Scratch();
            scratch.fit(plan);
            new Strip(data, plan, task, scratch).run();
            // After a failure the scratch is left to the collector.
            SPARE.add(scratch);
        });
    }

    /**
     * How a call is cut into strips: {@code vectors} per strip, covering either part of one group or several whole
     * groups.
     */
    private record Plan(ScanShape shape, int groupVectors, int vectors) {
        static Plan of(ScanShape shape, int threads) {
            int groupVectors = (shape.width() + LANES - 1) / LANES;
            int best = 1;
            for (int v = 1; v <= groupVectors * shape.groups(); v++) {
                boolean fits = v <= groupVectors
                        ? groupVectors % v == 0
                        : v % groupVectors == 0 && shape.groups() % (v / groupVectors) == 0;
                if (!fits || v > 1 && v * LANES > WIDEST) continue;
                int tasks = shape.batch() * (groupVectors * shape.groups() / v);
                // Narrow strips gather little per row, so balance is bought only down to 32 channels.
                int wanted = threads == 1 ? 1 : v * LANES > 32 ? 2 * threads : threads;
                if (v == 1 || tasks >= wanted) best = v;
            }
            return new Plan(shape, groupVectors, best);
        }

        int strips() {
            return groupVectors * shape.groups() / vectors;
        }

        int tasks() {
            return shape.batch() * strips();
        }

        /** Groups a strip touches. */
        int groups() {
            return Math.max(1, vectors / groupVectors);
        }

        int paddedStates() {
            return (shape.states() + UNROLL - 1) / UNROLL * UNROLL;
        }
    }

    /** Work arrays of one thread, reused from call to call. */
    private static final class Scratch {
        float[] x = {};
        float[] y = {};
        float[] decay = {};
        float[] decayRows = {};
        float[] state = {};
        float[] steps = {};
        float[] delta = {};
        float[] drive = {};
        float[] sum = {};
        float[] b = {};
        float[] c = {};
        float[] channel = {};
        final int[] pixel = new int[TILE];

        void fit(Plan plan) {
            int width = plan.vectors() * LANES;
            int map = plan.shape().length() * width;
            int tile = TILE * width;
            int gates = TILE * plan.groups() * plan.paddedStates();
            x = grown(x, map);
            y = grown(y, map);
            decay = grown(decay, width * plan.paddedStates());
            decayRows = grown(decayRows, width * plan.shape().states());
            state = grown(state, width * plan.paddedStates());
            steps = grown(steps, tile);
            delta = grown(delta, tile);
            drive = grown(drive, tile);
            sum = grown(sum, tile);
            b = grown(b, gates);
            c = grown(c, gates);
            channel = grown(channel, 2 * width);
        }

        private static float[] grown(float[] array, int size) {
            return array.length >= size ? array : new float[size];
        }
    }

    /** One task. */
    private static final class Strip {
        private final ScanData data;
        private final Scratch s;
        private final int length;
        private final int channels;
        private final int directions;
        private final int states;
        private final int paddedStates;
        private final int vectors;
        private final int width;
        private final int groups;
        private final int vectorsPerGroup;
        private final int firstGroup;
        private final int firstChannel;
        /** Channels of one run, and how many runs make a row: one where no padding separates the groups. */
        private final int runChannels;

        private final int runs;
        private final int runWidth;
        private final FloatBuffer x;
        private final FloatBuffer dt;
        private final FloatBuffer b;
        private final FloatBuffer c;
        private final FloatBuffer y;

        Strip(ScanData data, Plan plan, int task, Scratch scratch) {
            ScanShape shape = plan.shape();
            this.data = data;
            s = scratch;
            length = shape.length();
            channels = shape.channels();
            directions = shape.directions();
            states = shape.states();
            paddedStates = plan.paddedStates();
            vectors = plan.vectors();
            width = vectors * LANES;
            groups = plan.groups();
            vectorsPerGroup = vectors / groups;
            int image = task / plan.strips();
            int firstVector = task % plan.strips() * vectors;
            firstGroup = firstVector / plan.groupVectors();
            int within = firstVector % plan.groupVectors() * LANES;
            firstChannel = firstGroup * shape.width() + within;
            if (shape.width() % LANES == 0) {
                runChannels = width;
                runs = 1;
            } else {
                runChannels = Math.min(vectorsPerGroup * LANES, shape.width() - within);
                runs = groups;
            }
            runWidth = width / runs;
            x = data.x()[image];
            dt = data.dt()[image];
            b = data.b()[image];
            c = data.c()[image];
            y = data.y()[image];
        }

        void run() {
            start();
            for (int k = 0; k < directions; k++) {
                prepareDecay(k);
                Arrays.fill(s.state, 0, width * paddedStates, 0f);
                for (int first = 0; first < length; first += TILE) {
                    int steps = Math.min(TILE, length - first);
                    gather(k, first, steps);
                    for (int v = 0; v < vectors; v++) {
                        prepareSteps(s, steps, v, width);
                        int gate = v / vectorsPerGroup * paddedStates;
                        int gateStride = groups * paddedStates;
                        for (int n = 0; n < paddedStates; n += UNROLL) {
                            recur(s, steps, v, (v * paddedStates + n) * LANES, gate + n, gateStride);
                        }
                        accumulate(s, steps, v, width);
                    }
                }
            }
            for (int p = 0; p < length; p++) {
                for (int r = 0; r < runs; r++)
                    y.put(p * channels + channel(r), s.y, p * width + r * runWidth, runChannels);
            }
        }

        private int channel(int run) {
            return firstChannel + run * runChannels;
        }

        /** Fetches the strip's map and starts y with the skip connection. */
        private void start() {
            if (runChannels < runWidth) Arrays.fill(s.x, 0, length * width, 0f);
            for (int p = 0; p < length; p++) {
                for (int r = 0; r < runs; r++)
                    x.get(p * channels + channel(r), s.x, p * width + r * runWidth, runChannels);
            }
            channelVector(data.skip(), 0, s.channel, 0);
            for (int v = 0; v < vectors; v++) skip(s, length, v, width);
        }

        private void channelVector(FloatBuffer from, int offset, float[] to, int at) {
            Arrays.fill(to, at, at + width, 0f);
            for (int r = 0; r < runs; r++) from.get(offset + channel(r), to, at + r * runWidth, runChannels);
        }

        /**
         * Lays out A * log2(e) as [vector][state][lane], the direction's bias in the first half of {@code channel}, and
         * in the second half the largest step that the exponential takes: there every state but those ten thousand
         * times slower than the fastest has died out.
         */
        private void prepareDecay(int k) {
            Arrays.fill(s.decay, 0, width * paddedStates, 0f);
            channelVector(data.bias(), k * channels, s.channel, 0);
            for (int r = 0; r < runs; r++) {
                data.a().get((k * channels + channel(r)) * states, s.decayRows, 0, runChannels * states);
                for (int i = 0; i < runChannels; i++) {
                    int lane = r * runWidth + i;
                    int to = lane / LANES * paddedStates * LANES + lane % LANES;
                    float fastest = 1f;
                    for (int n = 0; n < states; n++) {
                        float a = s.decayRows[i * states + n] * LOG2E;
                        // A NaN of the other sign would come out of the exponent arithmetic as a number.
                        s.decay[to + n * LANES] = a == a ? a : Float.NaN;
                        fastest = Math.max(fastest, Math.abs(a));
                    }
                    s.channel[width + lane] = MAX / fastest;
                }
            }
            if (runChannels < runWidth) {
                for (int lane = 0; lane < width; lane++)
                    if (lane % runWidth >= runChannels) s.channel[width + lane] = 1f;
            }
        }

        private void gather(int k, int first, int steps) {
            int row = directions * channels;
            int gateRow = directions * data.shape().groups() * states;
            int gateFirst = (k * data.shape().groups() + firstGroup) * states;
            for (int t = 0; t < steps; t++) {
                int p = data.order()[k * length + first + t];
                s.pixel[t] = p;
                for (int r = 0; r < runs; r++)
                    dt.get(p * row + k * channels + channel(r), s.steps, t * width + r * runWidth, runChannels);
                int from = p * gateRow + gateFirst;
                int to = t * groups * paddedStates;
                if (states == paddedStates) {
                    b.get(from, s.b, to, groups * states);
                    c.get(from, s.c, to, groups * states);
                } else {
                    for (int g = 0; g < groups; g++) {
                        b.get(from + g * states, s.b, to + g * paddedStates, states);
                        c.get(from + g * states, s.c, to + g * paddedStates, states);
                        Arrays.fill(s.b, to + g * paddedStates + states, to + (g + 1) * paddedStates, 0f);
                        Arrays.fill(s.c, to + g * paddedStates + states, to + (g + 1) * paddedStates, 0f);
                    }
                }
            }
        }
    }

    private static void skip(Scratch s, int length, int v, int width) {
        float[] x = s.x;
        float[] y = s.y;
        FloatVector d = FloatVector.fromArray(SPECIES, s.channel, v * LANES);
        for (int p = 0, i = v * LANES; p < length; p++, i += width)
            FloatVector.fromArray(SPECIES, x, i).mul(d).intoArray(y, i);
    }

    /** delta = softplus(dt + bias), drive = delta * x, sum = 0, laid out [step][lane] for vector v. */
    private static void prepareSteps(Scratch s, int steps, int v, int width) {
        float[] raw = s.steps;
        float[] delta = s.delta;
        float[] drive = s.drive;
        float[] sum = s.sum;
        float[] x = s.x;
        int[] pixel = s.pixel;
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector bias = FloatVector.fromArray(SPECIES, s.channel, v * LANES);
        FloatVector max = FloatVector.fromArray(SPECIES, s.channel, width + v * LANES);
        FloatVector round = FloatVector.broadcast(SPECIES, ROUND);
        FloatVector scale = FloatVector.broadcast(SPECIES, -LOG2E);
        for (int t = 0; t < steps; t++) {
            FloatVector z =
                    FloatVector.fromArray(SPECIES, raw, t * width + v * LANES).add(bias);
            VectorMask<Float> negative = z.compare(VectorOperators.LT, 0f);
            FloatVector positive = z.blend(zero, negative);
            FloatVector size = z.blend(z.neg(), negative);
            FloatVector whole = size.fma(scale, round);
            FloatVector f = size.fma(scale, round.sub(whole));
            FloatVector e = f.fma(FloatVector.broadcast(SPECIES, E5), FloatVector.broadcast(SPECIES, E4))
                    .fma(f, FloatVector.broadcast(SPECIES, E3))
                    .fma(f, FloatVector.broadcast(SPECIES, E2))
                    .fma(f, FloatVector.broadcast(SPECIES, E1))
                    .fma(f, FloatVector.broadcast(SPECIES, 1f));
            IntVector exponent = whole.reinterpretAsInts().max(MIN_EXPONENT).lanewise(VectorOperators.LSHL, 23);
            FloatVector u = e.reinterpretAsInts().add(exponent).reinterpretAsFloats();
            FloatVector w = u.div(u.add(2f));
            FloatVector w2 = w.mul(w);
            FloatVector q = w2.fma(FloatVector.broadcast(SPECIES, L4), FloatVector.broadcast(SPECIES, L3))
                    .fma(w2, FloatVector.broadcast(SPECIES, L2))
                    .fma(w2, FloatVector.broadcast(SPECIES, L1))
                    .fma(w2, FloatVector.broadcast(SPECIES, 1f));
            FloatVector d = w.add(w).fma(q, positive);
            d.mul(FloatVector.fromArray(SPECIES, x, pixel[t] * width + v * LANES))
                    .intoArray(drive, t * LANES);
            d.blend(max, d.compare(VectorOperators.GT, max)).intoArray(delta, t * LANES);
            zero.intoArray(sum, t * LANES);
        }
    }

    /** Two states of one vector of channels over a tile. */
    private static void recur(Scratch s, int steps, int v, int state, int gate, int gateStride) {
        float[] delta = s.delta;
        float[] drive = s.drive;
        float[] sum = s.sum;
        float[] b = s.b;
        float[] c = s.c;
        FloatVector round = FloatVector.broadcast(SPECIES, ROUND);
        FloatVector e1 = FloatVector.broadcast(SPECIES, E1);
        FloatVector e2 = FloatVector.broadcast(SPECIES, E2);
        FloatVector e3 = FloatVector.broadcast(SPECIES, E3);
        FloatVector e4 = FloatVector.broadcast(SPECIES, E4);
        FloatVector e5 = FloatVector.broadcast(SPECIES, E5);
        FloatVector one = FloatVector.broadcast(SPECIES, 1f);
        FloatVector a0 = FloatVector.fromArray(SPECIES, s.decay, state);
        FloatVector a1 = FloatVector.fromArray(SPECIES, s.decay, state + LANES);
        FloatVector h0 = FloatVector.fromArray(SPECIES, s.state, state);
        FloatVector h1 = FloatVector.fromArray(SPECIES, s.state, state + LANES);
        for (int t = 0; t < steps; t++) {
            int i = t * LANES;
            int g = t * gateStride + gate;
            FloatVector d = FloatVector.fromArray(SPECIES, delta, i);
            FloatVector dx = FloatVector.fromArray(SPECIES, drive, i);
            FloatVector whole0 = d.fma(a0, round);
            FloatVector whole1 = d.fma(a1, round);
            FloatVector f0 = d.fma(a0, round.sub(whole0));
            FloatVector f1 = d.fma(a1, round.sub(whole1));
            FloatVector p0 = f0.fma(e5, e4).fma(f0, e3).fma(f0, e2).fma(f0, e1).fma(f0, one);
            FloatVector p1 = f1.fma(e5, e4).fma(f1, e3).fma(f1, e2).fma(f1, e1).fma(f1, one);
            IntVector x0 = whole0.reinterpretAsInts().max(MIN_EXPONENT).lanewise(VectorOperators.LSHL, 23);
            IntVector x1 = whole1.reinterpretAsInts().max(MIN_EXPONENT).lanewise(VectorOperators.LSHL, 23);
            h0 = p0.reinterpretAsInts().add(x0).reinterpretAsFloats().fma(h0, dx.mul(b[g]));
            h1 = p1.reinterpretAsInts().add(x1).reinterpretAsFloats().fma(h1, dx.mul(b[g + 1]));
            FloatVector y = h0.fma(FloatVector.broadcast(SPECIES, c[g]), FloatVector.fromArray(SPECIES, sum, i));
            h1.fma(FloatVector.broadcast(SPECIES, c[g + 1]), y).intoArray(sum, i);
        }
        h0.intoArray(s.state, state);
        h1.intoArray(s.state, state + LANES);
    }

    private static void accumulate(Scratch s, int steps, int v, int width) {
        float[] sum = s.sum;
        float[] y = s.y;
        int[] pixel = s.pixel;
        for (int t = 0; t < steps; t++) {
            int i = pixel[t] * width + v * LANES;
            FloatVector.fromArray(SPECIES, y, i)
                    .add(FloatVector.fromArray(SPECIES, sum, t * LANES))
                    .intoArray(y, i);
        }
    }
}
