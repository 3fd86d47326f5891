/** A whole simulated line in one process, with a live table, heatmaps and a summary. */
@NullMarked
package io.linesight.demo;

import org.jspecify.annotations.NullMarked;
