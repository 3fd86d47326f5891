/** libtorch from Java: tensors' lifetimes, and the selective scan with its backward pass. */
package io.linesight.trainer.torch;
