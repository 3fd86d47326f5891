/** Renders parts of several products under drifting light, some with a defect whose pixels are known. */
@NullMarked
package io.linesight.simulator;

import org.jspecify.annotations.NullMarked;
