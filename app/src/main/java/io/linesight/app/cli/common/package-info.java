/** What several commands share: options of Kafka clients, checks of paths, durations, errors for users. */
@NullMarked
package io.linesight.app.cli.common;

import org.jspecify.annotations.NullMarked;
