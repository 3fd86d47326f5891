/** Forgets false alarms: makes exemptions from labels, follows those of its channel, and applies them to frames. */
@NullMarked
package io.linesight.streams.exemption;

import org.jspecify.annotations.NullMarked;
