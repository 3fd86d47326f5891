/**
 * Where the decision on a frame lies: by the checkpoint, the configuration, and what people set while the line runs.
 */
@NullMarked
package io.linesight.streams.decision;

import org.jspecify.annotations.NullMarked;
