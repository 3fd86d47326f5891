package io.linesight.schemas.registry;

import org.apache.avro.Schema;

/**
 * A schema as the registry keeps it.
 *
 * @param version counts up from 1 per subject
 * @param id unique in the registry; what the wire format carries
 */
public record RegisteredSchema(String subject, int version, int id, Schema schema) {}
