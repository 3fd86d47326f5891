/** Encoder features on disk, found by checksum. */
@NullMarked
package io.linesight.trainer.features;

import org.jspecify.annotations.NullMarked;
