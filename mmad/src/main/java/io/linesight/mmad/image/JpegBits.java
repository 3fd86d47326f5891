package io.linesight.mmad.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The bits of a JPEG's entropy-coded data. Stuffed zeros are taken out; at a marker or the end of the file zeros follow
 * for ever and are counted as padding. Not thread-safe.
 */
final class JpegBits {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    /** Words of zeros in a row that no image has whose table gives them a meaning: 256 coefficients alike. */
    private static final int MANY_ZEROS = 8;

    private final byte[] file;
    int at;
    private long buffer;
    private int available;
    private int padding;
    private int zeroWords;
    private boolean zeroRun;

    JpegBits(byte[] file) {
        this.file = file;
    }

    /** Begins at a byte; bits left over are forgotten. */
    void start(int from) {
        at = from;
        available = 0;
        padding = 0;
        zeroWords = 0;
    }

    /** At least 32 bits, so that a code and its value can be taken. */
    void fill() {
        if (available >= 32) return;
        if (at + 4 <= file.length) {
            int word = (int) INT.get(file, at);
            // A byte of ff makes a zero byte of the complement.
            int inverse = ~word;
            if (((inverse - 0x01010101) & ~inverse & 0x80808080) == 0) {
                buffer = buffer << 32 | word & 0xffffffffL;
                available += 32;
                at += 4;
                zeroWords = word == 0 ? zeroWords + 1 : 0;
                if (zeroWords == MANY_ZEROS) zeroRun = true;
                return;
            }
        }
        fillByByte();
    }

    private void fillByByte() {
        while (available <= 56) {
            int value = 0;
            if (at < file.length && file[at] != (byte) 0xff) {
                value = file[at++] & 0xff;
            } else if (at + 1 < file.length && file[at + 1] == 0) {
                value = 0xff;
                at += 2;
            } else if (at + 1 < file.length && file[at + 1] == (byte) 0xff) {
                at++;
                continue;
            } else {
                padding += 8;
            }
            buffer = buffer << 8 | value;
            available += 8;
        }
    }

    /** The entry of the code that comes next, without taking it; 0 when no code of the table begins like that. */
    int peek(HuffmanTable table) {
        int entry = table.quick[(int) (buffer >>> (available - HuffmanTable.PEEK)) & HuffmanTable.MASK];
        return entry != 0 ? entry : table.find((int) (buffer >>> (available - 16)) & 0xffff);
    }

    /**
     * Skips a block of a sequential scan: the hot loop.
     *
     * @return false when its codes are not valid
     */
    boolean skipBlock(HuffmanTable dc, HuffmanTable ac) {
        fill();
        int entry = peek(dc);
        if (entry == 0) return false;
        available -= HuffmanTable.bits(entry);
        // Copies, which stay in registers.
        int[] several = ac.several;
        long next = buffer;
        int left = available;
        int k = 1;
        while (true) {
            if (left < 32) {
                available = left;
                fill();
                next = buffer;
                left = available;
            }
            int all = several[(int) (next >>> (left - HuffmanTable.SEVERAL_PEEK)) & HuffmanTable.SEVERAL_MASK];
            int after = k + (all >> 8 & 0xff);
            // Symbols after the block's last coefficient would be the next block's.
            if (all != 0 && after < 64) {
                left -= all & 0xff;
                k = after;
                if (all < HuffmanTable.ENDS) continue;
                available = left;
                return true;
            }
            available = left;
            entry = peek(ac);
            if (entry == 0) return false;
            left = available -= HuffmanTable.bits(entry);
            k += HuffmanTable.advance(entry);
            if (k >= 64) return k == 64 || k >= HuffmanTable.END_OF_BLOCK;
        }
    }

    void skip(int bits) {
        available -= bits;
    }

    int take(int bits) {
        if (bits == 0) return 0;
        available -= bits;
        return (int) (buffer >>> available) & (1 << bits) - 1;
    }

    /** Skips more bits than a fill gives. */
    void skipLong(int bits) {
        for (int left = bits; left > 0; left -= 32) {
            fill();
            available -= Math.min(32, left);
        }
    }

    /** Whether more was taken than there is before the marker. */
    boolean overrun() {
        return available < padding;
    }

    /** Whole bytes that were not taken yet of those already in the buffer. */
    int bytesLeft() {
        return Math.max(0, available - padding) / 8;
    }

    /** Whether a run of zeros was met, however often the reading was started. */
    boolean zeroRun() {
        return zeroRun;
    }
}
