package io.linesight.mmad.encoder;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.List;

/**
 * An encoder that needs no training and no download: a cascade of oriented quadrature filters (a scattering transform
 * cut short).
 *
 * <p>Stride 4 holds the local energy of Gabor pairs on the luminance (two scales, eight orientations) and on two
 * opponent colours (four orientations each) plus smoothed colour itself; every further stride keeps the pooled energies
 * of the one before and adds the energy of oriented filters applied to each of them, which doubles the channels: 36,
 * 72, 144. Energies pass through a fourth root so that strong edges do not drown faint texture. It is the interim
 * encoder: a network trained on images sees more than this.
 */
public final class FilterBankEncoder {
    private static final int FINE = 8;
    private static final int COARSE = 8;
    private static final int COLOUR = 4;
    /** Smoothed colours, each split at two levels into what lies above and what lies below. */
    private static final int SMOOTH = 3 * 4;

    private static final int FIRST = FINE + COARSE + 2 * COLOUR + SMOOTH;

    private final OnnxGraph graph = OnnxGraph.graph("filter-bank");

    private FilterBankEncoder() {}

    /** The encoder; the same bytes at every call. */
    public static Encoder create() {
        return Encoder.of(new FilterBankEncoder().write(), "filter-bank-1");
    }

    private byte[] write() {
        String image = graph.input("image", Type.FLOAT, "N", 3, "H", "W");
        graph.output("f4", Type.FLOAT, "N", FIRST, "H4", "W4");
        graph.output("f8", Type.FLOAT, "N", 2 * FIRST, "H8", "W8");
        graph.output("f16", Type.FLOAT, "N", 4 * FIRST, "H16", "W16");

        // Luminance and two opponent colours: products differ by hue, defects mostly by luminance.
        String luminance = graph.op("Conv", image, graph.floats(new float[] {1 / 3f, 1 / 3f, 1 / 3f}, 1, 3, 1, 1))
                .out();
        String opponents = graph.op("Conv", image, graph.floats(new float[] {1, -1, 0, 0.5f, 0.5f, -1}, 2, 3, 1, 1))
                .out();
        String energies = energies(luminance, opponents);
        String levels = levels(pool(graph.concat(1, List.of(luminance, opponents)), 8, 4, 2));
        graph.op("Concat", pool(energies, 4, 2, 1), levels).attr("axis", 1).out("f4");
        second("f4", "f8", FIRST);
        second("f8", "f16", 2 * FIRST);

        return ModelProto.newBuilder()
                .setIrVersion(OnnxGraph.IR_VERSION)
                .setProducerName("linesight")
                .setGraph(graph.build())
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(OnnxGraph.OPSET))
                .build()
                .toByteArray();
    }

    private String energies(String luminance, String opponents) {
        // The coarse octave sees the image at half size, so that every filter stays 7x7.
        Bank fine = new Bank(FINE);
        for (int o = 0; o < FINE; o++) fine.gabor(o, Math.PI * o / FINE, 1);
        Bank coarse = new Bank(COARSE);
        for (int o = 0; o < COARSE; o++) coarse.gabor(o, Math.PI * (o + 0.5) / COARSE, 1);
        Bank colour = new Bank(2 * COLOUR);
        for (int i = 0; i < 2 * COLOUR; i++) colour.gabor(i, Math.PI * (i % COLOUR) / COLOUR, 1);
        return graph.concat(
                1,
                List.of(
                        energy(luminance, fine, 2, 1),
                        energy(pool(luminance, 2, 2, 0), coarse, 1, 1),
                        energy(pool(opponents, 2, 2, 0), colour, 1, 2)));
    }

    /**
     * Cosine distances need features that can vanish: a colour is given as how far it lies above and below fixed
     * levels.
     */
    private String levels(String smooth) {
        float[] split = new float[SMOOTH * 3];
        float[] bias = new float[SMOOTH];
        for (int c = 0; c < 3; c++) {
            for (int j = 0; j < 4; j++) {
                float level = c == 0 ? 0.2f + 0.3f * (j / 2) : 0.1f * (j / 2);
                float sign = j % 2 == 0 ? 1 : -1;
                split[(c * 4 + j) * 3 + c] = sign;
                bias[c * 4 + j] = -sign * level + (c == 0 ? 0 : 0.1f);
            }
        }
        return graph.op(
                        "Relu",
                        graph.op("Conv", smooth, graph.floats(split, SMOOTH, 3, 1, 1), graph.floats(bias, SMOOTH))
                                .out())
                .out();
    }

    /** Next stride: the pooled maps, and the oriented energy of each map (the orientation turns with the channel). */
    private void second(String in, String out, int channels) {
        Bank bank = new Bank(channels);
        // 3 is coprime to 8, so neighbouring input orientations meet different second orientations.
        for (int c = 0; c < channels; c++) bank.gabor(c, Math.PI * ((c * 3) % 8) / 8, 2);
        graph.op("Concat", pool(in, 4, 2, 1), pool(energy(in, bank, 1, channels), 4, 2, 1))
                .attr("axis", 1)
                .out(out);
    }

    /** Local energy of quadrature pairs: {@code (re^2 + im^2)^(1/4)}. */
    private String energy(String in, Bank bank, int stride, int groups) {
        int pad = bank.k / 2;
        // Borders are reflected before filtering: zero padding would draw a frame of edges around every image.
        String padded = graph.op("Pad", in, graph.longs(0, 0, pad, pad, 0, 0, pad, pad))
                .attr("mode", "reflect")
                .out();
        String re = graph.op("Conv", padded, bank.tensor(bank.even))
                .attrs("strides", stride, stride)
                .attr("group", groups)
                .out();
        String im = graph.op("Conv", padded, bank.tensor(bank.odd))
                .attrs("strides", stride, stride)
                .attr("group", groups)
                .out();
        // The floor keeps sensor noise on flat ground from being blown up by the root.
        String power = graph.add(graph.add(graph.mul(re, re), graph.mul(im, im)), graph.scalar(1e-5f));
        return graph.op("Sqrt", graph.op("Sqrt", power).out()).out();
    }

    private String pool(String in, int kernel, int stride, int pad) {
        return graph.op("AveragePool", in)
                .attrs("kernel_shape", kernel, kernel)
                .attrs("strides", stride, stride)
                .attrs("pads", pad, pad, pad, pad)
                .attr("count_include_pad", 0)
                .out();
    }

    /** Quadrature pairs of k x k filters, one input channel each; wavelength and spread in pixels of their input. */
    private final class Bank {
        private static final double WAVELENGTH = 3.6;
        private static final double SIGMA = 1.8;
        private final int rows;
        private final int k = 7;
        private final float[] even;
        private final float[] odd;

        Bank(int rows) {
            this.rows = rows;
            this.even = new float[rows * k * k];
            this.odd = new float[rows * k * k];
        }

        String tensor(float[] values) {
            return graph.floats(values, rows, 1, k, k);
        }

        /** Sets one row to a Gabor pair of zero mean; both of its filters have the energy gain^2. */
        void gabor(int row, double angle, double gain) {
            double cos = Math.cos(angle);
            double sin = Math.sin(angle);
            double[] re = new double[k * k];
            double[] im = new double[k * k];
            double[] window = new double[k * k];
            double sumRe = 0;
            double sumWindow = 0;
            for (int y = 0; y < k; y++) {
                for (int x = 0; x < k; x++) {
                    double dx = x - k / 2;
                    double dy = y - k / 2;
                    double u = dx * cos + dy * sin;
                    double v = -dx * sin + dy * cos;
                    int i = y * k + x;
                    window[i] = Math.exp(-(u * u + 0.5 * v * v) / (2 * SIGMA * SIGMA));
                    re[i] = window[i] * Math.cos(2 * Math.PI * u / WAVELENGTH);
                    im[i] = window[i] * Math.sin(2 * Math.PI * u / WAVELENGTH);
                    sumRe += re[i];
                    sumWindow += window[i];
                }
            }
            double normRe = 0;
            double normIm = 0;
            for (int i = 0; i < k * k; i++) {
                re[i] -= window[i] * sumRe / sumWindow;
                normRe += re[i] * re[i];
                normIm += im[i] * im[i];
            }
            int offset = row * k * k;
            for (int i = 0; i < k * k; i++) {
                even[offset + i] = (float) (gain * re[i] / Math.sqrt(normRe));
                odd[offset + i] = (float) (gain * im[i] / Math.sqrt(normIm));
            }
        }
    }
}
