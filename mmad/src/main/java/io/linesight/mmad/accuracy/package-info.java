/**
 * Measures how well scores and maps separate good parts from defects, with the definitions of the field's benchmarks.
 */
@NullMarked
package io.linesight.mmad.accuracy;

import org.jspecify.annotations.NullMarked;
