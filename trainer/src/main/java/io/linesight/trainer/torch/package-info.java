/** libtorch from Java: tensors' lifetimes, and the selective scan with its backward pass. */
@NullMarked
package io.linesight.trainer.torch;

import org.jspecify.annotations.NullMarked;
