/** Builds, parses and inspects ONNX graphs, and starts ONNX Runtime. */
@NullMarked
package io.linesight.mmad.onnx;

import org.jspecify.annotations.NullMarked;
