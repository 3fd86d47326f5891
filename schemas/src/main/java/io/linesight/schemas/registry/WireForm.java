package io.linesight.schemas.registry;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.avro.LogicalType;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;

/**
 * What of a schema decides how bytes are written and read back: Avro's parsing canonical form, and the logical types,
 * which that form leaves out. Two schemas of one form differ in words only (documentation, defaults, the properties
 * that Avro's compiler adds), so that the id of either may be written.
 *
 * @param parsing Avro's parsing canonical form
 * @param logical logical types by place
 */
record WireForm(String parsing, List<String> logical) {

    static WireForm of(Schema schema) {
        Set<String> logical = new TreeSet<>();
        collect(schema, "", logical, new HashSet<>());
        return new WireForm(SchemaNormalization.toParsingForm(schema), List.copyOf(logical));
    }

    private static void collect(Schema schema, String place, Set<String> logical, Set<String> seen) {
        LogicalType type = schema.getLogicalType();
        String name = type == null ? schema.getProp(LogicalType.LOGICAL_TYPE_PROP) : type.getName();
        if (name != null) logical.add(place + "=" + name);
        switch (schema.getType()) {
            case RECORD -> {
                if (!seen.add(schema.getFullName())) return;
                for (Schema.Field f : schema.getFields())
                    collect(f.schema(), schema.getFullName() + "." + f.name(), logical, seen);
            }
            case UNION -> {
                for (int i = 0; i < schema.getTypes().size(); i++)
                    collect(schema.getTypes().get(i), place + "|" + i, logical, seen);
            }
            case ARRAY -> collect(schema.getElementType(), place + "[]", logical, seen);
            case MAP -> collect(schema.getValueType(), place + "{}", logical, seen);
            default -> {}
        }
    }
}
