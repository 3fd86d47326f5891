/** Publishes labels, checks them, and fetches the frames that they are about. */
@NullMarked
package io.linesight.trainer.feedback;

import org.jspecify.annotations.NullMarked;
