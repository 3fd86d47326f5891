package io.linesight.mmad.image;

import static io.linesight.mmad.image.Bytes.ascii;
import static io.linesight.mmad.image.Bytes.u16;
import static io.linesight.mmad.image.Bytes.u32;

import java.util.HashMap;
import java.util.Map;

/** The first directory of a TIFF, or of the Exif data of another file, which has the same form. */
final class TiffTags {
    static final int WIDTH = 256;
    static final int HEIGHT = 257;
    static final int BITS = 258;
    static final int PHOTOMETRIC = 262;
    static final int ORIENTATION = 274;
    static final int SAMPLES = 277;
    static final int SAMPLE_FORMAT = 339;

    /** Real files have a few dozen. */
    private static final int MAX_ENTRIES = 4096;

    private final Map<Integer, Long> values = new HashMap<>();
    private int orientationAt = -1;
    private boolean sound;
    private boolean more;

    private TiffTags() {}

    /** Never fails; {@link #sound} says whether there is a directory. */
    static TiffTags of(byte[] f) {
        TiffTags tags = new TiffTags();
        boolean little = ascii(f, 0, "II*\0");
        if (f.length < 14 || (!little && !ascii(f, 0, "MM\0*"))) return tags;
        long at = u32(f, 4, little);
        if (at < 8 || at > f.length - 2) return tags;
        int n = u16(f, (int) at, little);
        long end = at + 2 + 12L * n;
        if (n > MAX_ENTRIES || end > f.length) return tags;
        for (int i = 0; i < n; i++) {
            int entry = (int) at + 2 + 12 * i;
            int type = u16(f, entry + 2, little);
            long count = u32(f, entry + 4, little);
            long value = type == 3 ? u16(f, entry + 8, little) : u32(f, entry + 8, little);
            // More than fits the entry is somewhere else; the first value stands for all.
            if (type == 3 && count > 2) value = value(f, u32(f, entry + 8, little), little);
            if (u16(f, entry, little) == ORIENTATION) tags.orientationAt = entry;
            tags.values.putIfAbsent(u16(f, entry, little), value);
        }
        tags.sound = true;
        tags.more = end + 4 <= f.length && u32(f, (int) end, little) != 0;
        return tags;
    }

    private static long value(byte[] f, long at, boolean little) {
        return at >= 8 && at + 2 <= f.length ? u16(f, (int) at, little) : 0;
    }

    boolean sound() {
        return sound;
    }

    /** Whether another directory, that is another page, follows. */
    boolean more() {
        return more;
    }

    long get(int tag, long otherwise) {
        return values.getOrDefault(tag, otherwise);
    }

    /** A TIFF whose orientation is the usual one. */
    static byte[] withoutOrientation(byte[] f) {
        byte[] copy = f.clone();
        int at = of(f).orientationAt;
        // The type of a tag that nobody knows.
        if (at >= 0) copy[at] = copy[at + 1] = (byte) 0xfe;
        return copy;
    }

    /** The orientation in Exif data, 1 where none is given. */
    static int orientation(byte[] exif) {
        long value = of(exif).get(ORIENTATION, 1);
        return value >= 1 && value <= 8 ? (int) value : 1;
    }
}
