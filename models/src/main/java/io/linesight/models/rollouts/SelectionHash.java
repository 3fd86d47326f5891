package io.linesight.models.rollouts;

import java.nio.charset.StandardCharsets;

/**
 * The hash that selections are made with: 64-bit FNV-1a over UTF-8, finished by splitmix64's mixer, so that it is the
 * same on every JVM.
 */
final class SelectionHash {
    private SelectionHash() {}

    static long of(String text) {
        long h = 0xcbf29ce484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) h = (h ^ (b & 0xff)) * 0x100000001b3L;
        return mix(h);
    }

    static long mix(long h) {
        long z = (h ^ (h >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** As a percentage: uniform in [0, 100). */
    static double percent(long hash) {
        return (hash >>> 11) * 0x1.0p-53 * 100;
    }
}
