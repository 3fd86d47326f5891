/** Compares a challenger with the champion on held-out images, and decides whether it may take the champion's place. */
@NullMarked
package io.linesight.trainer.gate;

import org.jspecify.annotations.NullMarked;
