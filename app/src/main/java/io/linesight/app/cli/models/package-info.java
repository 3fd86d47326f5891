/** The command {@code linesight models}: publishes checkpoints and decides which one the line runs. */
@NullMarked
package io.linesight.app.cli.models;

import org.jspecify.annotations.NullMarked;
