package io.linesight.mmad.architecture;

/** What is done to the frozen encoder's features before the fuser sees them and the decoder imitates them. */
public enum FeatureNorm {
    /** Nothing: the paper's setting. */
    NONE,
    /**
     * Per channel {@code (t - shift[c]) * scale[c]}; the two vectors are statistics of the training images and live in
     * the weights as {@code teacher_norm.<i>.shift} and {@code teacher_norm.<i>.scale} (i = 0, 1, 2; shape [channels of
     * scale i]). They are data, not trained. Wanted for encoders whose features have very unequal or strictly positive
     * channels.
     */
    CHANNEL
}
