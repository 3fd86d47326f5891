/** Checks a cluster, a registry and a machine, and says how to fix what is wrong. */
@NullMarked
package io.linesight.app.doctor;

import org.jspecify.annotations.NullMarked;
