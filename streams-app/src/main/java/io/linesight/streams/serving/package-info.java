/** The models of one instance: loads what the channel decides, swaps it between batches, and reports what it does. */
@NullMarked
package io.linesight.streams.serving;

import org.jspecify.annotations.NullMarked;
