package io.linesight.mmad.image;

import io.linesight.mmad.image.ImageNote.Kind;

/** Brings 16-bit samples to 8 bits. */
final class SampleRange {
    private SampleRange() {}

    /**
     * Narrows samples.
     *
     * @param samples two bytes each, the low one first
     * @param bits that are in use, from the lowest; what is above counts as white
     * @param inverted whether 0 is white
     * @param notes told when the samples use fewer bits, or more
     */
    static byte[] narrow(byte[] samples, int bits, boolean inverted, ImageNotes notes) {
        byte[] out = new byte[samples.length / 2];
        int top = (1 << bits) - 1;
        int max = 0;
        for (int i = 0; i < out.length; i++) {
            int value = samples[2 * i] & 0xff | (samples[2 * i + 1] & 0xff) << 8;
            if (inverted) value = 0xffff - value;
            max = Math.max(max, value);
            out[i] = (byte) (Math.min(value, top) >> bits - 8);
        }
        int used = 32 - Integer.numberOfLeadingZeros(max);
        if (max > top)
            notes.add(
                    Kind.RANGE,
                    "its samples reach " + max + ", more than the " + bits + " bits that are set; what is above counts "
                            + "as white");
        else if (max > 0 && used <= bits - 2)
            notes.add(
                    Kind.RANGE,
                    "its 16-bit samples reach only " + max + ", " + used + " bits, and are read with " + bits
                            + ": nearly black. For a camera of " + usual(used) + " bits set the sample bits ("
                            + DecodeSettings.SAMPLE_BITS + ", --sample-bits of commands) to " + usual(used));
        return out;
    }

    private static int usual(int used) {
        return Math.max(8, used + (used & 1));
    }
}
