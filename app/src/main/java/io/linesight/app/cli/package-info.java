/** The command line: one class for each command, which reads options, runs the work and prints the outcome. */
@NullMarked
package io.linesight.app.cli;

import org.jspecify.annotations.NullMarked;
