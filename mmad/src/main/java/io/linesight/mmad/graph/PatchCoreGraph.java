package io.linesight.mmad.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.PatchBank;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes PatchCore (Roth et al. 2022) as one self-contained ONNX model: encoder, patches, distance of each to its
 * nearest neighbour in a bank of normal patches, anomaly map and score. Inputs and outputs are those of
 * {@link MmadGraph}, and here too an image's result does not depend on the others of its batch.
 *
 * <p>A patch is the mean of the 3x3 neighbourhood of the encoder's features at stride 8, and of those at stride 16
 * brought to stride 8, side by side. At the border the mean is over the neighbours that exist.
 */
public final class PatchCoreGraph {
    /** Name of the output of {@link #patches}. */
    public static final String PATCHES = "patches";
    /** Patches along a side of the image. */
    public static final int SIDE = 32;
    /** Patches of an image. */
    public static final int PATCH_COUNT = SIDE * SIDE;

    /**
     * Rows of the bank compared at a time: bounds the memory of a batch, and keeps the products in cache until their
     * minimum is taken.
     */
    private static final int CHUNK = 1024;
    /** Patches that make the score: one in a hundred. */
    private static final int ANOMALOUS_PATCHES = 10;
    /** Neighbours that the score's weight looks at, the nearest one among them. */
    private static final int NEIGHBOURS = 9;

    /** How the distances of an image's patches become its score. */
    public enum Score {
        /** The mean of the ten largest: of a single patch that is far from all others normal images have some too. */
        MEAN_OF_LARGEST,
        /** As published: the largest, weighed by how alone its nearest patch is in the bank. */
        REWEIGHTED
    }

    private PatchCoreGraph() {}

    /** Channels of a patch. */
    public static int channels(Encoder encoder) {
        return encoder.channels().get(1) + encoder.channels().get(2);
    }

    /**
     * The first part alone, for training: {@link MmadGraph#FRAMES} to {@value #PATCHES} {@code [N,1024,D]}, row by row
     * of the image, as the encoder gives them.
     */
    public static ModelProto patches(Encoder encoder) {
        OnnxGraph g = OnnxGraph.graph("patches");
        g.op("Identity", features(g, encoder)).out(PATCHES);
        g.output(PATCHES, Type.FLOAT, "N", PATCH_COUNT, channels(encoder));
        return encoder.model(g);
    }

    /**
     * The model, without metadata.
     *
     * @throws IllegalArgumentException when the bank is of another encoder
     */
    public static ModelProto write(PatchBank bank, Encoder encoder, Score score) {
        int channels = channels(encoder);
        if (bank.channels() != channels) {
            throw new IllegalArgumentException("the bank's patches have " + bank.channels()
                    + " channels, those of encoder '" + encoder.name() + "' " + channels);
        }
        int side = MmadConfig.INPUT_SIZE;
        OnnxGraph g = OnnxGraph.graph("patchcore");
        String patches = features(g, encoder);
        g.scope("patchcore");
        String shift = g.tensor("patchcore.shift", bank.shift());
        String vectors = g.tensor("patchcore.bank", bank.vectors());
        float[] norms = norms(bank.vectors());
        patches = g.reshape(g.sub(patches, shift), -1, channels);

        String norm = squares(g, patches);
        String distance = rooted(g, g.add(nearest(g, patches, vectors, norms, channels), norm));
        String square = g.reshape(distance, -1, SIDE, SIDE);
        float[] smoothing = AnomalyMapMatrix.of(SIDE);
        for (int i = 0; i < smoothing.length; i++)
            smoothing[i] *= 3; // it divides by the three scales of MMAD; here is one
        String left = g.floats(smoothing, side, SIDE);
        g.op("MatMul", g.matmul(left, square), g.transpose(left, 1, 0)).out(MmadGraph.ANOMALY_MAP);
        String byImage = g.reshape(distance, -1, PATCH_COUNT);
        g.scope("score");
        switch (score) {
            case MEAN_OF_LARGEST -> {
                String largest = g.op("TopK", byImage, g.longs(ANOMALOUS_PATCHES))
                        .attr("axis", 1)
                        .attr("sorted", 1)
                        .outs(2)
                        .get(0);
                g.op("ReduceMean", largest, g.longs(1)).attr("keepdims", 0).out(MmadGraph.SCORE);
            }
            case REWEIGHTED -> reweighted(g, g.reshape(patches, -1, PATCH_COUNT, channels), byImage, vectors, norms);
        }
        g.output(MmadGraph.ANOMALY_MAP, Type.FLOAT, "N", side, side);
        g.output(MmadGraph.SCORE, Type.FLOAT, "N");
        return encoder.model(g);
    }

    /** Frames to patches [N,1024,D]. */
    private static String features(OnnxGraph g, Encoder encoder) {
        int side = MmadConfig.INPUT_SIZE;
        g.scope("frames");
        g.input(MmadGraph.FRAMES, Type.UINT8, "N", 3, side, side);
        List<String> maps = encoder.mergeInto(g, MmadGraph.ENCODER_PREFIX, Encoder.scaleFrames(g, MmadGraph.FRAMES));
        g.scope("patches");
        String fine = g.neighbourMean(maps.get(1));
        String coarse = g.neighbourMean(maps.get(2));
        String scales = g.floats(new float[] {1, 1, 2, 2}, 4);
        String raised = g.op("Resize", coarse, "", scales)
                .attr("mode", "linear")
                .attr("coordinate_transformation_mode", "half_pixel")
                .out();
        return g.reshape(
                g.transpose(g.concat(1, List.of(fine, raised)), 0, 2, 3, 1), -1, PATCH_COUNT, channels(encoder));
    }

    /** [M,D] to the squared length of every row [M]. */
    private static String squares(OnnxGraph g, String rows) {
        return g.reduce("ReduceSumSquare", rows, false, 1);
    }

    /** A rounding error must not become the root of a negative number. */
    private static String rooted(OnnxGraph g, String squared) {
        return g.op("Sqrt", g.op("Max", squared, g.scalar(0)).out()).out();
    }

    /** min over b of |b|^2 - 2xb for every row x [M,D]: the squared distance to its nearest neighbour, less |x|^2. */
    private static String nearest(OnnxGraph g, String rows, String bank, float[] norms, int channels) {
        int chunks = (norms.length + CHUNK - 1) / CHUNK;
        long[] sizes = new long[chunks];
        for (int i = 0; i < chunks; i++) sizes[i] = Math.min(CHUNK, norms.length - i * CHUNK);
        // The runtime cuts constants once, when it loads the file.
        List<String> parts = chunks == 1 ? List.of(bank) : g.split(bank, 0, sizes);
        List<String> minima = new ArrayList<>();
        for (int i = 0; i < chunks; i++) {
            float[] norm = java.util.Arrays.copyOfRange(norms, i * CHUNK, i * CHUNK + (int) sizes[i]);
            minima.add(g.reduce("ReduceMin", without(g, rows, parts.get(i), g.floats(norm, norm.length)), false, 1));
        }
        return chunks == 1
                ? minima.get(0)
                : g.op("Min", minima.toArray(String[]::new)).out();
    }

    /** |b|^2 - 2xb for every row x of [M,D] and every row b of [K,D]: [M,K]. */
    private static String without(OnnxGraph g, String rows, String bank, String norms) {
        return g.op("Gemm", rows, bank, norms)
                .attr("alpha", -2f)
                .attr("transB", 1)
                .out();
    }

    /**
     * The largest distance of an image times 1 - exp(d(x,m)) / sum over the neighbours n of m in the bank of
     * exp(d(x,n)), m being the bank's patch that is nearest to x (equation 7 of the paper).
     */
    private static void reweighted(OnnxGraph g, String patches, String distance, String bank, float[] norms) {
        String lengths = g.floats(norms, norms.length);
        String largest = g.reduce("ReduceMax", distance, false, 1);
        String where =
                g.op("ArgMax", distance).attr("axis", 1).attr("keepdims", 1).out();
        String x = g.op("GatherND", patches, where).attr("batch_dims", 1).out();
        String toAll = g.add(without(g, x, bank, lengths), g.reduce("ReduceSumSquare", x, true, 1));
        String index = g.op("ArgMin", toAll).attr("axis", 1).attr("keepdims", 0).out();
        String m = g.op("Gather", bank, index).attr("axis", 0).out();
        int count = Math.min(NEIGHBOURS, norms.length);
        List<String> near = g.op("TopK", without(g, m, bank, lengths), g.longs(count))
                .attr("axis", 1)
                .attr("largest", 0)
                .outs(2);
        // The nearest to m is m itself, or a twin of it.
        String toNear = rooted(
                g, g.op("GatherElements", toAll, near.get(1)).attr("axis", 1).out());
        String share = g.split(g.op("Softmax", toNear).attr("axis", 1).out(), 1, 1, count - 1)
                .get(0);
        String weight = g.sub(g.scalar(1), g.reshape(share, -1));
        g.op("Mul", largest, weight).out(MmadGraph.SCORE);
    }

    private static float[] norms(Tensor vectors) {
        int channels = vectors.shape()[1];
        float[] norms = new float[vectors.shape()[0]];
        for (int i = 0; i < norms.length; i++) {
            double sum = 0;
            for (int k = 0; k < channels; k++)
                sum += (double) vectors.data()[i * channels + k] * vectors.data()[i * channels + k];
            norms[i] = (float) sum;
        }
        return norms;
    }
}
