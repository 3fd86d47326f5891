package io.linesight.mmad.checkpoint;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.encoder.Encoder;

/**
 * What training makes and what it can start from.
 *
 * @param config shape of the network
 * @param weights state dict of fuser and decoder
 * @param encoder the frozen encoder
 */
public record MmadModel(MmadConfig config, Weights weights, Encoder encoder) {}
