package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.FeatureNorm;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.onnx.OnnxGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes the network (MMAD_SPEC sections 3 to 7, simplified as in section 13, rule "expected" per image), each part by
 * a writer of its own.
 *
 * <p>Weights go into the graph raw, under their state-dict names; whatever can be computed from weights alone (stacking
 * the groups of a mixer, folding norms, A = -exp(A_logs)) is written as operators on constants, which the runtime
 * evaluates once when it loads the file.
 *
 * <p>Layout: maps are kept channels-last, {@code [B,L,C]} with L = side*side, because layer norms, products and the
 * scan want them so; convolutions see {@code [B,C,S,S]} between two transposes, which the CPU runtime merges with its
 * own reordering.
 */
final class NetworkWriter {
    private final OnnxGraph g;
    private final LayerWriter layers;
    private final ScanBlockWriter scans;
    private final DecoderWriter decoder;

    NetworkWriter(OnnxGraph graph, Weights weights) {
        this.g = graph;
        this.layers = new LayerWriter(graph, weights);
        this.scans = new ScanBlockWriter(layers);
        this.decoder = new DecoderWriter(layers, scans);
    }

    /** Intermediate values by the name tests know them by; values are channels-last where the network keeps them so. */
    Map<String, String> taps() {
        return layers.taps();
    }

    /** Features as fuser and decoder see them. */
    List<String> teacher(List<String> features, MmadConfig config) {
        List<String> out = new ArrayList<>();
        g.scope("teacher");
        for (int i = 0; i < 3; i++) {
            String t = features.get(i);
            if (config.featureNorm() == FeatureNorm.CHANNEL) {
                int c = config.encoderChannels().get(i);
                String p = "teacher_norm." + i + ".";
                t = g.mul(
                        g.sub(t, g.reshape(layers.param(p + "shift"), 1, c, 1, 1)),
                        g.reshape(layers.param(p + "scale"), 1, c, 1, 1));
            }
            layers.tap("feats_t" + i, t);
            out.add(t);
        }
        return out;
    }

    /** As {@link FuserWriter#fuser}. */
    String fuser(List<String> teacher, MmadConfig config) {
        return new FuserWriter(layers, scans).fuser(teacher, config);
    }

    /** As {@link DecoderWriter#decoder}. */
    List<String> decoder(String z, MmadConfig config) {
        return decoder.decoder(z, config);
    }

    /** As {@link DecoderWriter#hybridBlock}. */
    String hybridBlock(String x, String prefix, int c, int side, List<ScanKind> chain) {
        return decoder.hybridBlock(x, prefix, c, side, chain);
    }

    /** As {@link ScanBlockWriter#ss2d}. */
    String ss2d(String x, ScanBlockWriter.ScanBlocks blocks) {
        return scans.ss2d(x, blocks);
    }

    /** As {@link AnomalyMapWriter#anomalyMap}, from the latest {@link #decoder}. */
    String anomalyMap(List<String> teacher, List<String> student, MmadConfig config, String outputName) {
        return new AnomalyMapWriter(layers, decoder.levels()).anomalyMap(teacher, student, config, outputName);
    }

    /** As {@link AnomalyMapWriter#score}. */
    void score(String map, MmadConfig config, String outputName) {
        new AnomalyMapWriter(layers, decoder.levels()).score(map, config, outputName);
    }
}
