/** Builds the memory of a retrieval model. */
@NullMarked
package io.linesight.trainer.retrieval;

import org.jspecify.annotations.NullMarked;
