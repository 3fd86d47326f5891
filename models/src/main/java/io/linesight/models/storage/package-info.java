/**
 * Stores checkpoint files in Kafka, in a folder or on a web server, and fetches them complete and verified or not at
 * all.
 */
@NullMarked
package io.linesight.models.storage;

import org.jspecify.annotations.NullMarked;
