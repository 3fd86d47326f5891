package io.linesight.mmad.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Writes encoder, fuser, decoder and anomaly map as one self-contained ONNX model.
 *
 * <p>Input {@value #FRAMES} {@code [N,3,256,256]}, outputs {@value #ANOMALY_MAP} {@code [N,256,256]} float and
 * {@value #SCORE} {@code [N]} float, N free. An image's result does not depend on the others of its batch. Weights are
 * initializers under their state-dict names, as given.
 */
public final class MmadGraph {
    /** Name of the input. */
    public static final String FRAMES = "frames";
    /**
     * Name of the smoothed anomaly map, from 0: about 0..1 for cosine distances, in deviations from the expected when
     * standardised or whitened.
     */
    public static final String ANOMALY_MAP = "anomaly_map";
    /** Name of the image score: the maximum of the map, or the mean over its highest pixels. */
    public static final String SCORE = "score";
    /** What every name that belongs to the encoder starts with. */
    public static final String ENCODER_PREFIX = "encoder.";
    /** What the names of exposed intermediate values start with. */
    public static final String TAP_PREFIX = "tap.";

    private MmadGraph() {}

    /**
     * How to write.
     *
     * @param floatFrames frames are float in [0,1] rather than uint8
     * @param taps expose intermediate values as further outputs {@code tap.<name>}, for tests
     */
    public record Options(boolean floatFrames, boolean taps) {
        /** 8-bit frames, no taps. */
        public static Options defaults() {
            return new Options(false, false);
        }
    }

    /** As {@link #write(MmadConfig, Weights, Encoder, Options)} with default options. */
    public static ModelProto write(MmadConfig config, Weights weights, Encoder encoder) {
        return write(config, weights, encoder, Options.defaults());
    }

    /**
     * The model, without metadata.
     *
     * @throws IllegalArgumentException when weights are missing or of the wrong shape, or the encoder's channels are
     *     not the configuration's
     */
    public static ModelProto write(MmadConfig config, Weights weights, Encoder encoder, Options options) {
        if (!encoder.channels().equals(config.encoderChannels())) {
            throw new IllegalArgumentException("the configuration is for an encoder with channels "
                    + config.encoderChannels() + ", but '" + encoder.name() + "' has " + encoder.channels());
        }
        check(config, weights);
        int side = MmadConfig.INPUT_SIZE;
        OnnxGraph g = OnnxGraph.graph("mmad").scope("frames");
        g.input(FRAMES, options.floatFrames() ? Type.FLOAT : Type.UINT8, "N", 3, side, side);
        List<String> features =
                encoder.mergeInto(g, ENCODER_PREFIX, options.floatFrames() ? FRAMES : Encoder.scaleFrames(g, FRAMES));

        NetworkWriter network = new NetworkWriter(g, weights);
        List<String> teacher = network.teacher(features, config);
        List<String> student = network.decoder(network.fuser(teacher, config), config);
        network.anomalyMap(teacher, student, config, ANOMALY_MAP);
        network.score(ANOMALY_MAP, config, SCORE);
        g.output(ANOMALY_MAP, Type.FLOAT, "N", side, side);
        g.output(SCORE, Type.FLOAT, "N");
        if (options.taps()) exposeTaps(g, network);
        return model(g, encoder.opset(), encoder);
    }

    static void exposeTaps(OnnxGraph g, NetworkWriter network) {
        network.taps().forEach((name, value) -> {
            String out = g.op("Identity", value).out(TAP_PREFIX + name);
            g.output(out, name.startsWith("keep") ? Type.BOOL : Type.FLOAT);
        });
    }

    /** A model around a graph; encoder may be null. */
    static ModelProto model(OnnxGraph g, int opset, Encoder encoder) {
        ModelProto.Builder m = ModelProto.newBuilder()
                .setIrVersion(OnnxGraph.IR_VERSION)
                .setProducerName("linesight")
                .setGraph(g.build());
        m.addOpsetImportBuilder().setDomain("").setVersion(opset);
        m.addOpsetImportBuilder().setDomain(SelectiveScanFunction.DOMAIN).setVersion(1);
        m.addOpsetImportBuilder()
                .setDomain(SelectiveScanFunction.CONTRIB_DOMAIN)
                .setVersion(1);
        if (encoder != null) {
            encoder.otherDomains().forEach((domain, version) -> {
                if (!domain.equals(SelectiveScanFunction.CONTRIB_DOMAIN))
                    m.addOpsetImportBuilder().setDomain(domain).setVersion(version);
            });
        }
        return m.addFunctions(SelectiveScanFunction.definition(opset)).build();
    }

    private static void check(MmadConfig config, Weights weights) {
        List<String> problems = new ArrayList<>();
        for (ParameterSpec spec : ParameterSpecs.of(config)) {
            if (!weights.has(spec.name())) {
                problems.add(spec.name() + " is missing");
                continue;
            }
            Tensor t = weights.get(spec.name());
            if (!Arrays.equals(t.shape(), spec.shape()))
                problems.add(
                        spec.name() + " is " + Arrays.toString(t.shape()) + ", not " + Arrays.toString(spec.shape()));
        }
        if (!problems.isEmpty()) {
            int shown = Math.min(5, problems.size());
            throw new IllegalArgumentException("the weights do not fit the configuration '" + config.preset() + "': "
                    + String.join("; ", problems.subList(0, shown))
                    + (problems.size() > shown ? "; and " + (problems.size() - shown) + " more" : ""));
        }
    }
}
