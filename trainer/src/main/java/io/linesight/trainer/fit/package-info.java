/** Trains MMAD on normal images, with saved runs that resume. */
@NullMarked
package io.linesight.trainer.fit;

import org.jspecify.annotations.NullMarked;
