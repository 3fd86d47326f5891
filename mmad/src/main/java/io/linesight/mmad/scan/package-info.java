/**
 * Operators of ONNX Runtime computed in Java with vector instructions: the selective scan, and the comparison with
 * remembered images.
 */
@NullMarked
package io.linesight.mmad.scan;

import org.jspecify.annotations.NullMarked;
