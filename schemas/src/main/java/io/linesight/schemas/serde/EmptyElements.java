package io.linesight.schemas.serde;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.apache.avro.Schema;

/**
 * Finds arrays whose elements take no bytes. A few bytes can claim 33 million of them, more Avro does not allow, and
 * whoever reads or skips them counts seconds for one record. Such a field passes every compatibility rule, because
 * readers skip what they do not know.
 */
final class EmptyElements {

    private final Set<Schema> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    private EmptyElements() {}

    /** Whether the schema has such an array anywhere. */
    static boolean in(Schema schema) {
        return new EmptyElements().found(schema);
    }

    private boolean found(Schema schema) {
        if (!seen.add(schema)) {
            return false;
        }
        return switch (schema.getType()) {
            case ARRAY ->
                weightless(schema.getElementType(), Collections.newSetFromMap(new IdentityHashMap<>()))
                        || found(schema.getElementType());
            case MAP -> found(schema.getValueType()); // every entry has a key
            case UNION -> schema.getTypes().stream().anyMatch(this::found);
            case RECORD -> schema.getFields().stream().anyMatch(f -> found(f.schema()));
            default -> false;
        };
    }

    private static boolean weightless(Schema schema, Set<Schema> within) {
        return switch (schema.getType()) {
            case NULL -> true;
            case FIXED -> schema.getFixedSize() == 0;
            case RECORD ->
                !within.add(schema) || schema.getFields().stream().allMatch(f -> weightless(f.schema(), within));
            default -> false;
        };
    }
}
