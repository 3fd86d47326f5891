/** The images that a model is fitted on: split by purpose, read once, checked, and kept as frames in a file. */
@NullMarked
package io.linesight.trainer.dataset;

import org.jspecify.annotations.NullMarked;
