package io.linesight.mmad.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A device as it is configured.
 *
 * @param kind what it is
 * @param index CUDA device number; 0 otherwise
 */
public record Device(Kind kind, int index) {
    /** Kinds of devices. */
    public enum Kind {
        AUTO,
        CPU,
        CUDA
    }

    /** The CPU. */
    public static final Device CPU = new Device(Kind.CPU, 0);

    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,3}))?");

    /**
     * Reads {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}.
     *
     * @throws IllegalArgumentException naming the choices
     */
    public static Device parse(String text) {
        if (text.equals("auto")) return new Device(Kind.AUTO, 0);
        if (text.equals("cpu")) return CPU;
        Matcher cuda = CUDA.matcher(text);
        if (cuda.matches()) return new Device(Kind.CUDA, cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
        throw new IllegalArgumentException("unknown device '" + text + "': choose auto, cpu, cuda or cuda:N");
    }

    @Override
    public String toString() {
        return switch (kind) {
            case AUTO -> "auto";
            case CPU -> "cpu";
            case CUDA -> "cuda:" + index;
        };
    }
}
