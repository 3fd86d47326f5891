package io.linesight.app.doctor;

import io.linesight.app.doctor.Check.NotApplicable;
import io.linesight.schemas.registry.Compatibility;
import io.linesight.schemas.registry.RegisteredSchema;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.OlderVersion;
import io.linesight.schemas.serde.SchemaMeaning;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/** Checks of the schema registry. */
final class RegistryChecks {
    /** Clocks may differ this much. */
    static final Duration CLOCK_LIMIT = Duration.ofSeconds(5);

    private final DoctorOptions options;
    private final Needs needs;

    RegistryChecks(DoctorOptions options, Needs needs) {
        this.options = options;
        this.needs = needs;
    }

    private SchemaRegistryClient open(String otherwise) throws NotApplicable {
        options.requireRegistry(otherwise);
        Map<String, String> configs = new HashMap<>(options.settings());
        long timeout = Math.max(500, Math.min(5_000, options.timeout().toMillis() / 5));
        configs.put("max.retries", "0");
        configs.put("http.connect.timeout.ms", "" + timeout);
        configs.put("http.read.timeout.ms", "" + timeout);
        return new SchemaRegistryClient(configs);
    }

    /** Whether the registered schemas fit ours. */
    String schemas(List<Finding> found) throws NotApplicable {
        boolean latest = isSet("use.latest.version", "false");
        boolean registers = !latest && isSet("auto.register.schemas", "true");
        int there = 0;
        int wanted = 0;
        try {
            SchemaRegistryClient client = open("no schema was checked");
            client.subjects(); // whether it can be used; in a context the names have it before them
            for (Need need : needs.topics()) {
                if (need.schema() == null) continue;
                wanted++;
                String subject = need.topic().name() + "-value";
                Optional<RegisteredSchema> newest = newest(client, subject, found);
                if (newest == null) continue;
                if (newest.isEmpty()) {
                    if (!registers && need.writes())
                        found.add(Finding.of(Problem.SCHEMA_MISSING, subject, "it is not registered"));
                    continue;
                }
                there++;
                checkSchema(client, newest.get(), need, found);
                if (need.writes() && !registers) checkWriter(client, newest.get(), need, latest, found);
            }
        } catch (RegistryException | ConfigException e) {
            found.add(Finding.of(
                    Problem.REGISTRY_UNUSABLE, "schema.registry.url", Objects.toString(e.getMessage(), e.toString())));
            return "";
        }
        return there + " of " + wanted + " schemas are registered"
                + (there < wanted && registers ? "; the first writer registers the others" : "");
    }

    private boolean isSet(String key, String otherwise) {
        return options.settings().getOrDefault(key, otherwise).trim().equalsIgnoreCase("true");
    }

    /** Empty where the subject does not exist; null where it is of no use, which is then among the findings. */
    private static @Nullable Optional<RegisteredSchema> newest(
            SchemaRegistryClient client, String subject, List<Finding> found) {
        try {
            return Optional.of(client.latest(subject));
        } catch (RegistryException e) {
            if (e.kind() == RegistryException.Kind.NOT_FOUND) return Optional.empty();
            if (e.kind() != RegistryException.Kind.UNUSABLE_SCHEMA) throw e;
            found.add(Finding.of(Problem.SCHEMA_INCOMPATIBLE, subject, e.getMessage()));
            return null;
        }
    }

    private static void checkSchema(
            SchemaRegistryClient client, RegisteredSchema newest, Need need, List<Finding> found) {
        String subject = newest.subject();
        var read = SchemaCompatibility.checkReaderWriterCompatibility(need.schema(), newest.schema());
        List<String> meaning = SchemaMeaning.differences(newest.schema(), need.schema());
        Compatibility write = need.writes() ? client.check(subject, need.schema()) : new Compatibility(true, List.of());
        if (read.getType() != SchemaCompatibilityType.COMPATIBLE) {
            found.add(Finding.of(
                    Problem.SCHEMA_INCOMPATIBLE,
                    subject,
                    "version " + newest.version() + " is " + newest.schema().getFullName() + " and cannot be read as "
                            + need.schema().getFullName()));
        } else if (!meaning.isEmpty()) {
            found.add(Finding.of(
                    Problem.SCHEMA_INCOMPATIBLE,
                    subject,
                    "version " + newest.version() + ": " + String.join("; ", meaning)));
        } else if (!write.compatible()) {
            found.add(Finding.of(
                    Problem.SCHEMA_INCOMPATIBLE,
                    subject,
                    "the registry would reject ours beside version " + newest.version() + ": "
                            + String.join("; ", write.reasons())));
        }
        if (client.compatibilityOf(subject).filter("NONE"::equals).isPresent())
            found.add(Finding.of(Problem.SCHEMA_UNGUARDED, subject, "its compatibility is NONE"));
    }

    /** What a writer that may not register will find, as its serializer does it. */
    private static void checkWriter(
            SchemaRegistryClient client, RegisteredSchema newest, Need need, boolean latest, List<Finding> found) {
        if (latest) {
            OlderVersion.of(newest, need.schema())
                    .ifPresentOrElse(
                            version -> checkLacks(version, found),
                            () -> found.add(Finding.of(
                                    Problem.SCHEMA_INCOMPATIBLE,
                                    newest.subject(),
                                    "use.latest.version=true, and version " + newest.version()
                                            + " cannot take our records")));
            return;
        }
        try {
            client.lookup(newest.subject(), need.schema());
        } catch (RegistryException e) {
            if (e.kind() != RegistryException.Kind.NOT_FOUND) throw e;
            OlderVersion.newest(client, newest.subject(), need.schema())
                    .ifPresentOrElse(
                            version -> checkLacks(version, found),
                            () -> found.add(Finding.of(Problem.SCHEMA_MISSING, newest.subject(), e.getMessage())));
        }
    }

    private static void checkLacks(OlderVersion version, List<Finding> found) {
        if (!version.lacks().isEmpty())
            found.add(Finding.of(Problem.SCHEMA_OLDER, version.registered().subject(), version.describe()));
    }

    /** Whether this machine and the registry agree on the time. */
    String clock(List<Finding> found) throws NotApplicable {
        try {
            Instant before = Instant.now();
            Optional<Instant> theirs = open("there is no clock to compare with").clock();
            Instant after = Instant.now();
            if (theirs.isEmpty()) throw new NotApplicable("the registry sends no time");
            Duration skew = skew(theirs.get(), before, after);
            if (skew.abs().compareTo(CLOCK_LIMIT) > 0) {
                found.add(Finding.of(
                        Problem.CLOCK_SKEW,
                        "this machine",
                        "its clock is " + Math.abs(skew.toSeconds()) + " s "
                                + (skew.isNegative() ? "behind" : "ahead of") + " the registry's; the limit is "
                                + CLOCK_LIMIT.toSeconds() + " s"));
            }
            return "differs from the registry's by "
                    + (skew.isZero() ? "less than 1 s" : skew.abs().toSeconds() + " s") + ", limit "
                    + CLOCK_LIMIT.toSeconds() + " s";
        } catch (RegistryException | ConfigException e) {
            throw new NotApplicable("the registry, whose clock is compared, cannot be used");
        }
    }

    /** How far this machine's clock is ahead; the header has whole seconds and was written between the two times. */
    static Duration skew(Instant theirs, Instant before, Instant after) {
        if (before.isAfter(theirs.plusSeconds(1))) return Duration.between(theirs.plusSeconds(1), before);
        return after.isBefore(theirs) ? Duration.between(theirs, after) : Duration.ZERO;
    }
}
