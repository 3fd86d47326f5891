/** A Kafka broker and a schema registry in this JVM, for demonstrations, trials on one machine, and tests. */
@NullMarked
package io.linesight.embedded;

import org.jspecify.annotations.NullMarked;
