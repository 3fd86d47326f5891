package io.linesight.trainer.torch;

import java.nio.FloatBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * Forward and backward of the batched 2-D selective scan (MMAD_SPEC section 3) on native memory: lanes run over
 * channels, time is cut in chunks, states are checkpointed at chunk starts and recomputed in the backward pass. One
 * task is one (image, group): it walks all directions by the table of visiting orders and accumulates in raster order,
 * so results do not depend on the number of threads.
 *
 * <p>The projections of a pixel (time step, B, C) are larger than the pixel's channels several times over, so they are
 * computed chunk by chunk in cache from x and the projection's weight, forward and again backward; only tests hand them
 * in as a whole.
 *
 * <p>Layouts (row-major): x, y [B,L,G*D]; projection [G,B,L,K,R+2N] (time step, B, C); projection weight [G,K,R+2N,D];
 * step weight [G,K,D,R]; step bias [G,K,D]; A (negative) [G,K,D,N]; skip [G*D]; order [K][L]; checkpoints private.
 * Within a chunk a row of projections is four B and four C in turn, then the time step, padded with zeros to a multiple
 * of {@value #QUAD}: four states are worked on at a time and their eight gradients are neighbours. Tiles of a chunk are
 * [D/V][steps][V], states [D/V][N][V].
 *
 * <p>The inner loops stay small methods with everything in locals: larger ones fall out of the compiler's vector
 * intrinsics and are 50 times slower. Where a sum starts, they read from an array of zeros rather than have it cleared
 * first. That is why the longest of them and the class itself are left in one piece: what would be parameters of the
 * pieces are the registers of one loop.
 */
final class TrainingScanKernel {
    /** 256-bit vectors fit every channel count the presets produce; 128-bit where the machine has no more. */
    private static final VectorSpecies<Float> S =
            FloatVector.SPECIES_PREFERRED.length() >= 8 ? FloatVector.SPECIES_256 : FloatVector.SPECIES_128;

    static final int LANES = S.length();
    static final int CHUNK = 32;
    /** States per pass. */
    static final int PASS = 4;
    /** Projections of the states of one pass, and the unit of the matrix products' unrolling. */
    static final int QUAD = 2 * PASS;

    private static final int V = LANES;
    private static final float MAGIC = 12582912f;
    private static final float LOG2E = 1.44269504f;
    private static final float LN2 = 0.69314718f;
    private static final int CLAMP = 0x4B400000 - 126;
    private static final float[] ZEROS = new float[CHUNK * QUAD * V];
    /** Lane i takes lane i xor 1, 2, 4. */
    private static final VectorShuffle<Float> SWAP1 = VectorShuffle.fromOp(S, i -> (i ^ 1) % V);

    private static final VectorShuffle<Float> SWAP2 = VectorShuffle.fromOp(S, i -> (i ^ 2) % V);
    private static final VectorShuffle<Float> SWAP4 = VectorShuffle.fromOp(S, i -> (i ^ 4) % V);
    private static final VectorMask<Float> ODD1 = VectorMask.fromLong(S, 0xAA & ((1 << V) - 1));
    private static final VectorMask<Float> ODD2 = VectorMask.fromLong(S, 0xCC & ((1 << V) - 1));
    private static final VectorMask<Float> ODD4 = VectorMask.fromLong(S, 0xF0 & ((1 << V) - 1));

    private TrainingScanKernel() {}

    /** Working memory of one thread. Maps have one pixel more than the image: there go the steps that pad a chunk. */
    private static final class Scratch {
        final TrainingScanShape shape;
        final float[] x, y, gx, a2, da, w, dw, wp, wpByChannel, dwp, h, dh;
        final float[] step, drive, sig, xs, gy, gdrive, gstep;
        final float[] out = new float[CHUNK * V];
        final float[] decay = new float[CHUNK * PASS * V],
                history = new float[(CHUNK + 1) * PASS * V],
                lanes = new float[CHUNK * QUAD * V];
        final float[] proj, gproj, rankLanes, rankSums;
        final float[] skip, bias, dskip, dbias;
        final int[] at = new int[CHUNK];
        final int[] column;

        Scratch(TrainingScanShape s) {
            shape = s;
            int map = (s.length() + 1) * s.channels();
            int dn = s.channels() * s.states();
            int dr = s.channels() * s.rank();
            int tile = CHUNK * s.channels();
            int weight = s.paddedRow() * s.channels();
            x = new float[map];
            y = new float[map];
            gx = new float[map];
            a2 = new float[dn];
            da = new float[dn];
            h = new float[dn];
            dh = new float[dn];
            w = new float[dr];
            dw = new float[dr];
            wp = new float[weight];
            wpByChannel = new float[weight];
            dwp = new float[weight];
            step = new float[tile];
            drive = new float[tile];
            sig = new float[tile];
            xs = new float[tile];
            gy = new float[tile];
            gdrive = new float[tile];
            gstep = new float[tile];
            proj = new float[CHUNK * s.paddedRow()];
            gproj = new float[CHUNK * s.paddedRow()];
            rankLanes = new float[s.rank() * CHUNK * V];
            rankSums = new float[s.rank() * CHUNK];
            skip = new float[s.channels()];
            bias = new float[s.channels()];
            dskip = new float[s.channels()];
            dbias = new float[s.channels()];
            column = new int[s.row()];
            for (int j = 0; j < column.length; j++) column[j] = column(s, j);
        }
    }

    /** Where a chunk's rows keep value j of (time step, B, C). */
    private static int column(TrainingScanShape s, int j) {
        if (j < s.rank()) return 2 * s.states() + j;
        int n = (j - s.rank()) % s.states();
        return n / PASS * QUAD + n % PASS + (j < s.rank() + s.states() ? 0 : PASS);
    }

    private static final ThreadLocal<Scratch> LAST = new ThreadLocal<>();

    /** A thread's memory stays with it: the same few shapes come again with every step. */
    private static Scratch scratch(TrainingScanShape s) {
        Scratch m = LAST.get();
        if (m == null || !m.shape.equals(s)) {
            m = new Scratch(s);
            LAST.set(m);
        }
        return m;
    }

    /** 2^(d*a) for d*a <= 0, about 2 ulp. */
    private static FloatVector exp2(FloatVector d, FloatVector a) {
        FloatVector t = d.fma(a, FloatVector.broadcast(S, MAGIC));
        FloatVector f = d.fma(a, FloatVector.broadcast(S, MAGIC).sub(t));
        FloatVector p = f.fma(FloatVector.broadcast(S, 0.00015353362f), FloatVector.broadcast(S, 0.0013398875f));
        p = p.fma(f, FloatVector.broadcast(S, 0.009618437f));
        p = p.fma(f, FloatVector.broadcast(S, 0.055503324f));
        p = p.fma(f, FloatVector.broadcast(S, 0.24022648f));
        p = p.fma(f, FloatVector.broadcast(S, 0.6931472f));
        p = p.fma(f, FloatVector.broadcast(S, 1f));
        IntVector e = t.reinterpretAsInts().max(CLAMP).lanewise(VectorOperators.LSHL, 23);
        return p.reinterpretAsInts().add(e).reinterpretAsFloats();
    }

    /** Projections of a chunk: rows of proj = x at the chunk's pixels times the weight [D][padded row]. */
    private static void project(float[] x, int[] at, float[] weight, float[] proj, int channels, int row, int steps) {
        for (int t = 0; t < steps; t += 8) {
            int x0 = at[t] * channels;
            int x1 = at[t + 1] * channels;
            int x2 = at[t + 2] * channels;
            int x3 = at[t + 3] * channels;
            int x4 = at[t + 4] * channels;
            int x5 = at[t + 5] * channels;
            int x6 = at[t + 6] * channels;
            int x7 = at[t + 7] * channels;
            for (int j = 0; j < row; j += V) {
                FloatVector p0 = FloatVector.zero(S);
                FloatVector p1 = p0;
                FloatVector p2 = p0;
                FloatVector p3 = p0;
                FloatVector p4 = p0;
                FloatVector p5 = p0;
                FloatVector p6 = p0;
                FloatVector p7 = p0;
                for (int d = 0, i = j; d < channels; d++, i += row) {
                    FloatVector w = FloatVector.fromArray(S, weight, i);
                    p0 = w.fma(FloatVector.broadcast(S, x[x0 + d]), p0);
                    p1 = w.fma(FloatVector.broadcast(S, x[x1 + d]), p1);
                    p2 = w.fma(FloatVector.broadcast(S, x[x2 + d]), p2);
                    p3 = w.fma(FloatVector.broadcast(S, x[x3 + d]), p3);
                    p4 = w.fma(FloatVector.broadcast(S, x[x4 + d]), p4);
                    p5 = w.fma(FloatVector.broadcast(S, x[x5 + d]), p5);
                    p6 = w.fma(FloatVector.broadcast(S, x[x6 + d]), p6);
                    p7 = w.fma(FloatVector.broadcast(S, x[x7 + d]), p7);
                }
                int o = t * row + j;
                p0.intoArray(proj, o);
                p1.intoArray(proj, o + row);
                p2.intoArray(proj, o + 2 * row);
                p3.intoArray(proj, o + 3 * row);
                p4.intoArray(proj, o + 4 * row);
                p5.intoArray(proj, o + 5 * row);
                p6.intoArray(proj, o + 6 * row);
                p7.intoArray(proj, o + 7 * row);
            }
        }
    }

    /** Gradient of x through the projections: gx at the chunk's pixels += gproj times the weight [padded row][D]. */
    private static void unproject(
            float[] gproj, float[] weight, int[] at, float[] gx, int channels, int values, int row, int steps) {
        for (int t = 0; t < steps; t += 8) {
            int o = t * row;
            for (int d = 0; d < channels; d += V) {
                FloatVector g0 = FloatVector.zero(S);
                FloatVector g1 = g0;
                FloatVector g2 = g0;
                FloatVector g3 = g0;
                FloatVector g4 = g0;
                FloatVector g5 = g0;
                FloatVector g6 = g0;
                FloatVector g7 = g0;
                for (int j = o, i = d; j < o + values; j++, i += channels) {
                    FloatVector w = FloatVector.fromArray(S, weight, i);
                    g0 = w.fma(FloatVector.broadcast(S, gproj[j]), g0);
                    g1 = w.fma(FloatVector.broadcast(S, gproj[j + row]), g1);
                    g2 = w.fma(FloatVector.broadcast(S, gproj[j + 2 * row]), g2);
                    g3 = w.fma(FloatVector.broadcast(S, gproj[j + 3 * row]), g3);
                    g4 = w.fma(FloatVector.broadcast(S, gproj[j + 4 * row]), g4);
                    g5 = w.fma(FloatVector.broadcast(S, gproj[j + 5 * row]), g5);
                    g6 = w.fma(FloatVector.broadcast(S, gproj[j + 6 * row]), g6);
                    g7 = w.fma(FloatVector.broadcast(S, gproj[j + 7 * row]), g7);
                }
                // The steps that pad a chunk share one pixel, so each sum is stored before the next is read.
                int x = at[t] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g0).intoArray(gx, x);
                x = at[t + 1] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g1).intoArray(gx, x);
                x = at[t + 2] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g2).intoArray(gx, x);
                x = at[t + 3] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g3).intoArray(gx, x);
                x = at[t + 4] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g4).intoArray(gx, x);
                x = at[t + 5] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g5).intoArray(gx, x);
                x = at[t + 6] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g6).intoArray(gx, x);
                x = at[t + 7] * channels + d;
                FloatVector.fromArray(S, gx, x).add(g7).intoArray(gx, x);
            }
        }
    }

    /** Gradient of the projection's weight [padded row][D] over one lane block: += transpose of gproj times x. */
    private static void projectionWeight(
            float[] gproj, float[] xs, float[] dweight, int tile, int d, int channels, int row, int steps) {
        for (int j = 0; j < row; j += 8) {
            int i = j * channels + d;
            FloatVector g0 = FloatVector.fromArray(S, dweight, i);
            FloatVector g1 = FloatVector.fromArray(S, dweight, i + channels);
            FloatVector g2 = FloatVector.fromArray(S, dweight, i + 2 * channels);
            FloatVector g3 = FloatVector.fromArray(S, dweight, i + 3 * channels);
            FloatVector g4 = FloatVector.fromArray(S, dweight, i + 4 * channels);
            FloatVector g5 = FloatVector.fromArray(S, dweight, i + 5 * channels);
            FloatVector g6 = FloatVector.fromArray(S, dweight, i + 6 * channels);
            FloatVector g7 = FloatVector.fromArray(S, dweight, i + 7 * channels);
            for (int t = 0, o = tile, p = j; t < steps; t++, o += V, p += row) {
                FloatVector u = FloatVector.fromArray(S, xs, o);
                g0 = u.fma(FloatVector.broadcast(S, gproj[p]), g0);
                g1 = u.fma(FloatVector.broadcast(S, gproj[p + 1]), g1);
                g2 = u.fma(FloatVector.broadcast(S, gproj[p + 2]), g2);
                g3 = u.fma(FloatVector.broadcast(S, gproj[p + 3]), g3);
                g4 = u.fma(FloatVector.broadcast(S, gproj[p + 4]), g4);
                g5 = u.fma(FloatVector.broadcast(S, gproj[p + 5]), g5);
                g6 = u.fma(FloatVector.broadcast(S, gproj[p + 6]), g6);
                g7 = u.fma(FloatVector.broadcast(S, gproj[p + 7]), g7);
            }
            g0.intoArray(dweight, i);
            g1.intoArray(dweight, i + channels);
            g2.intoArray(dweight, i + 2 * channels);
            g3.intoArray(dweight, i + 3 * channels);
            g4.intoArray(dweight, i + 4 * channels);
            g5.intoArray(dweight, i + 5 * channels);
            g6.intoArray(dweight, i + 6 * channels);
            g7.intoArray(dweight, i + 7 * channels);
        }
    }

    /**
     * Gathers one lane block of a chunk: step = softplus(bias + weight * time-step row), drive = step * x, optionally x
     * itself and sigmoid of the same.
     */
    private static void prepare(
            float[] x,
            int[] at,
            float[] proj,
            float[] w,
            float[] bias,
            float[] step,
            float[] drive,
            float @Nullable [] xs,
            float @Nullable [] sig,
            int tile,
            int d,
            int channels,
            int row,
            int first,
            int rank,
            int steps) {
        FloatVector b = FloatVector.fromArray(S, bias, d);
        FloatVector minusLog2e = FloatVector.broadcast(S, -LOG2E);
        for (int t = 0, o = tile, c = first; t < steps; t++, o += V, c += row) {
            FloatVector z = b;
            for (int r = 0; r < rank; r++)
                z = FloatVector.fromArray(S, w, r * channels + d).fma(FloatVector.broadcast(S, proj[c + r]), z);
            FloatVector e = exp2(z.abs(), minusLog2e);
            VectorMask<Float> negative = z.lt(0f);
            // One division for e / (e + 2) and 1 / (e + 1).
            FloatVector e1 = e.add(1f);
            FloatVector e2 = e.add(2f);
            FloatVector inverse = FloatVector.broadcast(S, 1f).div(e1.mul(e2));
            FloatVector q = e.mul(e1).mul(inverse);
            FloatVector q2 = q.mul(q);
            FloatVector p = q2.fma(FloatVector.broadcast(S, 0.14089167f), FloatVector.broadcast(S, 0.13980302f));
            p = p.fma(q2, FloatVector.broadcast(S, 0.20012455f));
            p = p.fma(q2, FloatVector.broadcast(S, 0.33333158f));
            p = p.fma(q2, FloatVector.broadcast(S, 1f));
            FloatVector s = q.add(q).fma(p, z.max(0f));
            FloatVector u = FloatVector.fromArray(S, x, at[t] * channels + d);
            s.intoArray(step, o);
            s.mul(u).intoArray(drive, o);
            if (sig != null) {
                FloatVector sigmoid = inverse.mul(e2);
                sigmoid.blend(e.mul(sigmoid), negative).intoArray(sig, o);
                u.intoArray(xs, o);
            }
        }
    }

    private static void gather(float[] map, int[] at, float[] tile, int o, int d, int channels, int steps) {
        for (int t = 0; t < steps; t++, o += V)
            FloatVector.fromArray(S, map, at[t] * channels + d).intoArray(tile, o);
    }

    private static void scatter(float[] tile, int[] at, float[] map, int d, int channels, int steps) {
        for (int t = 0; t < steps; t++) FloatVector.fromArray(S, tile, t * V).intoArray(map, at[t] * channels + d);
    }

    /** Two states of one lane block over a chunk; four at once have been twice as slow. */
    private static void recur(
            float[] step,
            float[] drive,
            float[] proj,
            float[] out,
            float[] a2,
            float[] h,
            int ah,
            int b,
            int row,
            int steps) {
        FloatVector a0 = FloatVector.fromArray(S, a2, ah);
        FloatVector a1 = FloatVector.fromArray(S, a2, ah + V);
        FloatVector h0 = FloatVector.fromArray(S, h, ah);
        FloatVector h1 = FloatVector.fromArray(S, h, ah + V);
        for (int t = 0, o = 0; t < steps; t++, o += V, b += row) {
            FloatVector s = FloatVector.fromArray(S, step, o);
            FloatVector u = FloatVector.fromArray(S, drive, o);
            FloatVector y = FloatVector.fromArray(S, out, o);
            h0 = exp2(s, a0).fma(h0, u.mul(proj[b]));
            h1 = exp2(s, a1).fma(h1, u.mul(proj[b + 1]));
            y = h0.fma(FloatVector.broadcast(S, proj[b + PASS]), y);
            y = h1.fma(FloatVector.broadcast(S, proj[b + PASS + 1]), y);
            y.intoArray(out, o);
        }
        h0.intoArray(h, ah);
        h1.intoArray(h, ah + V);
    }

    /** Recomputes two states of a chunk, keeping every decay and state beside those of the pass's other two. */
    private static void replay(
            float[] step,
            float[] drive,
            float[] proj,
            float[] a2,
            float[] h,
            float[] decay,
            float[] history,
            int w,
            int tile,
            int ah,
            int b,
            int row,
            int steps) {
        FloatVector a0 = FloatVector.fromArray(S, a2, ah);
        FloatVector a1 = FloatVector.fromArray(S, a2, ah + V);
        FloatVector h0 = FloatVector.fromArray(S, h, ah);
        FloatVector h1 = FloatVector.fromArray(S, h, ah + V);
        h0.intoArray(history, w);
        h1.intoArray(history, w + V);
        for (int t = 0, o = tile; t < steps; t++, o += V, b += row, w += PASS * V) {
            FloatVector s = FloatVector.fromArray(S, step, o);
            FloatVector u = FloatVector.fromArray(S, drive, o);
            FloatVector e0 = exp2(s, a0);
            FloatVector e1 = exp2(s, a1);
            h0 = e0.fma(h0, u.mul(proj[b]));
            h1 = e1.fma(h1, u.mul(proj[b + 1]));
            e0.intoArray(decay, w);
            e1.intoArray(decay, w + V);
            h0.intoArray(history, w + PASS * V);
            h1.intoArray(history, w + PASS * V + V);
        }
    }

    /**
     * Adjoint recursion of four states over a chunk, last step first: those of the states and of C, B, A. Sums so far
     * come from {@code before}.
     */
    private static void adjoint(
            float[] step,
            float[] drive,
            float[] gy,
            float[] proj,
            float[] a2,
            float[] da,
            float[] dh,
            float[] gdriveBefore,
            float[] gdrive,
            float[] gstepBefore,
            float[] gstep,
            int beforeTile,
            float[] before,
            float[] lanes,
            float[] decay,
            float[] history,
            int tile,
            int ah,
            int b0,
            int row,
            int steps) {
        FloatVector a0 = FloatVector.fromArray(S, a2, ah);
        FloatVector a1 = FloatVector.fromArray(S, a2, ah + V);
        FloatVector a2v = FloatVector.fromArray(S, a2, ah + 2 * V);
        FloatVector a3 = FloatVector.fromArray(S, a2, ah + 3 * V);
        FloatVector g0 = FloatVector.fromArray(S, dh, ah);
        FloatVector g1 = FloatVector.fromArray(S, dh, ah + V);
        FloatVector g2 = FloatVector.fromArray(S, dh, ah + 2 * V);
        FloatVector g3 = FloatVector.fromArray(S, dh, ah + 3 * V);
        FloatVector da0 = FloatVector.fromArray(S, da, ah);
        FloatVector da1 = FloatVector.fromArray(S, da, ah + V);
        FloatVector da2 = FloatVector.fromArray(S, da, ah + 2 * V);
        FloatVector da3 = FloatVector.fromArray(S, da, ah + 3 * V);
        for (int t = steps - 1; t >= 0; t--) {
            int o = tile + t * V;
            int w = t * 4 * V;
            int l = t * 8 * V;
            int b = t * row + b0;
            FloatVector g = FloatVector.fromArray(S, gy, o);
            FloatVector u = FloatVector.fromArray(S, drive, o);
            FloatVector s = FloatVector.fromArray(S, step, o);
            g0 = g.fma(FloatVector.broadcast(S, proj[b + 4]), g0);
            g1 = g.fma(FloatVector.broadcast(S, proj[b + 5]), g1);
            g2 = g.fma(FloatVector.broadcast(S, proj[b + 6]), g2);
            g3 = g.fma(FloatVector.broadcast(S, proj[b + 7]), g3);
            g0.fma(u, FloatVector.fromArray(S, before, l)).intoArray(lanes, l);
            g1.fma(u, FloatVector.fromArray(S, before, l + V)).intoArray(lanes, l + V);
            g2.fma(u, FloatVector.fromArray(S, before, l + 2 * V)).intoArray(lanes, l + 2 * V);
            g3.fma(u, FloatVector.fromArray(S, before, l + 3 * V)).intoArray(lanes, l + 3 * V);
            g.fma(FloatVector.fromArray(S, history, w + 4 * V), FloatVector.fromArray(S, before, l + 4 * V))
                    .intoArray(lanes, l + 4 * V);
            g.fma(FloatVector.fromArray(S, history, w + 5 * V), FloatVector.fromArray(S, before, l + 5 * V))
                    .intoArray(lanes, l + 5 * V);
            g.fma(FloatVector.fromArray(S, history, w + 6 * V), FloatVector.fromArray(S, before, l + 6 * V))
                    .intoArray(lanes, l + 6 * V);
            g.fma(FloatVector.fromArray(S, history, w + 7 * V), FloatVector.fromArray(S, before, l + 7 * V))
                    .intoArray(lanes, l + 7 * V);
            FloatVector gd = FloatVector.fromArray(S, gdriveBefore, beforeTile + t * V);
            gd = g0.fma(FloatVector.broadcast(S, proj[b]), gd);
            gd = g1.fma(FloatVector.broadcast(S, proj[b + 1]), gd);
            gd = g2.fma(FloatVector.broadcast(S, proj[b + 2]), gd);
            gd = g3.fma(FloatVector.broadcast(S, proj[b + 3]), gd);
            gd.intoArray(gdrive, o);
            g0 = g0.mul(FloatVector.fromArray(S, decay, w));
            g1 = g1.mul(FloatVector.fromArray(S, decay, w + V));
            g2 = g2.mul(FloatVector.fromArray(S, decay, w + 2 * V));
            g3 = g3.mul(FloatVector.fromArray(S, decay, w + 3 * V));
            FloatVector t0 = g0.mul(FloatVector.fromArray(S, history, w));
            FloatVector t1 = g1.mul(FloatVector.fromArray(S, history, w + V));
            FloatVector t2 = g2.mul(FloatVector.fromArray(S, history, w + 2 * V));
            FloatVector t3 = g3.mul(FloatVector.fromArray(S, history, w + 3 * V));
            FloatVector gs = FloatVector.fromArray(S, gstepBefore, beforeTile + t * V);
            gs = t0.fma(a0, gs);
            gs = t1.fma(a1, gs);
            gs = t2.fma(a2v, gs);
            gs = t3.fma(a3, gs);
            gs.intoArray(gstep, o);
            da0 = t0.fma(s, da0);
            da1 = t1.fma(s, da1);
            da2 = t2.fma(s, da2);
            da3 = t3.fma(s, da3);
        }
        g0.intoArray(dh, ah);
        g1.intoArray(dh, ah + V);
        g2.intoArray(dh, ah + 2 * V);
        g3.intoArray(dh, ah + 3 * V);
        da0.intoArray(da, ah);
        da1.intoArray(da, ah + V);
        da2.intoArray(da, ah + 2 * V);
        da3.intoArray(da, ah + 3 * V);
    }

    /** Turns the chunk's gradients of drive and step into those of x, bias and the raw time step (left in gstep). */
    private static void finish(
            float[] step,
            float[] xs,
            float[] sig,
            float[] gdrive,
            float[] gstep,
            int[] at,
            float[] gx,
            float[] dbias,
            int tile,
            int d,
            int channels,
            int steps) {
        FloatVector sum = FloatVector.fromArray(S, dbias, d);
        for (int t = 0, o = tile; t < steps; t++, o += V) {
            FloatVector g = FloatVector.fromArray(S, gdrive, o);
            // a2 carries log2(e), hence ln 2 here.
            FloatVector gz = FloatVector.fromArray(S, gstep, o)
                    .mul(LN2)
                    .add(g.mul(FloatVector.fromArray(S, xs, o)))
                    .mul(FloatVector.fromArray(S, sig, o));
            gz.intoArray(gstep, o);
            sum = sum.add(gz);
            int i = at[t] * channels + d;
            g.fma(FloatVector.fromArray(S, step, o), FloatVector.fromArray(S, gx, i))
                    .intoArray(gx, i);
        }
        sum.intoArray(dbias, d);
    }

    /** Gradient of one column of the time step's projection, still in lanes, and of its weight. */
    private static void finishRank(
            float[] gstep,
            float[] proj,
            float[] w,
            float[] dw,
            float[] before,
            int beforeTile,
            float[] lanes,
            int lanesTile,
            int tile,
            int wd,
            int p,
            int row,
            int steps) {
        FloatVector weight = FloatVector.fromArray(S, w, wd);
        FloatVector sum = FloatVector.fromArray(S, dw, wd);
        for (int t = 0, i = 0; t < steps; t++, i += V, p += row) {
            FloatVector gz = FloatVector.fromArray(S, gstep, tile + i);
            sum = gz.fma(FloatVector.broadcast(S, proj[p]), sum);
            gz.fma(weight, FloatVector.fromArray(S, before, beforeTile + i)).intoArray(lanes, lanesTile + i);
        }
        sum.intoArray(dw, wd);
    }

    /**
     * Sums over lanes, eight vectors at a time into eight neighbours: a butterfly that halves the number of vectors
     * three times.
     */
    private static void sumLanes(float[] lanes, int from, float[] sums, int to, int stride, int count) {
        if (V != 8) {
            sumLanesPlainly(lanes, from, sums, to, stride, count);
            return;
        }
        for (int i = 0, l = from, o = to; i < count; i++, l += 8 * V, o += stride) {
            FloatVector v0 = FloatVector.fromArray(S, lanes, l);
            FloatVector v1 = FloatVector.fromArray(S, lanes, l + V);
            FloatVector v2 = FloatVector.fromArray(S, lanes, l + 2 * V);
            FloatVector v3 = FloatVector.fromArray(S, lanes, l + 3 * V);
            FloatVector v4 = FloatVector.fromArray(S, lanes, l + 4 * V);
            FloatVector v5 = FloatVector.fromArray(S, lanes, l + 5 * V);
            FloatVector v6 = FloatVector.fromArray(S, lanes, l + 6 * V);
            FloatVector v7 = FloatVector.fromArray(S, lanes, l + 7 * V);
            v0 = v0.blend(v1, ODD1).add(v1.blend(v0, ODD1).rearrange(SWAP1));
            v2 = v2.blend(v3, ODD1).add(v3.blend(v2, ODD1).rearrange(SWAP1));
            v4 = v4.blend(v5, ODD1).add(v5.blend(v4, ODD1).rearrange(SWAP1));
            v6 = v6.blend(v7, ODD1).add(v7.blend(v6, ODD1).rearrange(SWAP1));
            v0 = v0.blend(v2, ODD2).add(v2.blend(v0, ODD2).rearrange(SWAP2));
            v4 = v4.blend(v6, ODD2).add(v6.blend(v4, ODD2).rearrange(SWAP2));
            v0.blend(v4, ODD4).add(v4.blend(v0, ODD4).rearrange(SWAP4)).intoArray(sums, o);
        }
    }

    private static void sumLanesPlainly(float[] lanes, int from, float[] sums, int to, int stride, int count) {
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < 8; j++) {
                float sum = 0;
                for (int v = 0; v < V; v++) sum += lanes[from + (i * 8 + j) * V + v];
                sums[to + i * stride + j] = sum;
            }
        }
    }

    private static void loadMap(FloatBuffer src, float[] map, TrainingScanShape s, int image, int group) {
        int d = s.channels();
        int c = s.groups() * d;
        for (int l = 0; l < s.length(); l++) src.get((image * s.length() + l) * c + group * d, map, l * d, d);
        Arrays.fill(map, s.length() * d, map.length, 0);
    }

    private static void storeMap(float[] map, FloatBuffer dst, TrainingScanShape s, int image, int group) {
        int d = s.channels();
        int c = s.groups() * d;
        for (int l = 0; l < s.length(); l++) dst.put((image * s.length() + l) * c + group * d, map, l * d, d);
    }

    private static void loadParameters(Scratch m, TrainingScanShape s, Inputs in, int group, int k) {
        int channels = s.channels();
        int states = s.states();
        int row = s.paddedRow();
        int gk = (group * s.directions() + k) * channels;
        for (int d = 0; d < channels; d++) {
            int block = d / V * V * states + d % V;
            for (int n = 0; n < states; n++) m.a2[block + n * V] = in.a[(gk + d) * states + n] * LOG2E;
            for (int r = 0; r < s.rank(); r++) m.w[r * channels + d] = in.stepWeight[(gk + d) * s.rank() + r];
        }
        System.arraycopy(in.stepBias, gk, m.bias, 0, channels);
        if (in.projectionWeight == null) return;
        for (int j = 0; j < s.row(); j++) {
            int to = m.column[j];
            System.arraycopy(in.projectionWeight, gk * s.row() + j * channels, m.wp, to * channels, channels);
            for (int d = 0; d < channels; d++) m.wpByChannel[d * row + to] = m.wp[to * channels + d];
        }
    }

    /** Loads positions and projections of a chunk. */
    private static int loadChunk(Scratch m, TrainingScanShape s, Inputs in, int image, int group, int k, int chunk) {
        int first = chunk * CHUNK;
        int steps = Math.min(CHUNK, s.length() - first);
        System.arraycopy(in.order[k], first, m.at, 0, steps);
        Arrays.fill(m.at, steps, CHUNK, s.length());
        if (in.projectionWeight != null) {
            project(m.x, m.at, m.wpByChannel, m.proj, s.channels(), s.paddedRow(), steps);
            return steps;
        }
        int base = (group * s.batch() + image) * s.length();
        for (int t = 0; t < steps; t++) {
            int from = ((base + m.at[t]) * s.directions() + k) * s.row();
            for (int j = 0; j < s.row(); j++) m.proj[t * s.paddedRow() + m.column[j]] = in.projection.get(from + j);
        }
        return steps;
    }

    private static int checkpoint(TrainingScanShape s, int image, int group, int k, int chunk) {
        return (((image * s.groups() + group) * s.directions() + k) * s.chunks() + chunk) * s.channels() * s.states();
    }

    /**
     * What both passes read. Small parameters come as arrays, big activations as native buffers. Either the projections
     * or the weight to compute them with is null.
     */
    record Inputs(
            FloatBuffer x,
            @Nullable FloatBuffer projection,
            float @Nullable [] projectionWeight,
            float[] stepWeight,
            float[] stepBias,
            float[] a,
            float[] skip,
            int[][] order) {
        Inputs(
                FloatBuffer x,
                FloatBuffer projection,
                float[] stepWeight,
                float[] stepBias,
                float[] a,
                float[] skip,
                int[][] order) {
            this(x, projection, null, stepWeight, stepBias, a, skip, order);
        }
    }

    /**
     * Gradients of one scan; buffers are overwritten, arrays too. That of x includes the way through the projections if
     * they are computed here.
     */
    record Gradients(
            FloatBuffer x,
            @Nullable FloatBuffer projection,
            float @Nullable [] projectionWeight,
            float[] stepWeight,
            float[] stepBias,
            float[] a,
            float[] skip) {
        Gradients(
                FloatBuffer x, FloatBuffer projection, float[] stepWeight, float[] stepBias, float[] a, float[] skip) {
            this(x, projection, null, stepWeight, stepBias, a, skip);
        }
    }

    /** @param checkpoints filled for backward; null when none will come */
    static void forward(TrainingScanShape s, Inputs in, FloatBuffer y, @Nullable FloatBuffer checkpoints) {
        check(s);
        int channels = s.channels();
        int states = s.states();
        int row = s.paddedRow();
        int dn = channels * states;
        ScanThreads.run(s.batch() * s.groups(), () -> scratch(s), (task, m) -> {
            int image = task / s.groups();
            int group = task % s.groups();
            loadMap(in.x, m.x, s, image, group);
            System.arraycopy(in.skip, group * channels, m.skip, 0, channels);
            for (int i = 0; i < m.x.length; i += channels) {
                for (int d = 0; d < channels; d++) m.y[i + d] = m.x[i + d] * m.skip[d];
            }
            for (int k = 0; k < s.directions(); k++) {
                loadParameters(m, s, in, group, k);
                Arrays.fill(m.h, 0);
                for (int chunk = 0; chunk < s.chunks(); chunk++) {
                    if (checkpoints != null) checkpoints.put(checkpoint(s, image, group, k, chunk), m.h, 0, dn);
                    int steps = loadChunk(m, s, in, image, group, k, chunk);
                    for (int d = 0; d < channels; d += V) {
                        prepare(
                                m.x,
                                m.at,
                                m.proj,
                                m.w,
                                m.bias,
                                m.step,
                                m.drive,
                                null,
                                null,
                                0,
                                d,
                                channels,
                                row,
                                2 * states,
                                s.rank(),
                                steps);
                        gather(m.y, m.at, m.out, 0, d, channels, steps);
                        for (int n = 0; n < states; n += 2) {
                            recur(
                                    m.step,
                                    m.drive,
                                    m.proj,
                                    m.out,
                                    m.a2,
                                    m.h,
                                    d * states + n * V,
                                    n / PASS * QUAD + n % PASS,
                                    row,
                                    steps);
                        }
                        scatter(m.out, m.at, m.y, d, channels, steps);
                    }
                }
            }
            storeMap(m.y, y, s, image, group);
        });
    }

    static void backward(TrainingScanShape s, Inputs in, FloatBuffer checkpoints, FloatBuffer gy, Gradients out) {
        check(s);
        int channels = s.channels();
        int dn = channels * s.states();
        int dr = channels * s.rank();
        int dp = in.projectionWeight == null ? 0 : channels * s.row();
        int directions = s.directions();
        // One private block of parameter gradients per task, summed in a fixed order afterwards.
        int each = dn + dr + channels + dp;
        int block = directions * each + channels;
        float[][] partial = new float[s.batch() * s.groups()][];
        ScanThreads.run(s.batch() * s.groups(), () -> scratch(s), (task, m) -> {
            int image = task / s.groups();
            int group = task % s.groups();
            float[] sums = new float[block];
            loadMap(in.x, m.x, s, image, group);
            loadMap(gy, m.y, s, image, group);
            System.arraycopy(in.skip, group * channels, m.skip, 0, channels);
            Arrays.fill(m.dskip, 0);
            for (int i = 0; i < m.x.length; i += channels) {
                for (int d = 0; d < channels; d++) {
                    m.gx[i + d] = m.y[i + d] * m.skip[d];
                    m.dskip[d] += m.y[i + d] * m.x[i + d];
                }
            }
            for (int k = 0; k < directions; k++) {
                loadParameters(m, s, in, group, k);
                Arrays.fill(m.dh, 0);
                Arrays.fill(m.da, 0);
                Arrays.fill(m.dw, 0);
                Arrays.fill(m.dbias, 0);
                Arrays.fill(m.dwp, 0);
                for (int chunk = s.chunks() - 1; chunk >= 0; chunk--) {
                    checkpoints.get(checkpoint(s, image, group, k, chunk), m.h, 0, dn);
                    int steps = loadChunk(m, s, in, image, group, k, chunk);
                    backwardStates(m, s, steps);
                    backwardProjections(m, s, in, out, image, group, k, steps);
                }
                int at = k * each;
                System.arraycopy(m.da, 0, sums, at, dn);
                System.arraycopy(m.dw, 0, sums, at + dn, dr);
                System.arraycopy(m.dbias, 0, sums, at + dn + dr, channels);
                for (int j = 0; j < dp / channels; j++) {
                    System.arraycopy(
                            m.dwp, m.column[j] * channels, sums, at + dn + dr + channels + j * channels, channels);
                }
            }
            System.arraycopy(m.dskip, 0, sums, block - channels, channels);
            partial[task] = sums;
            storeMap(m.gx, out.x, s, image, group);
        });
        reduce(s, partial, out);
    }

    /** A chunk's gradients up to its projections (gproj), the step's parameters and A. */
    private static void backwardStates(Scratch m, TrainingScanShape s, int steps) {
        int channels = s.channels();
        int states = s.states();
        int row = s.paddedRow();
        for (int d = 0; d < channels; d += V) {
            int tile = d * CHUNK;
            prepare(
                    m.x,
                    m.at,
                    m.proj,
                    m.w,
                    m.bias,
                    m.step,
                    m.drive,
                    m.xs,
                    m.sig,
                    tile,
                    d,
                    channels,
                    row,
                    2 * states,
                    s.rank(),
                    steps);
            gather(m.y, m.at, m.gy, tile, d, channels, steps);
        }
        for (int n = 0; n < states; n += PASS) {
            for (int d = 0; d < channels; d += V) {
                int tile = d * CHUNK;
                int ah = d * states + n * V;
                replay(m.step, m.drive, m.proj, m.a2, m.h, m.decay, m.history, 0, tile, ah, 2 * n, row, steps);
                replay(
                        m.step,
                        m.drive,
                        m.proj,
                        m.a2,
                        m.h,
                        m.decay,
                        m.history,
                        2 * V,
                        tile,
                        ah + 2 * V,
                        2 * n + 2,
                        row,
                        steps);
                adjoint(
                        m.step,
                        m.drive,
                        m.gy,
                        m.proj,
                        m.a2,
                        m.da,
                        m.dh,
                        n == 0 ? ZEROS : m.gdrive,
                        m.gdrive,
                        n == 0 ? ZEROS : m.gstep,
                        m.gstep,
                        n == 0 ? 0 : tile,
                        d == 0 ? ZEROS : m.lanes,
                        m.lanes,
                        m.decay,
                        m.history,
                        tile,
                        ah,
                        2 * n,
                        row,
                        steps);
            }
            sumLanes(m.lanes, 0, m.gproj, 2 * n, row, steps);
        }
        for (int d = 0; d < channels; d += V) {
            int tile = d * CHUNK;
            finish(m.step, m.xs, m.sig, m.gdrive, m.gstep, m.at, m.gx, m.dbias, tile, d, channels, steps);
            for (int r = 0; r < s.rank(); r++) {
                int lanes = r * CHUNK * V;
                finishRank(
                        m.gstep,
                        m.proj,
                        m.w,
                        m.dw,
                        d == 0 ? ZEROS : m.rankLanes,
                        d == 0 ? 0 : lanes,
                        m.rankLanes,
                        lanes,
                        tile,
                        r * channels + d,
                        2 * states + r,
                        row,
                        steps);
            }
        }
        sumLanes(m.rankLanes, 0, m.rankSums, 0, 8, s.rank() * CHUNK / 8);
        for (int t = 0; t < steps; t++) {
            for (int r = 0; r < s.rank(); r++) m.gproj[t * row + 2 * states + r] = m.rankSums[r * CHUNK + t];
        }
    }

    private static void backwardProjections(
            Scratch m, TrainingScanShape s, Inputs in, Gradients out, int image, int group, int k, int steps) {
        int row = s.paddedRow();
        if (in.projectionWeight != null) {
            unproject(m.gproj, m.wp, m.at, m.gx, s.channels(), s.row(), row, steps);
            for (int d = 0; d < s.channels(); d += V)
                projectionWeight(m.gproj, m.xs, m.dwp, d * CHUNK, d, s.channels(), row, steps);
            return;
        }
        int base = (group * s.batch() + image) * s.length();
        for (int t = 0; t < steps; t++) {
            int to = ((base + m.at[t]) * s.directions() + k) * s.row();
            for (int j = 0; j < s.row(); j++) out.projection.put(to + j, m.gproj[t * row + m.column[j]]);
        }
    }

    private static void reduce(TrainingScanShape s, float[][] partial, Gradients out) {
        int channels = s.channels();
        int states = s.states();
        int rank = s.rank();
        int dn = channels * states;
        int dr = channels * rank;
        int dp = out.projectionWeight == null ? 0 : channels * s.row();
        int each = dn + dr + channels + dp;
        for (float[] g : new float[][] {out.a, out.stepWeight, out.stepBias, out.skip}) Arrays.fill(g, 0);
        if (dp > 0) Arrays.fill(out.projectionWeight, 0);
        for (int task = 0; task < partial.length; task++) {
            int group = task % s.groups();
            float[] sums = partial[task];
            for (int k = 0; k < s.directions(); k++) {
                int at = k * each;
                int gk = (group * s.directions() + k) * channels;
                for (int d = 0; d < channels; d++) {
                    int lane = at + d / V * V * states + d % V;
                    for (int n = 0; n < states; n++) out.a[(gk + d) * states + n] += sums[lane + n * V];
                    for (int r = 0; r < rank; r++)
                        out.stepWeight[(gk + d) * rank + r] += sums[at + dn + r * channels + d];
                    out.stepBias[gk + d] += sums[at + dn + dr + d];
                }
                int weight = gk * s.row();
                int from = at + dn + dr + channels;
                for (int i = 0; i < dp; i++) out.projectionWeight[weight + i] += sums[from + i];
            }
            int end = sums.length - channels;
            for (int d = 0; d < channels; d++) out.skip[group * channels + d] += sums[end + d];
        }
    }

    private static void check(TrainingScanShape s) {
        if (s.checkpointSize() > Integer.MAX_VALUE / 4) {
            throw new IllegalArgumentException(
                    "a scan over " + s + " exceeds the 2 GiB a buffer can address: use a smaller batch");
        }
    }
}
