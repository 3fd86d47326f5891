package io.linesight.mmad.image;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One table for all codes of a sequential scan's unit, made for walking over the unit's blocks without a branch for
 * each: it is looked up by a state and the next bits. There are two states for each block, one before its first
 * coefficient and one in it. An entry holds all symbols whose codes lie in the bits that are looked at, up to the end
 * of the block, with their values. Immutable.
 */
final class UnitTable {
    /** Bits that are looked at; more symbols at once would cost more in the processor's caches than they save. */
    static final int PEEK = 11;
    /** Bits that an entry may stand for: a code of all that are looked at, and its value. */
    static final int MAX_BITS = PEEK + 15;
    /** Bytes of image data from which on it pays to make a table. */
    static final int WORTH = 64 << 10;

    private static final int SIZE = 1 << PEEK;
    private static final int MAX_BLOCKS = 10;
    /** So many coefficients that no block has them: the symbol has to be looked up by itself. */
    private static final int SINGLY = 127 << 6;

    /** Where the next state's place lies in an entry. */
    static final int PLACE = 15;

    private static final int UNIT_ENDS = 1 << 13;
    private static final int BLOCK_ENDS = 1 << 14;

    /**
     * By state and next bits. From the lowest: bits taken (6), coefficients before the block's end (7), whether the
     * unit ends (1), whether the block does (1), the next state's place (17).
     */
    final int[] entries;

    private final HuffmanTable[] dc;
    private final HuffmanTable[] ac;

    private UnitTable(HuffmanTable[] dc, HuffmanTable[] ac) {
        this.dc = dc;
        this.ac = ac;
        entries = new int[2 * dc.length * SIZE];
        for (int block = 0; block < dc.length; block++) {
            fill(block, dc[block]);
            fill(block, null);
        }
    }

    /**
     * The table of a unit, made when it pays; kept with the unit's first AC table.
     *
     * @param dc of each block
     * @param ac of each block
     * @param bytes of image data that are to be read with it
     * @return null when making it would take longer than reading without
     */
    static @Nullable UnitTable of(HuffmanTable[] dc, HuffmanTable[] ac, int bytes) {
        UnitTable made = ac[0].units;
        if (made != null && Arrays.equals(made.dc, dc) && Arrays.equals(made.ac, ac)) return made;
        if (dc.length > MAX_BLOCKS || !ac[0].isWorth(bytes)) return null;
        return ac[0].units = new UnitTable(dc, ac);
    }

    /** @param first table of the first symbol at a block's beginning; null in the block */
    private void fill(int block, @Nullable HuffmanTable first) {
        int inside = (2 * block + 1) * SIZE;
        int place = first == null ? inside : inside - SIZE;
        int next = (block + 1) % dc.length * 2 * SIZE;
        int ends = BLOCK_ENDS | (next == 0 ? UNIT_ENDS : 0) | next << PLACE;
        for (int i = 0; i < SIZE; i++) {
            HuffmanTable table = first == null ? ac[block] : first;
            int bits = 0;
            int coefficients = 0;
            boolean ended = false;
            while (!ended && bits < PEEK) {
                int entry = table.quick[(i << bits & SIZE - 1) >> PEEK - HuffmanTable.PEEK];
                if (entry == 0 || bits + HuffmanTable.codeBits(entry) > PEEK) break;
                ended = HuffmanTable.advance(entry) == HuffmanTable.END_OF_BLOCK;
                if (!ended && coefficients + HuffmanTable.advance(entry) > 63) break;
                bits += HuffmanTable.bits(entry);
                if (!ended) coefficients += HuffmanTable.advance(entry);
                table = ac[block];
            }
            entries[place + i] = bits == 0 ? SINGLY : bits | coefficients << 6 | (ended ? ends : inside << PLACE);
        }
    }

    /** Whether a place is that of a block's beginning. */
    boolean isBeginning(int place) {
        return (place >> PEEK & 1) == 0;
    }

    /** The table of the symbol that comes next. */
    HuffmanTable table(int place) {
        int block = place >> PEEK + 1;
        return isBeginning(place) ? dc[block] : ac[block];
    }

    /** The place in a block that has begun. */
    int inside(int place) {
        return place + SIZE;
    }

    /** The place after a block; 0 when the unit ends with it. */
    int after(int place) {
        return ((place >> PEEK + 1) + 1) % dc.length * 2 * SIZE;
    }
}
