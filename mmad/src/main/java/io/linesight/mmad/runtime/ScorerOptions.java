package io.linesight.mmad.runtime;

import java.util.Locale;

/**
 * How a model is run.
 *
 * @param device {@code auto}, {@code cpu}, {@code cuda} (= {@code cuda:0}) or {@code cuda:N}. {@code auto} takes the
 *     first CUDA device where there is one and the CPU otherwise
 * @param threads CPU threads of one inference; 0 = all processors
 * @param scan implementation of the selective scan
 * @param features whether what the encoder sees can be had beside the scores, where the checkpoint says where it is
 */
public record ScorerOptions(String device, int threads, ScanMode scan, boolean features) {
    public ScorerOptions {
        device = Device.parse(device.trim().toLowerCase(Locale.ROOT)).toString();
        if (threads < 0) throw new IllegalArgumentException("threads must not be negative, got " + threads);
        if (scan == null) throw new IllegalArgumentException("scan mode is missing");
    }

    /** Without features. */
    public ScorerOptions(String device, int threads, ScanMode scan) {
        this(device, threads, scan, false);
    }

    /** Automatic device, all processors, automatic scan. */
    public static ScorerOptions defaults() {
        return new ScorerOptions("auto", 0, ScanMode.AUTO);
    }

    public ScorerOptions withDevice(String other) {
        return new ScorerOptions(other, threads, scan, features);
    }

    public ScorerOptions withThreads(int other) {
        return new ScorerOptions(device, other, scan, features);
    }

    public ScorerOptions withScan(ScanMode other) {
        return new ScorerOptions(device, threads, other, features);
    }

    public ScorerOptions withFeatures(boolean other) {
        return new ScorerOptions(device, threads, scan, other);
    }

    /** {@link #threads} with 0 resolved. */
    public int effectiveThreads() {
        return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    }
}
