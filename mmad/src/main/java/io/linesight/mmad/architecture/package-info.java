/** The shape of the MMAD network: configuration, names and shapes of its parameters, scan orders, and tensors. */
@NullMarked
package io.linesight.mmad.architecture;

import org.jspecify.annotations.NullMarked;
