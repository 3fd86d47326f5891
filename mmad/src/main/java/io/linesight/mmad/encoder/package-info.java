/**
 * Frozen image encoders that turn a frame into feature maps: built in, read from ONNX files, or made from ResNet
 * weights.
 */
@NullMarked
package io.linesight.mmad.encoder;

import org.jspecify.annotations.NullMarked;
