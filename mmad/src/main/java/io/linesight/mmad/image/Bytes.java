package io.linesight.mmad.image;

/** Numbers in a file's bytes. Callers check the bounds. */
final class Bytes {
    private Bytes() {}

    static int u8(byte[] f, int at) {
        return f[at] & 0xff;
    }

    static int u16(byte[] f, int at) {
        return u8(f, at) << 8 | u8(f, at + 1);
    }

    static long u32(byte[] f, int at) {
        return (long) u16(f, at) << 16 | u16(f, at + 2);
    }

    static int u16(byte[] f, int at, boolean little) {
        return little ? u8(f, at) | u8(f, at + 1) << 8 : u16(f, at);
    }

    static long u32(byte[] f, int at, boolean little) {
        return little ? u16(f, at, true) | (long) u16(f, at + 2, true) << 16 : u32(f, at);
    }

    static boolean ascii(byte[] f, int at, String text) {
        if (at < 0 || f.length - at < text.length()) return false;
        for (int i = 0; i < text.length(); i++) {
            if (f[at + i] != (byte) text.charAt(i)) return false;
        }
        return true;
    }

    static boolean startsWith(byte[] f, byte[] prefix) {
        if (f.length < prefix.length) return false;
        for (int i = 0; i < prefix.length; i++) {
            if (f[i] != prefix[i]) return false;
        }
        return true;
    }
}
