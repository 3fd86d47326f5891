package io.linesight.trainer.scan;

import java.nio.FloatBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Forward and backward of the batched 2-D selective scan (MMAD_SPEC section 3) on native memory: lanes run over channels, time is cut in
 * chunks, states are checkpointed at chunk starts and recomputed in the backward pass. One task is one (image, group): it walks all
 * directions by the table of visiting orders and accumulates in raster order, so results do not depend on the number of threads.
 *
 * <p>Layouts (row-major): x, y [B,L,G*D]; projection [G,B,L,K,R+2N] (time step, B, C); step weight [G,K,D,R]; step bias [G,K,D];
 * A (negative) [G,K,D,N]; skip [G*D]; order [K][L]; checkpoints private.
 *
 * <p>The inner loops stay small methods with everything in locals: larger ones fall out of the compiler's vector intrinsics and are 50 times
 * slower.
 */
final class ScanKernel {
    /** 256-bit vectors fit every channel count the presets produce; 128-bit where the machine has no more. */
    private static final VectorSpecies<Float> S =
            FloatVector.SPECIES_PREFERRED.length() >= 8 ? FloatVector.SPECIES_256 : FloatVector.SPECIES_128;
    static final int LANES = S.length();
    static final int CHUNK = 32;
    private static final int V = LANES;
    private static final float MAGIC = 12582912f;
    private static final float LOG2E = 1.44269504f;
    private static final float LN2 = 0.69314718f;
    private static final int CLAMP = 0x4B400000 - 126;

    private ScanKernel() { }

    /** Working memory of one thread. */
    private static final class Scratch {
        final float[] x, y, gx, a2, da, w, dw, h, dh;
        final float[] step = new float[CHUNK * V], drive = new float[CHUNK * V], out = new float[CHUNK * V];
        final float[] sig = new float[CHUNK * V], xs = new float[CHUNK * V], gy = new float[CHUNK * V], gdrive = new float[CHUNK * V], gstep = new float[CHUNK * V];
        final float[] decay = new float[CHUNK * 2 * V], history = new float[(CHUNK + 1) * 2 * V];
        final float[] proj, gproj, lanes;
        final float[] skip, bias, dskip, dbias;
        final int[] at = new int[CHUNK];

        Scratch(ScanShape s) {
            int map = s.length() * s.channels();
            int dn = s.channels() * s.states();
            int dr = s.channels() * s.rank();
            x = new float[map];
            y = new float[map];
            gx = new float[map];
            a2 = new float[dn];
            da = new float[dn];
            h = new float[dn];
            dh = new float[dn];
            w = new float[dr];
            dw = new float[dr];
            proj = new float[CHUNK * s.row()];
            gproj = new float[CHUNK * s.row()];
            lanes = new float[CHUNK * s.row() * V];
            skip = new float[s.channels()];
            bias = new float[s.channels()];
            dskip = new float[s.channels()];
            dbias = new float[s.channels()];
        }
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

    /** Gathers one lane block of a chunk: step = softplus(bias + weight * time-step row), drive = step * x, optionally sigmoid of the same. */
    private static void prepare(float[] x, int[] at, float[] proj, float[] w, float[] bias, float[] step, float[] drive, float[] xs, float[] sig,
            int d, int channels, int row, int rank, int steps) {
        FloatVector b = FloatVector.fromArray(S, bias, d);
        FloatVector minusLog2e = FloatVector.broadcast(S, -LOG2E);
        for (int t = 0, o = 0; t < steps; t++, o += V) {
            FloatVector z = b;
            for (int r = 0; r < rank; r++) z = FloatVector.fromArray(S, w, r * channels + d).fma(FloatVector.broadcast(S, proj[t * row + r]), z);
            FloatVector e = exp2(z.abs(), minusLog2e);
            VectorMask<Float> negative = z.lt(0f);
            FloatVector q = e.div(e.add(2f));
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
                FloatVector inverse = FloatVector.broadcast(S, 1f).div(e.add(1f));
                inverse.blend(e.mul(inverse), negative).intoArray(sig, o);
                u.intoArray(xs, o);
            }
        }
    }

    private static void gather(float[] map, int[] at, float[] tile, int d, int channels, int steps) {
        for (int t = 0; t < steps; t++) FloatVector.fromArray(S, map, at[t] * channels + d).intoArray(tile, t * V);
    }

    private static void scatter(float[] tile, int[] at, float[] map, int d, int channels, int steps) {
        for (int t = 0; t < steps; t++) FloatVector.fromArray(S, tile, t * V).intoArray(map, at[t] * channels + d);
    }

    /** Two states of one lane block over a chunk. */
    private static void recur(float[] step, float[] drive, float[] proj, float[] out, float[] a2, float[] h, int ah, int b, int c, int row, int steps) {
        FloatVector a0 = FloatVector.fromArray(S, a2, ah);
        FloatVector a1 = FloatVector.fromArray(S, a2, ah + V);
        FloatVector h0 = FloatVector.fromArray(S, h, ah);
        FloatVector h1 = FloatVector.fromArray(S, h, ah + V);
        for (int t = 0, o = 0; t < steps; t++, o += V, b += row, c += row) {
            FloatVector s = FloatVector.fromArray(S, step, o);
            FloatVector u = FloatVector.fromArray(S, drive, o);
            FloatVector y = FloatVector.fromArray(S, out, o);
            h0 = exp2(s, a0).fma(h0, u.mul(proj[b]));
            h1 = exp2(s, a1).fma(h1, u.mul(proj[b + 1]));
            y = h0.fma(FloatVector.broadcast(S, proj[c]), y);
            y = h1.fma(FloatVector.broadcast(S, proj[c + 1]), y);
            y.intoArray(out, o);
        }
        h0.intoArray(h, ah);
        h1.intoArray(h, ah + V);
    }

    /** Recomputes two states of a chunk, keeping every decay and state. */
    private static void replay(float[] step, float[] drive, float[] proj, float[] a2, float[] h, float[] decay, float[] history, int ah, int b, int row, int steps) {
        FloatVector a0 = FloatVector.fromArray(S, a2, ah);
        FloatVector a1 = FloatVector.fromArray(S, a2, ah + V);
        FloatVector h0 = FloatVector.fromArray(S, h, ah);
        FloatVector h1 = FloatVector.fromArray(S, h, ah + V);
        h0.intoArray(history, 0);
        h1.intoArray(history, V);
        for (int t = 0, o = 0, w = 0; t < steps; t++, o += V, b += row, w += 2 * V) {
            FloatVector s = FloatVector.fromArray(S, step, o);
            FloatVector u = FloatVector.fromArray(S, drive, o);
            FloatVector e0 = exp2(s, a0);
            FloatVector e1 = exp2(s, a1);
            h0 = e0.fma(h0, u.mul(proj[b]));
            h1 = e1.fma(h1, u.mul(proj[b + 1]));
            e0.intoArray(decay, w);
            e1.intoArray(decay, w + V);
            h0.intoArray(history, w + 2 * V);
            h1.intoArray(history, w + 3 * V);
        }
    }

    /** Adjoint recursion of two states over a chunk, last step first. */
    private static void adjoint(float[] step, float[] drive, float[] gy, float[] proj, float[] a2, float[] da, float[] dh, float[] gdrive, float[] gstep,
            float[] lanes, float[] decay, float[] history, int ah, int b0, int c0, int row, int steps) {
        FloatVector a0 = FloatVector.fromArray(S, a2, ah);
        FloatVector a1 = FloatVector.fromArray(S, a2, ah + V);
        FloatVector g0 = FloatVector.fromArray(S, dh, ah);
        FloatVector g1 = FloatVector.fromArray(S, dh, ah + V);
        FloatVector da0 = FloatVector.fromArray(S, da, ah);
        FloatVector da1 = FloatVector.fromArray(S, da, ah + V);
        for (int t = steps - 1; t >= 0; t--) {
            int o = t * V;
            int w = 2 * o;
            int b = t * row + b0;
            int c = t * row + c0;
            FloatVector g = FloatVector.fromArray(S, gy, o);
            FloatVector u = FloatVector.fromArray(S, drive, o);
            FloatVector s = FloatVector.fromArray(S, step, o);
            g0 = g.fma(FloatVector.broadcast(S, proj[c]), g0);
            g1 = g.fma(FloatVector.broadcast(S, proj[c + 1]), g1);
            g.fma(FloatVector.fromArray(S, history, w + 2 * V), FloatVector.fromArray(S, lanes, c * V)).intoArray(lanes, c * V);
            g.fma(FloatVector.fromArray(S, history, w + 3 * V), FloatVector.fromArray(S, lanes, c * V + V)).intoArray(lanes, c * V + V);
            g0.fma(u, FloatVector.fromArray(S, lanes, b * V)).intoArray(lanes, b * V);
            g1.fma(u, FloatVector.fromArray(S, lanes, b * V + V)).intoArray(lanes, b * V + V);
            FloatVector gd = FloatVector.fromArray(S, gdrive, o);
            gd = g0.fma(FloatVector.broadcast(S, proj[b]), gd);
            gd = g1.fma(FloatVector.broadcast(S, proj[b + 1]), gd);
            gd.intoArray(gdrive, o);
            g0 = g0.mul(FloatVector.fromArray(S, decay, w));
            g1 = g1.mul(FloatVector.fromArray(S, decay, w + V));
            FloatVector t0 = g0.mul(FloatVector.fromArray(S, history, w));
            FloatVector t1 = g1.mul(FloatVector.fromArray(S, history, w + V));
            FloatVector gs = FloatVector.fromArray(S, gstep, o);
            gs = t0.fma(a0, gs);
            gs = t1.fma(a1, gs);
            gs.intoArray(gstep, o);
            da0 = t0.fma(s, da0);
            da1 = t1.fma(s, da1);
        }
        g0.intoArray(dh, ah);
        g1.intoArray(dh, ah + V);
        da0.intoArray(da, ah);
        da1.intoArray(da, ah + V);
    }

    /** Turns the chunk's gradients of drive and step into those of x, bias and the raw time step (left in gstep). */
    private static void finish(float[] step, float[] xs, float[] sig, float[] gdrive, float[] gstep, int[] at, float[] gx, float[] dbias, int d, int channels, int steps) {
        FloatVector sum = FloatVector.fromArray(S, dbias, d);
        for (int t = 0, o = 0; t < steps; t++, o += V) {
            FloatVector g = FloatVector.fromArray(S, gdrive, o);
            // a2 carries log2(e), hence ln 2 here.
            FloatVector gz = FloatVector.fromArray(S, gstep, o).mul(LN2).add(g.mul(FloatVector.fromArray(S, xs, o))).mul(FloatVector.fromArray(S, sig, o));
            gz.intoArray(gstep, o);
            sum = sum.add(gz);
            int i = at[t] * channels + d;
            g.fma(FloatVector.fromArray(S, step, o), FloatVector.fromArray(S, gx, i)).intoArray(gx, i);
        }
        sum.intoArray(dbias, d);
    }

    /** Gradient of one column of the time step's projection and of its weight. */
    private static void finishRank(float[] gstep, float[] proj, float[] w, float[] dw, float[] lanes, int wd, int r, int row, int steps) {
        FloatVector weight = FloatVector.fromArray(S, w, wd);
        FloatVector sum = FloatVector.fromArray(S, dw, wd);
        for (int t = 0, o = 0, i = r; t < steps; t++, o += V, i += row) {
            FloatVector g = FloatVector.fromArray(S, gstep, o);
            sum = g.fma(FloatVector.broadcast(S, proj[i]), sum);
            g.fma(weight, FloatVector.fromArray(S, lanes, i * V)).intoArray(lanes, i * V);
        }
        sum.intoArray(dw, wd);
    }

    private static void sumLanes(float[] lanes, float[] out, int n) {
        for (int i = 0, o = 0; i < n; i++, o += V) {
            float s0 = 0;
            float s1 = 0;
            float s2 = 0;
            float s3 = 0;
            for (int j = 0; j < V; j += 4) {
                s0 += lanes[o + j];
                s1 += lanes[o + j + 1];
                s2 += lanes[o + j + 2];
                s3 += lanes[o + j + 3];
            }
            out[i] = (s0 + s1) + (s2 + s3);
        }
    }

    private static void loadMap(FloatBuffer src, float[] map, ScanShape s, int image, int group) {
        int d = s.channels();
        int c = s.groups() * d;
        for (int l = 0; l < s.length(); l++) src.get((image * s.length() + l) * c + group * d, map, l * d, d);
    }

    private static void storeMap(float[] map, FloatBuffer dst, ScanShape s, int image, int group) {
        int d = s.channels();
        int c = s.groups() * d;
        for (int l = 0; l < s.length(); l++) dst.put((image * s.length() + l) * c + group * d, map, l * d, d);
    }

    private static void loadParameters(Scratch m, ScanShape s, Inputs in, int group, int k) {
        int channels = s.channels();
        int states = s.states();
        int gk = (group * s.directions() + k) * channels;
        for (int d = 0; d < channels; d++) {
            int block = d / V * V * states + d % V;
            for (int n = 0; n < states; n++) m.a2[block + n * V] = in.a[(gk + d) * states + n] * LOG2E;
            for (int r = 0; r < s.rank(); r++) m.w[r * channels + d] = in.stepWeight[(gk + d) * s.rank() + r];
        }
        System.arraycopy(in.stepBias, gk, m.bias, 0, channels);
    }

    /** Loads positions and projections of a chunk. */
    private static int loadChunk(Scratch m, ScanShape s, Inputs in, int image, int group, int k, int chunk) {
        int first = chunk * CHUNK;
        int steps = Math.min(CHUNK, s.length() - first);
        int row = s.row();
        int base = (group * s.batch() + image) * s.length();
        for (int t = 0; t < steps; t++) {
            int q = in.order[k][first + t];
            m.at[t] = q;
            in.projection.get(((base + q) * s.directions() + k) * row, m.proj, t * row, row);
        }
        return steps;
    }

    private static int checkpoint(ScanShape s, int image, int group, int k, int chunk) {
        return (((image * s.groups() + group) * s.directions() + k) * s.chunks() + chunk) * s.channels() * s.states();
    }

    /** What both passes read. Small parameters come as arrays, big activations as native buffers. */
    record Inputs(FloatBuffer x, FloatBuffer projection, float[] stepWeight, float[] stepBias, float[] a, float[] skip, int[][] order) { }

    /** Gradients of one scan; buffers are overwritten, arrays too. */
    record Gradients(FloatBuffer x, FloatBuffer projection, float[] stepWeight, float[] stepBias, float[] a, float[] skip) { }

    /** @param checkpoints filled for backward; null when none will come */
    static void forward(ScanShape s, Inputs in, FloatBuffer y, FloatBuffer checkpoints) {
        check(s);
        int channels = s.channels();
        int states = s.states();
        int row = s.row();
        int dn = channels * states;
        ScanThreads.run(s.batch() * s.groups(), () -> new Scratch(s), (task, m) -> {
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
                        prepare(m.x, m.at, m.proj, m.w, m.bias, m.step, m.drive, null, null, d, channels, row, s.rank(), steps);
                        gather(m.y, m.at, m.out, d, channels, steps);
                        for (int n = 0; n < states; n += 2) {
                            recur(m.step, m.drive, m.proj, m.out, m.a2, m.h, d * states + n * V, s.rank() + n, s.rank() + states + n, row, steps);
                        }
                        scatter(m.out, m.at, m.y, d, channels, steps);
                    }
                }
            }
            storeMap(m.y, y, s, image, group);
        });
    }

    static void backward(ScanShape s, Inputs in, FloatBuffer checkpoints, FloatBuffer gy, Gradients out) {
        check(s);
        int channels = s.channels();
        int states = s.states();
        int row = s.row();
        int dn = channels * states;
        int dr = channels * s.rank();
        int directions = s.directions();
        // One private block of parameter gradients per task, summed in a fixed order afterwards.
        int block = directions * (dn + dr + channels) + channels;
        float[][] partial = new float[s.batch() * s.groups()][];
        ScanThreads.run(s.batch() * s.groups(), () -> new Scratch(s), (task, m) -> {
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
                for (int chunk = s.chunks() - 1; chunk >= 0; chunk--) {
                    checkpoints.get(checkpoint(s, image, group, k, chunk), m.h, 0, dn);
                    int steps = loadChunk(m, s, in, image, group, k, chunk);
                    Arrays.fill(m.lanes, 0, steps * row * V, 0);
                    for (int d = 0; d < channels; d += V) {
                        prepare(m.x, m.at, m.proj, m.w, m.bias, m.step, m.drive, m.xs, m.sig, d, channels, row, s.rank(), steps);
                        gather(m.y, m.at, m.gy, d, channels, steps);
                        Arrays.fill(m.gdrive, 0);
                        Arrays.fill(m.gstep, 0);
                        for (int n = 0; n < states; n += 2) {
                            int ah = d * states + n * V;
                            replay(m.step, m.drive, m.proj, m.a2, m.h, m.decay, m.history, ah, s.rank() + n, row, steps);
                            adjoint(m.step, m.drive, m.gy, m.proj, m.a2, m.da, m.dh, m.gdrive, m.gstep, m.lanes, m.decay, m.history, ah,
                                    s.rank() + n, s.rank() + states + n, row, steps);
                        }
                        finish(m.step, m.xs, m.sig, m.gdrive, m.gstep, m.at, m.gx, m.dbias, d, channels, steps);
                        for (int r = 0; r < s.rank(); r++) finishRank(m.gstep, m.proj, m.w, m.dw, m.lanes, r * channels + d, r, row, steps);
                    }
                    sumLanes(m.lanes, m.gproj, steps * row);
                    int base = (group * s.batch() + image) * s.length();
                    for (int t = 0; t < steps; t++) out.projection.put(((base + m.at[t]) * directions + k) * row, m.gproj, t * row, row);
                }
                int at = k * (dn + dr + channels);
                System.arraycopy(m.da, 0, sums, at, dn);
                System.arraycopy(m.dw, 0, sums, at + dn, dr);
                System.arraycopy(m.dbias, 0, sums, at + dn + dr, channels);
            }
            System.arraycopy(m.dskip, 0, sums, block - channels, channels);
            partial[task] = sums;
            storeMap(m.gx, out.x, s, image, group);
        });
        reduce(s, partial, out);
    }

    private static void reduce(ScanShape s, float[][] partial, Gradients out) {
        int channels = s.channels();
        int states = s.states();
        int rank = s.rank();
        int dn = channels * states;
        int dr = channels * rank;
        for (float[] g : new float[][] {out.a, out.stepWeight, out.stepBias, out.skip}) Arrays.fill(g, 0);
        for (int task = 0; task < partial.length; task++) {
            int group = task % s.groups();
            float[] sums = partial[task];
            for (int k = 0; k < s.directions(); k++) {
                int at = k * (dn + dr + channels);
                int gk = (group * s.directions() + k) * channels;
                for (int d = 0; d < channels; d++) {
                    int lane = at + d / V * V * states + d % V;
                    for (int n = 0; n < states; n++) out.a[(gk + d) * states + n] += sums[lane + n * V];
                    for (int r = 0; r < rank; r++) out.stepWeight[(gk + d) * rank + r] += sums[at + dn + r * channels + d];
                    out.stepBias[gk + d] += sums[at + dn + dr + d];
                }
            }
            int end = sums.length - channels;
            for (int d = 0; d < channels; d++) out.skip[group * channels + d] += sums[end + d];
        }
    }

    private static void check(ScanShape s) {
        if (s.projectionSize() > Integer.MAX_VALUE / 4 || s.checkpointSize() > Integer.MAX_VALUE / 4) {
            throw new IllegalArgumentException("a scan over " + s + " exceeds the 2 GiB a buffer can address: use a smaller batch");
        }
    }
}
