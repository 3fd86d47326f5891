package io.linesight.mmad.architecture;

/**
 * What a PatchCore model has learnt: patches of normal images that everything else is measured against, and what is
 * taken from every patch first, so that vectors are short and squared distances keep their digits.
 *
 * @param vectors [K,D] patches less the shift, K at least {@value #MIN_PATCHES}
 * @param shift [D]
 */
public record PatchBank(Tensor vectors, Tensor shift) {
    /** Fewest patches of a bank. */
    public static final int MIN_PATCHES = 2;

    /** @throws IllegalArgumentException when the shapes do not fit each other, or a value is not finite */
    public PatchBank {
        if (vectors.shape().length != 2 || vectors.shape()[0] < MIN_PATCHES)
            throw new IllegalArgumentException(
                    "a bank needs " + MIN_PATCHES + " patches or more in two dimensions, got " + vectors);
        int channels = vectors.shape()[1];
        if (shift.size() != channels)
            throw new IllegalArgumentException(
                    "the bank's patches have " + channels + " channels, its shift " + shift.size());
        for (Tensor t : new Tensor[] {vectors, shift}) {
            for (float v : t.data())
                if (!Float.isFinite(v))
                    throw new IllegalArgumentException(
                            "the bank has a value that is not a number: the encoder gave one for an image");
        }
    }

    /** Number of patches. */
    public int size() {
        return vectors.shape()[0];
    }

    /** Channels of a patch. */
    public int channels() {
        return vectors.shape()[1];
    }
}
