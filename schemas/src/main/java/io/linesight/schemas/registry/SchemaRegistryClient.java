package io.linesight.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.schemas.registry.RegistryException.Kind;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.kafka.common.config.ConfigDef;

/**
 * Client of a schema registry that speaks Confluent's REST API: the part that Avro producers, consumers and tools need.
 *
 * <p>Thread-safe. Answers that cannot change (ids of schemas, schemas of ids) are kept in bounded caches. Calls block,
 * for at most about {@code (max.retries + 1) * addresses * http.read.timeout.ms} plus the waits between.
 *
 * <p>Config keys, as Confluent's: {@code schema.registry.url} (one or several, tried in turn; a context is part of the
 * address: {@code http://host:port/contexts/.NAME}), {@code basic.auth.credentials.source} (URL or USER_INFO),
 * {@code basic.auth.user.info}, {@code http.connect.timeout.ms} (3000), {@code http.read.timeout.ms} (10000),
 * {@code max.retries} (3), {@code retries.wait.ms} (200, doubling), {@code retries.max.wait.ms} (2000),
 * {@code proxy.host}, {@code proxy.port}, {@code request.header.NAME}, {@code max.schemas.per.subject} (1000, what the
 * caches hold), {@code normalize.schemas} (false). {@link ConfluentKeys} has those that are not implemented.
 */
public final class SchemaRegistryClient {

    /** Of a subject, when the one that is ours is looked for; the newest first. */
    private static final int MAX_COMPARED_VERSIONS = 50;
    /** Of one schema, directly and indirectly; each costs a request. */
    private static final int MAX_REFERENCES = 100;
    /** Short, because an id that is unknown now may be registered a moment later. */
    private static final long UNKNOWN_ID_TTL_NANOS = 1_000_000_000L;

    /** Of the registry's error codes: there is no such subject. */
    public static final int SUBJECT_NOT_FOUND = 40401;

    private record SubjectSchema(String subject, Schema schema) {}

    private record UnknownId(RegistryException reason, long until) {}

    private final RegistryHttp http;
    private final String normalize;
    private final BoundedCache<SubjectSchema, Integer> ids;
    /** By id or GUID. */
    private final BoundedCache<Object, Schema> schemas;

    private final BoundedCache<Object, UnknownId> unknownIds;

    /**
     * @param configs keys as above; others are ignored
     * @throws org.apache.kafka.common.config.ConfigException naming the key that is missing or wrong; nothing is
     *     contacted yet
     */
    public SchemaRegistryClient(Map<String, ?> configs) {
        RegistryConfig config = new RegistryConfig(configs);
        http = new RegistryHttp(config);
        normalize = config.normalize ? "?normalize=true" : "";
        ids = new BoundedCache<>(config.cacheSize);
        schemas = new BoundedCache<>(config.cacheSize);
        unknownIds = new BoundedCache<>(config.cacheSize);
    }

    /** Every key with default, range and meaning; for the reference. */
    public static ConfigDef definition() {
        return RegistryConfig.definition();
    }

    /**
     * Registers the schema under the subject, or finds it there.
     *
     * @return its id
     * @throws RegistryException INCOMPATIBLE if the subject's compatibility rule forbids it; nothing was registered
     *     then
     */
    public int register(String subject, Schema schema) {
        SubjectSchema key = new SubjectSchema(subject, schema);
        Integer id = ids.get(key);
        if (id == null) {
            try {
                id = id(http.call("POST", "/subjects/" + encode(subject) + "/versions" + normalize, request(schema)));
            } catch (RegistryException e) {
                if (e.kind() != Kind.INCOMPATIBLE) {
                    throw e;
                }
                // Apicurio answers so to the second of two who create a subject at once, too: then the schema is there
                // now.
                Optional<Integer> there = find(subject, schema);
                if (there.isPresent()) {
                    return there.get();
                }
                throw new RegistryException(
                        Kind.INCOMPATIBLE,
                        e.errorCode(),
                        "schema " + schema.getFullName()
                                + " may not be registered under subject " + subject
                                + ", because readers of its earlier versions"
                                + " or of the new one would break. Nothing was registered. " + e.getMessage(),
                        e);
            }
            ids.put(key, id);
        }
        return id;
    }

    /**
     * Id of a schema that is already registered under the subject: the same text, or one that is the same on the wire
     * and to every reader ({@link WireForm}). Somebody who registers by hand leaves out what Avro's compiler adds.
     *
     * @throws RegistryException NOT_FOUND if it is not; the message says what is there
     */
    public int lookup(String subject, Schema schema) {
        SubjectSchema key = new SubjectSchema(subject, schema);
        Integer id = ids.get(key);
        if (id == null) {
            id = lookupText(subject, schema);
            ids.put(key, id);
        }
        return id;
    }

    private int lookupText(String subject, Schema schema) {
        try {
            return id(http.call("POST", "/subjects/" + encode(subject) + normalize, request(schema)));
        } catch (RegistryException e) {
            if (e.kind() != Kind.NOT_FOUND || e.errorCode() == SUBJECT_NOT_FOUND) throw e;
            return lookupForm(subject, schema, e);
        }
    }

    private int lookupForm(String subject, Schema schema, RegistryException notFound) {
        WireForm wanted = WireForm.of(schema);
        return newest(subject, there -> WireForm.of(there).equals(wanted))
                .map(RegisteredSchema::id)
                .orElseThrow(() -> new RegistryException(
                        Kind.NOT_FOUND,
                        notFound.errorCode(),
                        "no version of subject " + subject + " is schema " + schema.getFullName()
                                + " as this application has it. Register it (linesight schemas), or let the "
                                + "application do it (auto.register.schemas=true). " + notFound.getMessage(),
                        notFound));
    }

    /**
     * The newest version of a subject whose schema is accepted; of versions that are not Avro none is. Never cached.
     *
     * @throws RegistryException NOT_FOUND if there is no such subject
     */
    public Optional<RegisteredSchema> newest(String subject, Predicate<Schema> accepts) {
        List<Integer> versions = new ArrayList<>(versions(subject));
        versions.sort(Comparator.reverseOrder());
        for (int version : versions.subList(0, Math.min(MAX_COMPARED_VERSIONS, versions.size()))) {
            try {
                RegisteredSchema there = version(subject, version);
                if (accepts.test(there.schema())) return Optional.of(there);
            } catch (RegistryException e) {
                // Of another type, deleted in the meantime: not ours.
                if (e.kind() != Kind.UNUSABLE_SCHEMA && e.kind() != Kind.NOT_FOUND) throw e;
            }
        }
        return Optional.empty();
    }

    private Optional<Integer> find(String subject, Schema schema) {
        try {
            return Optional.of(lookup(subject, schema));
        } catch (RegistryException e) {
            if (e.isRetriable()) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /**
     * The schema of an id, references resolved.
     *
     * @throws RegistryException NOT_FOUND if the registry does not have it, UNUSABLE_SCHEMA if it is not Avro
     */
    public Schema schemaById(int id) {
        return schema(id, "schema id " + id, () -> http.call("GET", "/schemas/ids/" + id, null));
    }

    /**
     * The schema of a GUID, as Confluent's serializers write it into record headers; references resolved.
     *
     * @throws RegistryException NOT_FOUND if the registry does not have it or knows no GUIDs (before Confluent 8),
     *     UNUSABLE_SCHEMA if it is not Avro
     */
    public Schema schemaByGuid(UUID guid) {
        return schema(guid, "schema " + guid, () -> {
            try {
                return http.call("GET", "/schemas/guids/" + guid, null);
            } catch (RegistryException e) {
                if (e.kind() != Kind.NOT_A_REGISTRY) throw e;
                subjects(); // is it a registry at all?
                throw new RegistryException(
                        Kind.NOT_FOUND,
                        e.errorCode(),
                        "this registry knows no schemas by GUID (Confluent's does from version 8): " + e.getMessage(),
                        e);
            }
        });
    }

    private Schema schema(Object id, String what, Supplier<JsonNode> fetch) {
        Schema schema = schemas.get(id);
        if (schema == null) {
            UnknownId unknown = unknownIds.get(id);
            if (unknown != null && unknown.until - System.nanoTime() > 0) {
                throw unknown.reason;
            }
            try {
                schema = parse(what, fetch.get());
            } catch (RegistryException e) {
                if (e.kind() == Kind.NOT_FOUND) {
                    unknownIds.put(id, new UnknownId(e, System.nanoTime() + UNKNOWN_ID_TTL_NANOS));
                }
                throw e;
            }
            schemas.put(id, schema);
        }
        return schema;
    }

    /**
     * Asks for the schema of an id or GUID again the next time it is wanted: what was answered may have been another's
     * answer.
     */
    public void forget(Object id) {
        schemas.remove(id);
    }

    /** Names of all subjects. */
    public List<String> subjects() {
        List<String> subjects = new ArrayList<>();
        array(http.call("GET", "/subjects", null)).forEach(s -> subjects.add(s.asText()));
        return subjects;
    }

    /**
     * The registry's clock, to the second, from the header of an answer; empty where it sends none.
     *
     * @throws RegistryException UNREACHABLE if none answers
     */
    public Optional<Instant> clock() {
        return http.clock();
    }

    /**
     * Version numbers of a subject, ascending.
     *
     * @throws RegistryException NOT_FOUND if there is no such subject
     */
    public List<Integer> versions(String subject) {
        List<Integer> versions = new ArrayList<>();
        array(http.call("GET", "/subjects/" + encode(subject) + "/versions", null))
                .forEach(v -> versions.add(v.asInt()));
        return versions;
    }

    /**
     * The newest version of a subject; never cached.
     *
     * @throws RegistryException NOT_FOUND if there is no such subject
     */
    public RegisteredSchema latest(String subject) {
        return registered(subject, "latest");
    }

    /** @throws RegistryException NOT_FOUND if there is no such subject or version */
    public RegisteredSchema version(String subject, int version) {
        return registered(subject, Integer.toString(version));
    }

    /**
     * Whether the schema could be registered under the subject, by the subject's compatibility rule. A subject that
     * does not exist yet accepts anything.
     */
    public Compatibility check(String subject, Schema schema) {
        try {
            JsonNode answer = http.call(
                    "POST",
                    "/compatibility/subjects/" + encode(subject) + "/versions/latest?verbose=true",
                    request(schema));
            List<String> reasons = new ArrayList<>();
            answer.path("messages").forEach(m -> reasons.add(m.asText()));
            if (!answer.path("is_compatible").isBoolean())
                throw RegistryHttp.notARegistry("compatibility check", "the answer does not say is_compatible");
            return new Compatibility(answer.path("is_compatible").asBoolean(), reasons);
        } catch (RegistryException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return new Compatibility(true, List.of());
            }
            throw e;
        }
    }

    /**
     * The subject's own compatibility rule, for instance BACKWARD_TRANSITIVE; empty where the registry's global one
     * applies.
     */
    public Optional<String> compatibilityOf(String subject) {
        try {
            JsonNode level =
                    http.call("GET", "/config/" + encode(subject), null).path("compatibilityLevel");
            if (!level.isTextual())
                throw RegistryHttp.notARegistry("compatibility of " + subject, "the answer has no compatibilityLevel");
            return Optional.of(level.asText());
        } catch (RegistryException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Sets the subject's compatibility rule. */
    public void setCompatibility(String subject, String level) {
        http.call(
                "PUT",
                "/config/" + encode(subject),
                RegistryHttp.JSON.createObjectNode().put("compatibility", level));
    }

    private RegisteredSchema registered(String subject, String version) {
        JsonNode answer = http.call("GET", "/subjects/" + encode(subject) + "/versions/" + version, null);
        Schema schema = parse("subject " + subject + " version " + version, answer);
        return new RegisteredSchema(subject, answer.path("version").asInt(), id(answer), schema);
    }

    private Schema parse(String what, JsonNode answer) {
        return parse(what, answer, new Schema.Parser(), new HashSet<>());
    }

    /** A schema that refers to others is parsed after them, depth first, in one parser that then knows their names. */
    private Schema parse(String what, JsonNode answer, Schema.Parser parser, Set<String> fetched) {
        // A proxy's or another service's JSON, taken for a schema that cannot be read, would condemn good records.
        if (!answer.path("schema").isTextual()) throw RegistryHttp.notARegistry(what, "the answer has no schema");
        String type = answer.path("schemaType").asText("AVRO");
        if (!type.equals("AVRO")) {
            throw new RegistryException(
                    Kind.UNUSABLE_SCHEMA, 0, what + " is a " + type + " schema; only AVRO can be read here", null);
        }
        for (JsonNode reference : answer.path("references")) {
            String subject = reference.path("subject").asText();
            int version = reference.path("version").asInt();
            if (!parser.getTypes().containsKey(reference.path("name").asText())) {
                String referred = "subject " + subject + " version " + version;
                if (!fetched.add(referred)) {
                    throw new RegistryException(
                            Kind.UNUSABLE_SCHEMA,
                            0,
                            what + " cannot be parsed: " + referred
                                    + " refers to itself, or does not define the name under which it is referred to",
                            null);
                }
                if (fetched.size() > MAX_REFERENCES) {
                    throw new RegistryException(
                            Kind.UNUSABLE_SCHEMA,
                            0,
                            what + " cannot be parsed: it refers to more than " + MAX_REFERENCES + " other schemas",
                            null);
                }
                parse(
                        referred,
                        http.call("GET", "/subjects/" + encode(subject) + "/versions/" + version, null),
                        parser,
                        fetched);
            }
        }
        try {
            return parser.parse(answer.path("schema").asText());
        } catch (AvroRuntimeException | StackOverflowError e) {
            throw new RegistryException(Kind.UNUSABLE_SCHEMA, 0, what + " cannot be parsed: " + e.getMessage(), e);
        }
    }

    private static int id(JsonNode answer) {
        if (!answer.path("id").isInt() || answer.get("id").asInt() < 1) {
            throw RegistryHttp.notARegistry(
                    "schema registration", "the answer has no id that is a whole number above 0");
        }
        return answer.get("id").asInt();
    }

    private static JsonNode array(JsonNode answer) {
        if (!answer.isArray()) {
            throw RegistryHttp.notARegistry("listing", "the answer is not a list");
        }
        return answer;
    }

    private static ObjectNode request(Schema schema) {
        return RegistryHttp.JSON.createObjectNode().put("schema", schema.toString());
    }

    private static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
