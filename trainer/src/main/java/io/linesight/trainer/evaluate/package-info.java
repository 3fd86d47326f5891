/** Measures a checkpoint on labelled images. */
package io.linesight.trainer.evaluate;
