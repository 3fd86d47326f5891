package io.linesight.mmad.scan;

/**
 * The selective scan as the specification writes it, in double and one element at a time: the oracle of the operator's
 * tests.
 */
public final class ScanReference {
    private ScanReference() {}

    /** Arguments as in {@link ScanCase}; returns y [B*L*C]. */
    public static double[] run(ScanCase in) {
        ScanShape s = in.shape();
        int length = s.length();
        int channels = s.channels();
        int states = s.states();
        double[] y = new double[s.batch() * length * channels];
        double[] h = new double[states];
        for (int image = 0; image < s.batch(); image++) {
            for (int k = 0; k < s.directions(); k++) {
                for (int c = 0; c < channels; c++) {
                    int group = c / s.width();
                    java.util.Arrays.fill(h, 0);
                    for (int t = 0; t < length; t++) {
                        int pixel = image * length + in.order()[k * length + t];
                        double raw = (double) in.dt()[(pixel * s.directions() + k) * channels + c]
                                + in.bias()[k * channels + c];
                        double delta = raw > 30 ? raw : Math.log1p(Math.exp(raw));
                        double x = in.x()[pixel * channels + c];
                        int gate = ((pixel * s.directions() + k) * s.groups() + group) * states;
                        double out = 0;
                        for (int n = 0; n < states; n++) {
                            h[n] = Math.exp(delta * in.a()[(k * channels + c) * states + n]) * h[n]
                                    + delta * x * in.b()[gate + n];
                            out += in.c()[gate + n] * h[n];
                        }
                        y[pixel * channels + c] += out;
                    }
                }
            }
            for (int p = 0; p < length; p++) {
                for (int c = 0; c < channels; c++) {
                    int i = (image * length + p) * channels + c;
                    y[i] += (double) in.skip()[c] * in.x()[i];
                }
            }
        }
        return y;
    }
}
