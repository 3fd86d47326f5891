/** Counts on the topics themselves whether every frame has exactly one answer, in order. */
@NullMarked
package io.linesight.app.audit;

import org.jspecify.annotations.NullMarked;
