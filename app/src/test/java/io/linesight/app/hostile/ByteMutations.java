package io.linesight.app.hostile;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Changes of bytes, whatever they mean. One thread. */
final class ByteMutations {
    /** Larger inputs are not made. */
    static final int MAX_BYTES = 1 << 17;

    private static final long[] NUMBERS = {
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        15,
        16,
        17,
        31,
        32,
        63,
        64,
        127,
        128,
        129,
        255,
        256,
        257,
        1000,
        4095,
        4096,
        32767,
        32768,
        65535,
        65536,
        16_000_000,
        0x7fffffffL - 8,
        0x7fffffffL,
        0x80000000L,
        0xffffffffL,
        0x100000000L,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -1,
        -2,
        -128,
        -32768,
        Integer.MIN_VALUE,
        Long.MAX_VALUE - 1,
        1L << 40,
        1L << 62
    };

    /** The one source of chance of a mutator. */
    final Random random;

    ByteMutations(Random random) {
        this.random = random;
    }

    /** A number that programs find hard. */
    long anyNumber() {
        return NUMBERS[random.nextInt(NUMBERS.length)];
    }

    /** One change that needs no knowledge of the format. */
    byte[] mutate(byte[] b, List<byte[]> others) {
        if (b.length == 0) return random(1 + random.nextInt(64));
        int at = random.nextInt(b.length);
        int length =
                Math.min(b.length - at, 1 + (random.nextInt(4) == 0 ? random.nextInt(b.length) : random.nextInt(16)));
        switch (random.nextInt(12)) {
            case 0: {
                byte[] out = b.clone();
                out[at] ^= (byte) (1 << random.nextInt(8));
                return out;
            }
            case 1: {
                byte[] out = b.clone();
                out[at] = (byte) anyNumber();
                return out;
            }
            case 2, 3: {
                byte[] out = b.clone();
                putNumber(out, at);
                return out;
            }
            case 4:
                return Arrays.copyOf(b, at);
            case 5:
                return replaced(b, at, length, new byte[0]);
            case 6:
                return replaced(
                        b,
                        at,
                        0,
                        repeated(
                                Arrays.copyOfRange(b, at, at + length),
                                1 + random.nextInt(random.nextInt(8) == 0 ? 2000 : 3)));
            case 7:
                return replaced(b, at, 0, random(length));
            case 8: {
                byte[] other = others.get(random.nextInt(others.size()));
                int from = other.length == 0 ? 0 : random.nextInt(other.length);
                return replaced(b, at, b.length - at, Arrays.copyOfRange(other, from, other.length));
            }
            case 9: {
                byte[] other = others.get(random.nextInt(others.size()));
                int from = other.length == 0 ? 0 : random.nextInt(other.length);
                return replaced(
                        b,
                        at,
                        Math.min(length, b.length - at),
                        Arrays.copyOfRange(other, from, Math.min(other.length, from + length)));
            }
            case 10: {
                byte[] out = b.clone();
                Arrays.fill(out, at, at + length, (byte) anyNumber());
                return out;
            }
            default:
                return replaced(b, at, length, random(length));
        }
    }

    /** Overwrites one to eight bytes with a number that programs find hard. */
    void putNumber(byte[] out, int at) {
        long v = anyNumber();
        int width = 1 << random.nextInt(4);
        boolean big = random.nextBoolean();
        for (int i = 0; i < width && at + i < out.length; i++)
            out[at + i] = (byte) (v >>> 8 * (big ? width - 1 - i : i));
    }

    byte[] random(int length) {
        byte[] b = new byte[length];
        random.nextBytes(b);
        return b;
    }

    static byte[] repeated(byte[] b, int times) {
        int n = Math.max(1, Math.min(times, MAX_BYTES / Math.max(1, b.length)));
        byte[] out = new byte[b.length * n];
        for (int i = 0; i < n; i++) System.arraycopy(b, 0, out, i * b.length, b.length);
        return out;
    }

    static byte[] replaced(byte[] b, int at, int length, byte[] by) {
        byte[] out = new byte[b.length - length + by.length];
        System.arraycopy(b, 0, out, 0, at);
        System.arraycopy(by, 0, out, at, by.length);
        System.arraycopy(b, at + length, out, at + by.length, b.length - at - length);
        return out;
    }

    static byte[] varint(long v) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        while ((v & ~0x7fL) != 0) {
            out.write((int) (v & 0x7f | 0x80));
            v >>>= 7;
        }
        out.write((int) v);
        return out.toByteArray();
    }

    static byte[] concat(byte[] a, byte[] b) {
        byte[] out = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, out, a.length, b.length);
        return out;
    }
}
