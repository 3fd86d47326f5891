/** The selective scan as an operator of ONNX Runtime, computed in Java with vector instructions. */
@NullMarked
package io.linesight.mmad.scan;

import org.jspecify.annotations.NullMarked;
