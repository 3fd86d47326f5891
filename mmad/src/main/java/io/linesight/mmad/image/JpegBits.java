package io.linesight.mmad.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The bits of a JPEG's entropy-coded data. Stuffed zeros are taken out; at a marker or the end of the file zeros follow
 * for ever and are counted as padding. Not thread-safe.
 */
final class JpegBits {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final long ONES = 0x0101010101010101L;
    private static final long TOPS = 0x8080808080808080L;
    /**
     * Bytes of zeros in a row that no image has whose table gives them a meaning: 200 bits of coefficients alike. Up to
     * six at the end of a run are not seen.
     */
    private static final int MANY_ZEROS = 26;
    /** Bits that a code and its value may have. */
    private static final int ENOUGH = 32;

    private final byte[] file;
    int at;
    private int begin;
    /**
     * The next bits, from the top. INVARIANT: those below {@link #available} are 0 or the next ones of the file, so
     * that reading them again changes nothing.
     */
    private long buffer;

    private int available;
    private int padding;
    private boolean zeroRun;

    JpegBits(byte[] file) {
        this.file = file;
    }

    /** Begins at a byte; bits left over are forgotten. */
    void start(int from) {
        at = from;
        begin = from;
        buffer = 0;
        available = 0;
        padding = 0;
    }

    /** At least 32 bits, so that a code and its value can be taken. */
    void fill() {
        if (available < ENOUGH) refill();
    }

    /** At least 56 bits. */
    private void refill() {
        if (at + 8 <= file.length) {
            long word = (long) LONG.get(file, at);
            // A byte of ff makes a zero byte of the complement.
            long inverse = ~word;
            if ((inverse - ONES & word & TOPS) == 0) {
                if (word == 0) meetZeros();
                buffer |= word >>> available;
                at += 63 - available >>> 3;
                available |= 56;
                return;
            }
        }
        refillByByte();
    }

    private void refillByByte() {
        while (available <= 56) {
            long value = 0;
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
            buffer |= value << 56 - available;
            available += 8;
        }
    }

    /** Counts those up to the eight that come now; those after them may be padding behind the last block. */
    private void meetZeros() {
        int from = at;
        int to = at + 8;
        while (from > begin && to - from < MANY_ZEROS && file[from - 1] == 0) from--;
        zeroRun |= to - from >= MANY_ZEROS;
    }

    /** The entry of the code that comes next, without taking it; 0 when no code of the table begins like that. */
    int peek(HuffmanTable table) {
        int entry = table.quick[(int) (buffer >>> 64 - HuffmanTable.PEEK)];
        return entry != 0 ? entry : table.find((int) (buffer >>> 48));
    }

    /**
     * Skips a block of a sequential scan: the hot loop.
     *
     * @param first by the next bits: symbols of a block from its beginning on; null where single ones are looked up
     * @return false when its codes are not valid
     */
    boolean skipBlock(HuffmanTable dc, HuffmanTable ac, int @Nullable [] first) {
        if (first == null) return skipSingly(dc, ac);
        if (available < ENOUGH) refill();
        int all = first[(int) (buffer >>> 64 - HuffmanTable.SEVERAL_PEEK)];
        int k = all >> 8 & 0xff;
        if (all == 0 || k > 63) return skipSingly(dc, ac);
        // Copies, which stay in registers.
        int[] several = ac.several();
        long next = buffer << all;
        int left = available - (all & 0xff);
        while (all < HuffmanTable.ENDS) {
            if (left < ENOUGH) {
                buffer = next;
                available = left;
                refill();
                next = buffer;
                left = available;
            }
            all = several[(int) (next >>> 64 - HuffmanTable.SEVERAL_PEEK)];
            k += all >> 8 & 0xff;
            // Symbols after the block's last coefficient would be the next block's.
            if (all == 0 || k > 63) {
                buffer = next;
                available = left;
                return skipRest(ac, k - (all >> 8 & 0xff));
            }
            // A shift takes the lowest six bits alone.
            next <<= all;
            left -= all & 0xff;
        }
        buffer = next;
        available = left;
        return true;
    }

    private boolean skipSingly(HuffmanTable dc, HuffmanTable ac) {
        fill();
        int entry = peek(dc);
        if (entry == 0) return false;
        skip(HuffmanTable.bits(entry));
        return skipRest(ac, 1);
    }

    private boolean skipRest(HuffmanTable ac, int from) {
        int k = from;
        while (k < 64) {
            fill();
            int entry = peek(ac);
            if (entry == 0) return false;
            skip(HuffmanTable.bits(entry));
            k += HuffmanTable.advance(entry);
        }
        return k == 64 || k >= HuffmanTable.END_OF_BLOCK;
    }

    void skip(int bits) {
        buffer <<= bits;
        available -= bits;
    }

    int take(int bits) {
        if (bits == 0) return 0;
        int value = (int) (buffer >>> 64 - bits);
        skip(bits);
        return value;
    }

    /** Skips more bits than a fill gives. */
    void skipLong(int bits) {
        for (int left = bits; left > 0; left -= 32) {
            fill();
            skip(Math.min(32, left));
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
