package io.linesight.schemas.serde;

import java.util.List;
import org.apache.avro.Schema;

/** What Avro's compatibility does not look at. */
public final class SchemaMeaning {

    private SchemaMeaning() {}

    /**
     * Fields of two compatible schemas whose values mean different things, and that {@link LinesightAvroDeserializer}
     * rejects for it: times of an unknown unit.
     *
     * @return one sentence each; empty where there are none
     */
    public static List<String> differences(Schema writer, Schema reader) {
        return List.copyOf(LogicalTypeRules.of(writer, reader).problems());
    }
}
