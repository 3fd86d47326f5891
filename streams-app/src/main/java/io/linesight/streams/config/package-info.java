/** The settings of the inspection app: a record per component, and one reader that reports all problems at once. */
@NullMarked
package io.linesight.streams.config;

import org.jspecify.annotations.NullMarked;
