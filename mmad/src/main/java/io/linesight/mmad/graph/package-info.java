/** Writes the networks of MMAD and PatchCore as ONNX graphs. */
@NullMarked
package io.linesight.mmad.graph;

import org.jspecify.annotations.NullMarked;
