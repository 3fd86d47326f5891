/** Live settings: what people set for the products of a channel while the line runs, with who won, and its history. */
@NullMarked
package io.linesight.models.settings;

import org.jspecify.annotations.NullMarked;
