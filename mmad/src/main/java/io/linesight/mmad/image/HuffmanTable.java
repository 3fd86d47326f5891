package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JPEG's Huffman table, made for walking over entropy-coded data without decoding it. Immutable.
 *
 * <p>An entry tells everything about a symbol at once: bits of code and value together ({@link #bits}), the
 * coefficients that it covers ({@link #advance}), the symbol itself and the bits of its code.
 */
final class HuffmanTable {
    /** Codes up to this length, nearly all of them, are looked up at once. */
    static final int PEEK = 11;

    /** {@link #advance} of a symbol that ends its block. */
    static final int END_OF_BLOCK = 128;

    private static final int MAX_LENGTH = 16;

    /** By the next bits: the entry of the first symbol; 0 where its code is longer. */
    final int[] quick = new int[1 << PEEK];

    /** That of the last unit whose first block had this table for AC. */
    volatile @Nullable UnitTable units;

    /** Bytes of data for which the table was used; a few that are lost between threads do no harm. */
    private int usedFor;

    private final int[] firstCode = new int[MAX_LENGTH + 2];
    private final int[] counts = new int[MAX_LENGTH + 2];
    private final int[] firstSymbol = new int[MAX_LENGTH + 2];
    private final int[] entries;

    /** The tables made last: a camera's files all have the same ones. */
    private static final Map<ByteBuffer, HuffmanTable> RECENT =
            Collections.synchronizedMap(new LinkedHashMap<>(32, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<ByteBuffer, HuffmanTable> eldest) {
                    return size() > 32;
                }
            });

    /** A table, made only when it is not one of those made last. Parameters as of the constructor. */
    static HuffmanTable of(boolean ac, byte[] data, int at, int symbols) throws BadImageException {
        byte[] key = new byte[1 + MAX_LENGTH + symbols];
        key[0] = (byte) (ac ? 1 : 0);
        System.arraycopy(data, at, key, 1, key.length - 1);
        HuffmanTable table = RECENT.get(ByteBuffer.wrap(key));
        if (table == null) RECENT.put(ByteBuffer.wrap(key), table = new HuffmanTable(ac, data, at));
        return table;
    }

    /**
     * @param ac whether symbols are run and size, else size only
     * @param counts number of codes by length, 16 bytes from {@code at}; the symbols follow
     */
    private HuffmanTable(boolean ac, byte[] data, int at) throws BadImageException {
        int symbols = 0;
        int code = 0;
        for (int length = 1; length <= MAX_LENGTH; length++) {
            counts[length] = data[at + length - 1] & 0xff;
            firstCode[length] = code;
            firstSymbol[length] = symbols;
            symbols += counts[length];
            code += counts[length];
            if (code > 1 << length) throw new BadImageException(CORRUPT, "JPEG damaged: impossible Huffman table");
            code <<= 1;
        }
        entries = new int[symbols];
        for (int length = 1; length <= MAX_LENGTH; length++) {
            for (int i = 0; i < counts[length]; i++) {
                int n = firstSymbol[length] + i;
                entries[n] = entry(ac, data[at + MAX_LENGTH + n] & 0xff, length);
                if (length > PEEK) continue;
                int from = (firstCode[length] + i) << (PEEK - length);
                Arrays.fill(quick, from, from + (1 << (PEEK - length)), entries[n]);
            }
        }
    }

    /** Whether data were read with this table that make up for a {@link UnitTable}, those to be read included. */
    boolean isWorth(int bytes) {
        usedFor += Math.min(bytes, UnitTable.WORTH);
        if (usedFor < UnitTable.WORTH) return false;
        usedFor = 0;
        return true;
    }

    private static int entry(boolean ac, int symbol, int length) {
        int size = symbol & 15;
        int advance = 1;
        if (ac) advance = size != 0 || symbol == 0xf0 ? (symbol >> 4) + 1 : END_OF_BLOCK;
        return length << 24 | symbol << 16 | advance << 8 | length + size;
    }

    /** Bits of code and value. */
    static int bits(int entry) {
        return entry & 0xff;
    }

    static int advance(int entry) {
        return entry >> 8 & 0xff;
    }

    static int symbol(int entry) {
        return entry >> 16 & 0xff;
    }

    /** Bits of the code alone. */
    static int codeBits(int entry) {
        return entry >>> 24;
    }

    /** The entry of the code at the top of 16 bits; 0 when there is none. */
    int find(int next16) {
        for (int length = 1; length <= MAX_LENGTH; length++) {
            int i = (next16 >> (MAX_LENGTH - length)) - firstCode[length];
            if (i >= 0 && i < counts[length]) return entries[firstSymbol[length] + i];
        }
        return 0;
    }

    /** Whether a block of zero bits means coefficients; where it means "nothing more", flat images have long runs. */
    boolean zerosMeanCoefficients() {
        int entry = find(0);
        return entry != 0 && advance(entry) != END_OF_BLOCK;
    }

    /**
     * Puts in the tables of the standard's annex K, which cameras that send MJPEG leave out: DC at 0, 1, AC at 4, 5.
     */
    static void standard(HuffmanTable[] tables) {
        tables[0] = Standard.DC_0;
        tables[1] = Standard.DC_1;
        tables[4] = Standard.AC_0;
        tables[5] = Standard.AC_1;
    }

    private static final class Standard {
        static final HuffmanTable DC_0 = table(false, "00010501010101010100000000000000", "000102030405060708090a0b");
        static final HuffmanTable DC_1 = table(false, "00030101010101010101010000000000", "000102030405060708090a0b");
        static final HuffmanTable AC_0 = table(
                true,
                "0002010303020403050504040000017d",
                "01020300041105122131410613516107227114328191a1082342b1c11552d1f0243362728209"
                        + "0a161718191a25262728292a3435363738393a434445464748494a535455565758595a"
                        + "636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4"
                        + "a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3"
                        + "e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa");
        static final HuffmanTable AC_1 = table(
                true,
                "00020102040403040705040400010277",
                "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a1624"
                        + "34e125f11718191a262728292a35363738393a434445464748494a535455565758595a"
                        + "636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3"
                        + "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3"
                        + "e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa");

        private static HuffmanTable table(boolean ac, String lengths, String symbols) {
            try {
                return new HuffmanTable(ac, HexFormat.of().parseHex(lengths + symbols), 0);
            } catch (BadImageException e) {
                throw new IllegalStateException("a table of the standard is none", e);
            }
        }
    }
}
