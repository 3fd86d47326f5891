package io.linesight.app.hostile;

import java.util.List;

/**
 * A reader under attack.
 *
 * @param name also the folder of its corpus
 * @param format of a file, told by its name and content
 * @param megabytes memory it may allocate for one input, besides 16 times the input; on all threads where
 *     {@code threads}
 * @param threads whether others than the calling thread work for it
 * @param rejections what it throws, by its contract, when it rejects
 * @param attack gives one input to it
 */
record Target(
        String name,
        FormatOf format,
        int megabytes,
        boolean threads,
        List<Class<? extends Throwable>> rejections,
        Attack attack) {
    interface FormatOf {
        Format of(String file, byte[] content);
    }

    interface Attack {
        /** @return null when the input was accepted, else why it was not */
        String run(byte[] input) throws Throwable;
    }

    boolean rejects(Throwable e) {
        return rejections.stream().anyMatch(c -> c.isInstance(e));
    }

    long bound(int inputLength) {
        return ((long) megabytes << 20) + 16L * inputLength;
    }
}
