package io.linesight.schemas.serde;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.apache.avro.Schema;

/** A schema without the properties that only Java's Avro uses; the same bytes. */
final class PlainSchema {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> JAVA =
            List.of("avro.java.string", "java-class", "java-element-class", "java-key-class");

    private PlainSchema() {}

    static Schema of(Schema schema) {
        try {
            return new Schema.Parser()
                    .parse(plain(JSON.readTree(schema.toString())).toString());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Avro wrote a schema that is not JSON", e);
        }
    }

    private static JsonNode plain(JsonNode node) {
        if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) array.set(i, plain(array.get(i)));
            return array;
        }
        if (!(node instanceof ObjectNode object)) return node;
        object.remove(JAVA);
        object.fieldNames().forEachRemaining(name -> {
            if (name.equals("type") || name.equals("items") || name.equals("values") || name.equals("fields"))
                object.set(name, plain(object.get(name)));
        });
        // {"type": "string"} is the long way to say "string".
        return object.size() == 1 && object.path("type").isTextual() ? object.get("type") : object;
    }
}
