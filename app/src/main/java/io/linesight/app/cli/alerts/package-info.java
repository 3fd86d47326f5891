/** The commands under {@code alerts}: what is wrong at the line, and what people do about it. */
@NullMarked
package io.linesight.app.cli.alerts;

import org.jspecify.annotations.NullMarked;
