/**
 * Kafka serdes for Avro records in Confluent's wire format, which keep a bad record apart from a registry that is
 * unavailable.
 */
@NullMarked
package io.linesight.schemas.serde;

import org.jspecify.annotations.NullMarked;
