/** Trains a small encoder to answer as larger ones do. */
@NullMarked
package io.linesight.trainer.distill;

import org.jspecify.annotations.NullMarked;
