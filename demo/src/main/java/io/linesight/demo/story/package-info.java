/** The story of a line that learns: a new lamp, an operator, a trainer, shadow, canary, promotion. */
@NullMarked
package io.linesight.demo.story;

import org.jspecify.annotations.NullMarked;
