/** The app's meters, and the port that serves them beside liveness and readiness. */
@NullMarked
package io.linesight.streams.monitoring;

import org.jspecify.annotations.NullMarked;
