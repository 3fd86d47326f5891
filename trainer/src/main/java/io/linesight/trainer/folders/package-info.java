/** Reads labelled images from folders in the layouts of MVTec-AD, VisA and plain good/bad folders. */
@NullMarked
package io.linesight.trainer.folders;

import org.jspecify.annotations.NullMarked;
