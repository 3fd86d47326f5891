/** Where and how a model runs: device, threads, scan mode, and the errors of loading and scoring. */
@NullMarked
package io.linesight.mmad.runtime;

import org.jspecify.annotations.NullMarked;
