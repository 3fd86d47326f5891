/** Files that several packages need: NumPy arrays, checksums, atomic replacement, locks and scratch space. */
@NullMarked
package io.linesight.mmad.io;

import org.jspecify.annotations.NullMarked;
