/**
 * Which parts of a frame a model looks at, and how one map is made of what it saw: region of interest and zoomed tiles.
 */
@NullMarked
package io.linesight.mmad.view;

import org.jspecify.annotations.NullMarked;
