package io.linesight.mmad.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.architecture.ImageMemory;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.PatchMemory;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes retrieval as one self-contained ONNX model: encoder, the remembered images that are most like the frame, the
 * distance of each patch to the nearest one near its place in them, anomaly map and score. Inputs and outputs are those
 * of {@link MmadGraph}, and here too an image's result does not depend on the others of its batch. Two more outputs say
 * which image is nearest: {@value #NEAREST} {@code [N]} int64, its number, and {@value #NEAREST_DISTANCE} {@code [N]},
 * in deviations.
 *
 * <p>A patch is the mean of the 3x3 neighbourhood of the encoder's features, at the border of those that exist. The map
 * is the mean over strides 8 and 16 of the log distance above what is normal at that place, in deviations; the score is
 * the mean of its highest hundredth. After RAD (retrieval-based anomaly detection, 2026), which compares with similar
 * images only, and there only near the same place.
 */
public final class RetrievalGraph {
    /** Name of the output with the number of the nearest remembered image. */
    public static final String NEAREST = "nearest";
    /** Name of the output with its distance. */
    public static final String NEAREST_DISTANCE = "nearest_distance";
    /** Name of the second input, {@code [N]} int64, of a memory of several places: what place each frame shows. */
    public static final String PLACE = "place";
    /** Name of the output of {@link #features} with the mean feature at stride 16. */
    public static final String MEAN = "mean";

    private static final String PREFIX = "retrieval.";
    private static final String PATCHES = "patches.";
    /** Share of the map's pixels, the highest, that make the score: from 0.005 to 0.02 it found the same. */
    public static final double TOP_SHARE = 0.01;
    /** Nearness of an image of another place. */
    private static final float ELSEWHERE = -1e30f;

    private RetrievalGraph() {}

    /** Name of the output of {@link #features} with the patches of a scale: 0 is stride 8, 1 is stride 16. */
    public static String patches(int scale) {
        return PATCHES + side(scale);
    }

    /** Places along a side of the image: 32 at stride 8, 16 at stride 16. */
    public static int side(int scale) {
        return 32 >> scale;
    }

    /** Channels of the encoder at a scale. */
    public static int channels(Encoder encoder, int scale) {
        return encoder.channels().get(scale + 1);
    }

    /**
     * The first part alone, for training: {@link MmadGraph#FRAMES} to patches {@code [N,C,S,S]}, C filled up with zeros
     * to a multiple of four, and to the mean feature {@code [N,C]}.
     *
     * @param projections as {@link ImageMemory#projections}
     */
    public static ModelProto features(Encoder encoder, List<Tensor> projections) {
        OnnxGraph g = OnnxGraph.graph("features");
        Features features = features(g, encoder, projections);
        for (int s = 0; s < ImageMemory.STRIDES; s++) {
            g.op("Identity", features.patches.get(s)).out(patches(s));
            int channels = projections.isEmpty()
                    ? channels(encoder, s)
                    : projections.get(s).shape()[0];
            g.output(patches(s), Type.FLOAT, "N", PatchMemory.padded(channels), side(s), side(s));
        }
        g.op("Identity", features.mean).out(MEAN);
        g.output(MEAN, Type.FLOAT, "N", channels(encoder, 1));
        return encoder.model(g);
    }

    /**
     * The model, without metadata.
     *
     * @throws IllegalArgumentException when the memory is of another encoder
     */
    public static ModelProto write(ImageMemory memory, Encoder encoder) {
        check(memory, encoder);
        OnnxGraph g = OnnxGraph.graph("retrieval");
        Features features = features(g, encoder, memory.projections());
        Found found = lookup(g, memory.lookup(), features.mean);
        String product = g.op("Gather", integers(g, PREFIX + "product", memory.products()), found.nearest)
                .attr("axis", 0)
                .out();
        String sum = null;
        for (int s = 0; s < ImageMemory.STRIDES; s++) {
            String map = map(g, memory, s, features.patches.get(s), found.picks, product);
            sum = sum == null ? map : g.add(sum, map);
        }
        int side = MmadConfig.INPUT_SIZE;
        g.op("Identity", AnomalyMapWriter.positive(g, sum)).out(MmadGraph.ANOMALY_MAP);
        AnomalyMapWriter.score(g, sum, TOP_SHARE, MmadGraph.SCORE);
        g.output(MmadGraph.ANOMALY_MAP, Type.FLOAT, "N", side, side);
        g.output(MmadGraph.SCORE, Type.FLOAT, "N");
        g.output(NEAREST, Type.INT64, "N");
        g.output(NEAREST_DISTANCE, Type.FLOAT, "N");
        ModelProto.Builder model = encoder.model(g).toBuilder();
        model.addOpsetImportBuilder().setDomain(SelectiveScanFunction.DOMAIN).setVersion(1);
        return model.addFunctions(NearestPatchesFunction.definition(encoder.opset()))
                .build();
    }

    private static void check(ImageMemory memory, Encoder encoder) {
        for (int s = 0; s < ImageMemory.STRIDES; s++) {
            int channels = memory.projections().isEmpty()
                    ? memory.strides().get(s).channels()
                    : memory.projections().get(s).shape()[1];
            if (channels != channels(encoder, s) || memory.strides().get(s).side() != side(s))
                throw new IllegalArgumentException("the memory's patches have " + channels + " channels, those of"
                        + " encoder '" + encoder.name() + "' " + channels(encoder, s));
        }
        if (memory.lookup().shift().size() != channels(encoder, 1))
            throw new IllegalArgumentException("the lookup is of another encoder than '" + encoder.name() + "'");
    }

    /** By scale [N,C,S,S], and [N,C]. */
    private record Features(List<String> patches, String mean) {}

    private static Features features(OnnxGraph g, Encoder encoder, List<Tensor> projections) {
        int side = MmadConfig.INPUT_SIZE;
        g.scope("frames");
        g.input(MmadGraph.FRAMES, Type.UINT8, "N", 3, side, side);
        List<String> maps = encoder.mergeInto(g, MmadGraph.ENCODER_PREFIX, Encoder.scaleFrames(g, MmadGraph.FRAMES));
        List<String> patches = new ArrayList<>();
        for (int s = 0; s < ImageMemory.STRIDES; s++) {
            g.scope("patches/" + side(s));
            String x = g.neighbourMean(maps.get(s + 1));
            int channels = channels(encoder, s);
            if (!projections.isEmpty()) {
                Tensor p = projections.get(s);
                int to = p.shape()[0];
                x = g.op(
                                "Conv",
                                x,
                                g.tensor(PREFIX + side(s) + ".projection", new Tensor(p.data(), to, channels, 1, 1)))
                        .out();
                channels = to;
            }
            int missing = PatchMemory.padded(channels) - channels;
            if (missing > 0)
                x = g.op("Pad", x, g.longs(0, 0, 0, 0, 0, missing, 0, 0), g.scalar(0))
                        .out();
            patches.add(x);
        }
        g.scope("lookup");
        return new Features(patches, g.reduce("ReduceMean", maps.get(2), false, 2, 3));
    }

    /** The images to compare with [N,K], and the nearest of them [N]. */
    private record Found(String picks, String nearest) {}

    private static Found lookup(OnnxGraph g, ImageMemory.Lookup lookup, String mean) {
        g.scope("lookup");
        String z = g.mul(
                g.sub(mean, g.tensor(PREFIX + "lookup.shift", lookup.shift())),
                g.tensor(PREFIX + "lookup.scale", lookup.scale()));
        int count = lookup.images().shape()[0];
        int channels = lookup.images().shape()[1];
        float[] squares = new float[count];
        for (int i = 0; i < count; i++) {
            double sum = 0;
            for (int c = 0; c < channels; c++) sum += Math.pow(lookup.images().data()[i * channels + c], 2);
            squares[i] = (float) sum;
        }
        // 2zi - |i|^2, which is |z|^2 less the squared distance. Not a plain product: a batch of one would sum in
        // another order.
        String nearness = g.op("Gemm", z, g.tensor(PREFIX + "lookup.images", lookup.images()), g.floats(squares, count))
                .attr("alpha", 2f)
                .attr("beta", -1f)
                .attr("transB", 1)
                .out();
        if (lookup.places() != null) nearness = ofOwnPlace(g, lookup.places(), nearness);
        List<String> top = g.op("TopK", nearness, g.longs(lookup.compared()))
                .attr("axis", 1)
                .attr("sorted", 1)
                .outs(2);
        String nearest =
                g.op("Slice", top.get(1), g.longs(0), g.longs(1), g.longs(1)).out();
        g.op("Squeeze", nearest, g.longs(1)).out(NEAREST);
        String most =
                g.op("Slice", top.get(0), g.longs(0), g.longs(1), g.longs(1)).out();
        String squared = g.sub(
                g.reduce("ReduceSumSquare", z, false, 1),
                g.op("Squeeze", most, g.longs(1)).out());
        g.op("Sqrt", g.mul(g.op("Max", squared, g.scalar(0)).out(), g.scalar(1f / channels)))
                .out(NEAREST_DISTANCE);
        if (lookup.places() == null) return new Found(top.get(1), NEAREST);
        // A place with fewer images than are compared: the nearest again, which changes nothing.
        String own = g.op("Greater", top.get(0), g.scalar(ELSEWHERE / 2)).out();
        return new Found(g.op("Where", own, top.get(1), nearest).out(), NEAREST);
    }

    /** The nearness [N,M] of images of other places pushed below all others. */
    private static String ofOwnPlace(OnnxGraph g, int[] places, String nearness) {
        g.input(PLACE, Type.INT64, "N");
        String own = g.op("Unsqueeze", PLACE, g.longs(1)).out();
        String same = g.op(
                        "Equal",
                        own,
                        g.op("Cast", integers(g, PREFIX + "lookup.places", places))
                                .attr("to", Type.INT64.code())
                                .out())
                .out();
        return g.op("Where", same, nearness, g.scalar(ELSEWHERE)).out();
    }

    /** One scale's part of the map, smoothed: [N,256,256]. */
    private static String map(
            OnnxGraph g, ImageMemory memory, int scale, String patches, String picks, String product) {
        int side = side(scale);
        g.scope("compare/" + side);
        PatchMemory known = memory.strides().get(scale);
        String bytes = g.bytes(
                PREFIX + side + ".patches", known.patches(), known.images(), side, known.paddedChannels() / 4, side, 4);
        String scales = g.tensor(PREFIX + side + ".scale", new Tensor(known.scales(), known.images(), side, side));
        String distance = NearestPatchesFunction.call(g, patches, picks, bytes, scales);
        String log =
                g.op("Log", g.add(distance, g.scalar(MmadConfig.MIN_DISTANCE))).out();
        String levels = g.op(
                        "Gather",
                        g.tensor(PREFIX + side + ".levels", memory.levels().get(scale)),
                        product)
                .attr("axis", 0)
                .out();
        List<String> parts = g.split(g.reshape(levels, 0, 2, side, side), 1, 1, 1);
        String excess = g.op(
                        "Div",
                        g.sub(log, g.op("Squeeze", parts.get(0), g.longs(1)).out()),
                        g.op("Squeeze", parts.get(1), g.longs(1)).out())
                .out();
        // The matrices divide by nine; here is the mean of two scales.
        float[] smoothing = AnomalyMapMatrix.of(side);
        for (int i = 0; i < smoothing.length; i++) smoothing[i] *= 3 / (float) Math.sqrt(ImageMemory.STRIDES);
        String left = g.floats(smoothing, MmadConfig.INPUT_SIZE, side);
        return g.matmul(g.matmul(left, excess), g.transpose(left, 1, 0));
    }

    private static String integers(OnnxGraph g, String name, int[] values) {
        return g.ints(name, values, values.length);
    }
}
