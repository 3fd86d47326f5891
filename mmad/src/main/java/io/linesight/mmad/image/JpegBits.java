package io.linesight.mmad.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

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
    /** Of the next symbol in a {@link UnitTable}, and the coefficients of its block so far. */
    private int place;

    private int coefficients;
    private boolean sound;

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
        place = 0;
        coefficients = 0;
        sound = true;
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
     * Skips units of a sequential scan: the hot loop.
     *
     * @return how many were skipped, fewer where {@link #isSound} or {@link #overrun} tell why
     */
    int skipUnits(UnitTable table, int units) {
        int done = 0;
        while (done < units && sound) {
            done += skipQuickly(table, units - done);
            if (done == units) break;
            // Near a marker, or a symbol that has to be looked up by itself.
            int before = place;
            sound = skipSymbol(table);
            if (before != 0 && place == 0) {
                if (overrun()) break;
                done++;
            }
        }
        return done;
    }

    /** Skips units until a symbol has to be looked up by itself or the data end; returns how many have ended. */
    private int skipQuickly(UnitTable table, int units) {
        int[] entries = table.entries;
        int done = 0;
        // Copies, which stay in registers.
        long next = buffer;
        int left = available;
        int state = place;
        int k = coefficients;
        while (done < units && padding == 0) {
            if (left < UnitTable.MAX_BITS) {
                buffer = next;
                available = left;
                refill();
                next = buffer;
                left = available;
            }
            int entry = entries[state + (int) (next >>> 64 - UnitTable.PEEK)];
            int after = k + (entry >> 6 & 127);
            if (after > 63) break;
            // A shift takes the lowest six bits alone.
            next <<= entry;
            left -= entry & 63;
            k = after & (entry >> 14 & 1) - 1;
            state = entry >>> UnitTable.PLACE;
            done += entry >> 13 & 1;
        }
        buffer = next;
        available = left;
        place = state;
        coefficients = k;
        return done;
    }

    private boolean skipSymbol(UnitTable table) {
        fill();
        int entry = peek(table.table(place));
        if (entry == 0) return false;
        skip(HuffmanTable.bits(entry));
        if (table.isBeginning(place)) {
            coefficients = 1;
            place = table.inside(place);
            return true;
        }
        coefficients += HuffmanTable.advance(entry);
        if (coefficients < 64) return true;
        boolean ends = coefficients == 64 || coefficients >= HuffmanTable.END_OF_BLOCK;
        coefficients = 0;
        place = table.after(place);
        return ends;
    }

    /** Whether all codes were valid since the start. */
    boolean isSound() {
        return sound;
    }

    /**
     * Skips a block of a sequential scan, symbol by symbol.
     *
     * @return false when its codes are not valid
     */
    boolean skipBlock(HuffmanTable dc, HuffmanTable ac) {
        fill();
        int entry = peek(dc);
        if (entry == 0) return false;
        skip(HuffmanTable.bits(entry));
        int k = 1;
        while (k < 64) {
            fill();
            entry = peek(ac);
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
