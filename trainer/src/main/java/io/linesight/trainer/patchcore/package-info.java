/** Builds the bank of patches of a PatchCore model. */
@NullMarked
package io.linesight.trainer.patchcore;

import org.jspecify.annotations.NullMarked;
