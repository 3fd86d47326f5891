/** The catalogue of topics: their names, keys, headers and size limits, and how they are created. */
@NullMarked
package io.linesight.schemas.topics;

import org.jspecify.annotations.NullMarked;
