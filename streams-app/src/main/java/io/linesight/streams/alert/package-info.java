/** Alerts: what opens once, clears, is acknowledged and can be silenced, made out of results in an app of their own. */
@NullMarked
package io.linesight.streams.alert;

import org.jspecify.annotations.NullMarked;
