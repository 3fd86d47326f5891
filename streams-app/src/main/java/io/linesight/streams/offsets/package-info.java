/**
 * Where the inspection begins: finds a topic of frames that was made again, and offsets that are gone, and sets them.
 */
@NullMarked
package io.linesight.streams.offsets;

import org.jspecify.annotations.NullMarked;
