/** Measures a checkpoint on labelled images. */
@NullMarked
package io.linesight.trainer.evaluate;

import org.jspecify.annotations.NullMarked;
