package io.linesight.mmad.checkpoint;

import io.linesight.mmad.architecture.PatchBank;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.graph.PatchCoreGraph;

/**
 * A PatchCore model. It can be served and recalibrated, but not trained further.
 *
 * @param bank normal patches of the encoder's features
 * @param score how an image's score follows from its patches
 * @param encoder the frozen encoder
 */
public record PatchCoreModel(PatchBank bank, PatchCoreGraph.Score score, Encoder encoder) {}
