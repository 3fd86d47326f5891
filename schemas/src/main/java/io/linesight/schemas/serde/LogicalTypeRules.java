package io.linesight.schemas.serde;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.avro.LogicalType;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.io.ResolvingDecoder;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;

/**
 * Compares the logical types of a writer's schema with the reader's. Avro's own compatibility looks at the plain types
 * only: milliseconds read as microseconds are the year 1970, without a word. Timestamps of another unit are converted;
 * whatever has no one meaning is reported.
 */
final class LogicalTypeRules {

    private static final String MICROS = "timestamp-micros";
    /** Raw value as it was read, in microseconds by mistake, to what it means. */
    private static final Map<String, UnaryOperator<Instant>> TO_INSTANT = Map.of(
            "timestamp-millis",
            read -> Instant.ofEpochMilli(raw(read)),
            "timestamp-nanos",
            read -> Instant.EPOCH.plusNanos(raw(read)));

    private final Map<String, Map<Integer, UnaryOperator<Instant>>> conversions = new HashMap<>();
    private final List<String> problems = new ArrayList<>();
    private final Set<String> seen = new HashSet<>();

    private LogicalTypeRules() {}

    /** The number that was read as microseconds. */
    private static long raw(Instant read) {
        return read.getEpochSecond() * 1_000_000 + read.getNano() / 1_000;
    }

    /** Of two schemas that Avro calls compatible. */
    static LogicalTypeRules of(Schema writer, Schema reader) {
        LogicalTypeRules rules = new LogicalTypeRules();
        rules.compare(writer, reader);
        return rules;
    }

    /** What cannot be read, one sentence each; empty where all can. */
    List<String> problems() {
        return problems;
    }

    /** Whether every value means the same in both. */
    boolean isSame() {
        return problems.isEmpty() && conversions.isEmpty();
    }

    /** A reader that converts what has to be; Avro's own where nothing has. */
    <T> SpecificDatumReader<T> reader(Schema writer, Schema reader) {
        return conversions.isEmpty()
                ? new SpecificDatumReader<>(writer, reader)
                : new Converting<>(writer, reader, conversions);
    }

    private void compare(Schema writer, Schema reader) {
        switch (reader.getType()) {
            case RECORD -> {
                if (writer.getType() == Schema.Type.RECORD && seen.add(reader.getFullName()))
                    for (Schema.Field field : reader.getFields()) compareField(writer, reader, field);
                else if (writer.getType() == Schema.Type.UNION)
                    writer.getTypes().forEach(branch -> compare(branch, reader));
            }
            case ARRAY -> {
                if (writer.getType() == Schema.Type.ARRAY) compare(writer.getElementType(), reader.getElementType());
            }
            case MAP -> {
                if (writer.getType() == Schema.Type.MAP) compare(writer.getValueType(), reader.getValueType());
            }
            case UNION -> reader.getTypes().forEach(branch -> compare(writer, branch));
            default -> {}
        }
    }

    private void compareField(Schema writer, Schema reader, Schema.Field field) {
        Schema.Field written = written(writer, field);
        if (written == null) return; // its default
        LogicalType wanted = field.schema().getLogicalType();
        if (wanted == null) {
            compare(written.schema(), field.schema());
            return;
        }
        String found = name(written.schema());
        if (wanted.getName().equals(found)) return;
        UnaryOperator<Instant> conversion = found == null ? null : TO_INSTANT.get(found);
        if (conversion != null && wanted.getName().equals(MICROS)) {
            conversions
                    .computeIfAbsent(reader.getFullName(), r -> new HashMap<>())
                    .put(field.pos(), conversion);
        } else {
            problems.add("field " + field.name() + " is "
                    + (found == null
                            ? "a plain " + written.schema().getType().getName() + ", whose unit is not known"
                            : found)
                    + "; " + wanted.getName() + " is needed (timestamp-millis and timestamp-nanos are converted)");
        }
    }

    private static Schema.@Nullable Field written(Schema writer, Schema.Field field) {
        Schema.Field same = writer.getField(field.name());
        if (same != null) return same;
        return field.aliases().stream()
                .map(writer::getField)
                .filter(f -> f != null)
                .findFirst()
                .orElse(null);
    }

    /** Also of a logical type that Avro does not know, which it leaves as a property. */
    private static @Nullable String name(Schema schema) {
        LogicalType type = schema.getLogicalType();
        return type == null ? schema.getProp(LogicalType.LOGICAL_TYPE_PROP) : type.getName();
    }

    private static final class Converting<T> extends SpecificDatumReader<T> {
        private final Map<String, Map<Integer, UnaryOperator<Instant>>> conversions;

        Converting(Schema writer, Schema reader, Map<String, Map<Integer, UnaryOperator<Instant>>> conversions) {
            super(writer, reader, fieldByField());
            this.conversions = conversions;
        }

        /** Generated records would read themselves as a whole otherwise, past {@link #readField}. */
        private static SpecificData fieldByField() {
            SpecificData data = new SpecificData(LogicalTypeRules.class.getClassLoader());
            data.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
            data.setCustomCoders(false);
            data.setFastReaderEnabled(false);
            return data;
        }

        @Override
        protected void readField(
                Object record, Schema.Field field, @Nullable Object old, ResolvingDecoder in, Object state)
                throws IOException {
            super.readField(record, field, old, in, state);
            if (!(record instanceof SpecificRecord r)) return;
            UnaryOperator<Instant> conversion = conversions
                    .getOrDefault(r.getSchema().getFullName(), Map.of())
                    .get(field.pos());
            if (conversion != null && r.get(field.pos()) instanceof Instant read)
                r.put(field.pos(), conversion.apply(read));
        }
    }
}
