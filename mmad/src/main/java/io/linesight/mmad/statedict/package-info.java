/** Reads PyTorch state dicts, which come from strangers, without running anything in them. */
@NullMarked
package io.linesight.mmad.statedict;

import org.jspecify.annotations.NullMarked;
