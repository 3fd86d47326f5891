/** Commands about false alarms that are forgotten at once. */
@NullMarked
package io.linesight.app.cli.exemptions;

import org.jspecify.annotations.NullMarked;
