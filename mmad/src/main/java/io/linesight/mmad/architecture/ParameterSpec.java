package io.linesight.mmad.architecture;

/**
 * One tensor of the fuser or decoder: what the graph writer reads and the trainer initialises and optimises.
 *
 * @param name reference state-dict name
 * @param shape sizes
 * @param init how a fresh network starts (MMAD_SPEC section 9)
 * @param trainable false for running statistics and feature statistics
 * @param decay whether AdamW's weight decay applies (MMAD_SPEC section 10: two or more dimensions and not a bias)
 */
public record ParameterSpec(String name, int[] shape, Init init, boolean trainable, boolean decay) {

    /** Initial distribution of a parameter. */
    public sealed interface Init {
        /** Every value the same. */
        record Constant(float value) implements Init {}

        /** Normal with mean 0. */
        record Normal(double std) implements Init {}

        /** Uniform in [-bound, bound]. */
        record Uniform(double bound) implements Init {}

        /** log(1..16) along the last axis (A_logs). */
        record LogStates() implements Init {}

        /** Inverse softplus of a log-uniform step in [0.001, 0.1], floored at 1e-4 (dt_projs_bias). */
        record TimeStep() implements Init {}
    }

    /** Number of values. */
    public int size() {
        return Math.toIntExact(elements());
    }

    /** Number of values, where it may be more than an array can hold: a configuration can come from a file. */
    public long elements() {
        long n = 1;
        for (int d : shape) n *= d;
        return n;
    }
}
