/** The HTML report of an evaluation. */
@NullMarked
package io.linesight.trainer.report;

import org.jspecify.annotations.NullMarked;
