/** Checkpoint files: one ONNX file that holds the model, its thresholds per product, and where it came from. */
@NullMarked
package io.linesight.mmad.checkpoint;

import org.jspecify.annotations.NullMarked;
