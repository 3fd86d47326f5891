/** The commands under {@code settings}, about thresholds, review bands and alert policies that people set live. */
@NullMarked
package io.linesight.app.cli.settings;

import org.jspecify.annotations.NullMarked;
