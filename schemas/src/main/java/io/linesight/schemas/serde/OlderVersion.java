package io.linesight.schemas.serde;

import io.linesight.schemas.registry.RegisteredSchema;
import io.linesight.schemas.registry.SchemaRegistryClient;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.specific.SpecificData;
import org.jspecify.annotations.Nullable;

/**
 * A version of a subject that is not this program's, and in which its records can be written all the same, as long as
 * they use nothing that the version lacks. Somebody who registers schemas by hand need not hurry for a feature that he
 * does not use; what would be lost is never written.
 *
 * @param registered the version
 * @param lacks fields and symbols that it cannot hold, for people; empty where it holds every record
 */
public record OlderVersion(RegisteredSchema registered, List<String> lacks) {

    public OlderVersion {
        lacks = List.copyOf(lacks);
    }

    /**
     * The newest version of a subject in which records can be written.
     *
     * @param own this program's schema
     * @throws io.linesight.schemas.registry.RegistryException NOT_FOUND if there is no such subject
     */
    public static Optional<OlderVersion> newest(SchemaRegistryClient registry, String subject, Schema own) {
        return registry.newest(subject, there -> canHold(there, own)).map(r -> new OlderVersion(r, lacks(own, r)));
    }

    /** The version, where records can be written in it. */
    public static Optional<OlderVersion> of(RegisteredSchema registered, Schema own) {
        return canHold(registered.schema(), own)
                ? Optional.of(new OlderVersion(registered, lacks(own, registered)))
                : Optional.empty();
    }

    private static List<String> lacks(Schema own, RegisteredSchema registered) {
        List<String> lacks = new ArrayList<>();
        addLacks(own, registered.schema(), "", lacks, new HashSet<>());
        return lacks;
    }

    /** Avro's rules, and no value that would mean something else. */
    private static boolean canHold(Schema there, Schema own) {
        return there.getType() == Schema.Type.RECORD
                && there.getFullName().equals(own.getFullName())
                && SchemaCompatibility.checkReaderWriterCompatibility(there, own)
                                .getType()
                        == SchemaCompatibilityType.COMPATIBLE
                && LogicalTypeRules.of(own, there).isSame()
                && LogicalTypeRules.of(there, own).isSame();
    }

    /**
     * What of a record the version cannot hold, for people.
     *
     * @param record of this program's schema
     */
    Optional<String> obstacle(IndexedRecord record) {
        return lacks.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(lost(record.getSchema(), registered.schema(), record, ""));
    }

    private static void addLacks(Schema own, Schema target, String path, List<String> lacks, Set<String> seen) {
        Schema there = own.getType() == Schema.Type.UNION
                ? target
                : branchOf(target, own).orElse(target);
        switch (own.getType()) {
            case RECORD -> {
                if (!seen.add(own.getFullName())) return;
                for (Schema.Field field : own.getFields()) {
                    Schema.Field same = there.getField(field.name());
                    if (same == null) lacks.add(path + field.name());
                    else addLacks(field.schema(), same.schema(), path + field.name() + ".", lacks, seen);
                }
            }
            case ENUM -> {
                for (String symbol : own.getEnumSymbols())
                    if (!there.hasEnumSymbol(symbol)) lacks.add(path.replaceAll("\\.$", "=") + symbol);
            }
            case ARRAY -> addLacks(own.getElementType(), there.getElementType(), path, lacks, seen);
            case MAP -> addLacks(own.getValueType(), there.getValueType(), path, lacks, seen);
            case UNION -> {
                for (Schema branch : own.getTypes())
                    branchOf(there, branch).ifPresent(b -> addLacks(branch, b, path, lacks, seen));
            }
            default -> {}
        }
    }

    /** Of two compatible schemas. */
    private static @Nullable String lost(Schema own, Schema target, @Nullable Object value, String path) {
        if (own.getType() == Schema.Type.UNION) return lost(branchFor(own, value), target, value, path);
        Schema there = branchOf(target, own).orElse(target);
        return switch (own.getType()) {
            case RECORD -> lostOfRecord(own, there, (IndexedRecord) Objects.requireNonNull(value), path);
            case ENUM -> there.hasEnumSymbol(String.valueOf(value)) ? null : path.replaceAll("\\.$", "=") + value;
            case ARRAY ->
                lostOfAll(
                        own.getElementType(),
                        there.getElementType(),
                        (Collection<?>) Objects.requireNonNull(value),
                        path);
            case MAP ->
                lostOfAll(
                        own.getValueType(),
                        there.getValueType(),
                        ((Map<?, ?>) Objects.requireNonNull(value)).values(),
                        path);
            default -> null;
        };
    }

    private static @Nullable String lostOfRecord(Schema own, Schema there, IndexedRecord record, String path) {
        for (Schema.Field field : own.getFields()) {
            Object value = record.get(field.pos());
            Schema.Field same = there.getField(field.name());
            if (same != null) {
                String lost = lost(field.schema(), same.schema(), value, path + field.name() + ".");
                if (lost != null) return lost;
            } else if (!isDefault(field, value)) {
                return path + field.name();
            }
        }
        return null;
    }

    private static @Nullable String lostOfAll(Schema own, Schema there, Collection<?> values, String path) {
        boolean plain = own.getType() != Schema.Type.RECORD
                && own.getType() != Schema.Type.ENUM
                && own.getType() != Schema.Type.UNION;
        if (plain && own.getType() != Schema.Type.ARRAY && own.getType() != Schema.Type.MAP) return null;
        return values.stream()
                .map(value -> lost(own, there, value, path))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /** A reader takes the default for a field that is not there. */
    private static boolean isDefault(Schema.Field field, @Nullable Object value) {
        if (!field.hasDefaultValue()) return false;
        Object otherwise = SpecificData.get().getDefaultValue(field);
        return Objects.equals(value, otherwise)
                || value instanceof CharSequence && String.valueOf(otherwise).contentEquals((CharSequence) value);
    }

    /** Which branch of a union a value is of; Avro's own way needs a conversion for every logical type. */
    private static Schema branchFor(Schema union, @Nullable Object value) {
        List<Schema> others = union.getTypes().stream()
                .filter(b -> (b.getType() == Schema.Type.NULL) == (value == null))
                .toList();
        return others.size() == 1
                ? others.get(0)
                : union.getTypes().get(SpecificData.get().resolveUnion(union, value));
    }

    private static Optional<Schema> branchOf(Schema there, Schema branch) {
        if (there.getType() != Schema.Type.UNION) return Optional.of(there);
        return there.getTypes().stream()
                .filter(b -> b.getFullName().equals(branch.getFullName()))
                .findFirst();
    }

    /** One sentence for people: in what records are written, and what may not be in them. */
    public String describe() {
        return "records are written in version " + registered.version() + " of subject " + registered.subject()
                + (lacks.isEmpty()
                        ? ""
                        : ", which cannot hold "
                                + lacks.stream().limit(5).collect(Collectors.joining(", "))
                                + (lacks.size() > 5 ? " and " + (lacks.size() - 5) + " more" : ""));
    }
}
