/** The inspection app: frames in, results, anomaly events and dead letters out. */
@NullMarked
package io.linesight.streams;

import org.jspecify.annotations.NullMarked;
