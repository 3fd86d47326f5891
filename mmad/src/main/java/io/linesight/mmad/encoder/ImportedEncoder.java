package io.linesight.mmad.encoder;

import java.util.List;

/**
 * An encoder made from another network's file, and how closely it computes what that network computes.
 *
 * @param encoder not written anywhere yet
 * @param origin what it was made from, for people
 * @param differences of the feature maps at strides 4, 8, 16: the largest difference divided by the largest value, at
 *     most {@link EncoderCheck#LIMIT}
 */
public record ImportedEncoder(Encoder encoder, String origin, List<Double> differences) {
    public ImportedEncoder {
        differences = List.copyOf(differences);
    }
}
