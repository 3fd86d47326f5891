package io.linesight.trainer.distill;

import java.util.ArrayList;
import java.util.List;

/**
 * The student's layers: a plain ResNet whose three stages end in a projection each.
 *
 * @param stem channels after the first convolution, at stride 2
 * @param widths channels of the trunk at strides 4, 8, 16; the outputs have as many
 * @param blocks residual blocks at strides 4, 8, 16
 */
record Architecture(int stem, List<Integer> widths, List<Integer> blocks) {
    /** What the encoder may cost: multiplications for a 256x256 image, and bytes of its file. */
    static final long MAX_MACS = 1_500_000_000L;

    static final long MAX_BYTES = 12_000_000L;

    /** A convolution, followed by batch normalisation unless it is a projection. */
    record Conv(String name, int in, int out, int kernel, int stride, int inputStride, boolean projection) {}

    static Architecture standard() {
        return new Architecture(32, List.of(64, 128, 256), List.of(1, 2, 1));
    }

    /** In the order of evaluation. */
    List<Conv> layers() {
        List<Conv> layers = new ArrayList<>();
        layers.add(new Conv("stem", 3, stem, 3, 2, 1, false));
        int in = stem;
        for (int s = 0; s < 3; s++) {
            int stride = 4 << s;
            int width = widths.get(s);
            layers.add(new Conv("down" + stride, in, width, 3, 2, stride / 2, false));
            for (int b = 0; b < blocks.get(s); b++) {
                layers.add(new Conv("block" + stride + "." + b + ".conv1", width, width, 3, 1, stride, false));
                layers.add(new Conv("block" + stride + "." + b + ".conv2", width, width, 3, 1, stride, false));
            }
            layers.add(new Conv("f" + stride, width, width, 1, 1, stride, true));
            in = width;
        }
        return layers;
    }

    /** Multiplications for one image of side x side pixels. */
    long macs(int side) {
        long macs = 0;
        for (Conv c : layers()) {
            long out = side / (c.inputStride * c.stride);
            macs += out * out * c.kernel * c.kernel * c.in * c.out;
        }
        return macs;
    }

    /** Numbers in the exported network, batch normalisation folded in. */
    long parameters() {
        return layers().stream()
                .mapToLong(c -> (long) c.kernel * c.kernel * c.in * c.out + c.out)
                .sum();
    }

    /** @throws IllegalStateException when the network costs more than an encoder may */
    void check() {
        if (macs(256) > MAX_MACS || 4 * parameters() > MAX_BYTES) {
            throw new IllegalStateException("the student needs " + macs(256) + " multiplications an image and "
                    + 4 * parameters() + " bytes; at most " + MAX_MACS + " and " + MAX_BYTES + " are allowed");
        }
    }
}
