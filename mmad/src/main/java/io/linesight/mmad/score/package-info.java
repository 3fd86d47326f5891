/** Scores frames with a loaded checkpoint, tests that it can be trusted, and finds regions in its maps. */
@NullMarked
package io.linesight.mmad.score;

import org.jspecify.annotations.NullMarked;
