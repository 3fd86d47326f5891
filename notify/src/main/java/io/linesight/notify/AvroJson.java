package io.linesight.notify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.time.temporal.TemporalAccessor;
import java.util.Collection;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;
import org.jspecify.annotations.Nullable;

/**
 * A record as JSON for people and programs that know nothing of Avro: enums by name, times in ISO 8601, bytes in
 * Base64, NaN and infinities as text. Avro's own JSON has unions with type names and times as numbers.
 */
public final class AvroJson {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private AvroJson() {}

    /** The whole record, nested records included. */
    public static ObjectNode of(IndexedRecord record) {
        ObjectNode o = NODES.objectNode();
        for (Schema.Field field : record.getSchema().getFields()) o.set(field.name(), value(record.get(field.pos())));
        return o;
    }

    private static JsonNode value(@Nullable Object v) {
        if (v == null) return NODES.nullNode();
        if (v instanceof IndexedRecord r) return of(r);
        if (v instanceof Map<?, ?> m) {
            ObjectNode o = NODES.objectNode();
            m.forEach((key, x) -> o.set(String.valueOf(key), value(x)));
            return o;
        }
        if (v instanceof Collection<?> c) {
            ArrayNode a = NODES.arrayNode();
            c.forEach(x -> a.add(value(x)));
            return a;
        }
        if (v instanceof ByteBuffer b) {
            byte[] bytes = new byte[b.remaining()];
            b.duplicate().get(bytes);
            return NODES.binaryNode(bytes);
        }
        return scalar(v);
    }

    private static JsonNode scalar(Object v) {
        if (v instanceof Boolean b) return NODES.booleanNode(b);
        if (v instanceof Integer i) return NODES.numberNode(i);
        if (v instanceof Long l) return NODES.numberNode(l);
        if (v instanceof Number n)
            return Double.isFinite(n.doubleValue())
                    ? n instanceof Float f ? NODES.numberNode(f) : NODES.numberNode(n.doubleValue())
                    : NODES.textNode(n.toString());
        if (v instanceof TemporalAccessor t) return NODES.textNode(t.toString());
        return NODES.textNode(v.toString());
    }
}
