/**
 * How scores and images of a camera and product are distributed, window by window, and whether that is still as it was
 * on the first day.
 */
@NullMarked
package io.linesight.streams.drift;

import org.jspecify.annotations.NullMarked;
