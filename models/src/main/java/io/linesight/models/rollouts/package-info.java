/**
 * The model registry: publishes versions, decides which of them a channel runs, and shows every instance the same
 * history of those decisions.
 */
@NullMarked
package io.linesight.models.rollouts;

import org.jspecify.annotations.NullMarked;
