package io.linesight.embedded;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.embedded.SchemaStore.Content;
import io.linesight.embedded.SchemaStore.Reference;
import io.linesight.embedded.SchemaStore.Version;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.jspecify.annotations.Nullable;

/**
 * The operations of the REST API over the store, without HTTP. A table of routes on the JDK's server: a web framework
 * would bring a server into every test for twenty routes.
 */
final class RegistryApi {

    static final ObjectMapper JSON = new ObjectMapper();

    private static final Set<String> LEVELS = Set.of(
            "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE");

    /** An answer that is not the one hoped for, in the API's own codes. */
    static final class ApiException extends RuntimeException {
        private static final long serialVersionUID = 1L;
        final int status;
        final int code;

        ApiException(int status, int code, String message) {
            super(message, null, false, false);
            this.status = status;
            this.code = code;
        }
    }

    private final SchemaStore store;
    /** Registration reads, decides and writes; two at once could give one id twice. */
    private final Object writeLock = new Object();

    private final List<Route> routes;

    RegistryApi(SchemaStore store) {
        this.store = store;
        routes = routes();
    }

    /** Every operation, as Confluent's REST API names it. */
    private List<Route> routes() {
        return List.of(
                Route.of("GET", "/", r -> object()),
                Route.of("GET", "/subjects", r -> JSON.valueToTree(store.subjects())),
                Route.of("POST", "/subjects/{subject}", r -> lookup(r.get("subject"), r.body())),
                Route.of("GET", "/subjects/{subject}/versions", r -> versionNumbers(r.get("subject"))),
                Route.of("POST", "/subjects/{subject}/versions", r -> register(r.get("subject"), r.body())),
                Route.of("GET", "/subjects/{subject}/versions/{version}", r -> describe(r.get("subject"), version(r))),
                Route.of(
                        "GET",
                        "/subjects/{subject}/versions/{version}/schema",
                        r -> tree(version(r).content().schema())),
                Route.of("GET", "/schemas/types", r -> JSON.createArrayNode().add("AVRO")),
                Route.of("GET", "/schemas/ids/{id}", r -> contentOf(schemaId(r))),
                Route.of(
                        "GET",
                        "/schemas/ids/{id}/schema",
                        r -> tree(existingContent(schemaId(r)).schema())),
                Route.of("GET", "/schemas/ids/{id}/subjects", r -> subjectsOf(schemaId(r))),
                Route.of("GET", "/schemas/ids/{id}/versions", r -> versionsOf(schemaId(r))),
                Route.of("GET", "/config", r -> object().put("compatibilityLevel", store.globalLevel())),
                Route.of("PUT", "/config", r -> setLevel(null, r.body())),
                Route.of("GET", "/config/{subject}", r -> levelOf(r.get("subject"), r.isSet("defaultToGlobal"))),
                Route.of("PUT", "/config/{subject}", r -> setLevel(r.get("subject"), r.body())),
                Route.of("POST", "/compatibility/subjects/{subject}/versions", r -> checkAgainst("latest", r)),
                Route.of(
                        "POST",
                        "/compatibility/subjects/{subject}/versions/{version}",
                        r -> checkAgainst(r.get("version"), r)),
                Route.of("GET", "/mode", r -> object().put("mode", "READWRITE")),
                Route.of("GET", "/mode/{subject}", r -> object().put("mode", "READWRITE")));
    }

    /**
     * Answers a request.
     *
     * @param path decoded segments
     * @param flag looks up a boolean query parameter
     * @param body an empty object where there was none
     * @throws ApiException with the API's own code when the request cannot be met
     */
    JsonNode answer(String method, List<String> path, Predicate<String> flag, JsonNode body) {
        for (Route route : routes) {
            Map<String, String> variables = route.match(method, path);
            if (variables != null) return route.handler().answer(new Route.Request(variables, flag, body));
        }
        throw new ApiException(
                404,
                404,
                "HTTP 404 Not Found: this embedded registry has no " + method + " /" + String.join("/", path));
    }

    private JsonNode versionNumbers(String subject) {
        return JSON.valueToTree(existing(subject).stream().map(Version::version).toList());
    }

    private static int schemaId(Route.Request request) {
        String id = request.get("id");
        return number(id, new ApiException(404, 40403, "Schema " + id + " not found"));
    }

    private Content existingContent(int id) {
        return store.content(id).orElseThrow(() -> new ApiException(404, 40403, "Schema " + id + " not found"));
    }

    private JsonNode contentOf(int id) {
        Content content = existingContent(id);
        return withReferences(object().put("schema", content.schema()), content);
    }

    private JsonNode subjectsOf(int id) {
        existingContent(id);
        return JSON.valueToTree(store.subjects().stream()
                .filter(s -> store.versions(s).stream().anyMatch(v -> v.id() == id))
                .toList());
    }

    private JsonNode versionsOf(int id) {
        existingContent(id);
        ArrayNode versions = JSON.createArrayNode();
        for (String subject : store.subjects()) {
            store.versions(subject).stream()
                    .filter(v -> v.id() == id)
                    .forEach(v -> versions.add(object().put("subject", subject).put("version", v.version())));
        }
        return versions;
    }

    private JsonNode levelOf(String subject, boolean orGlobal) {
        return object().put("compatibilityLevel", store.levelOf(subject).orElseGet(() -> {
            if (orGlobal) return store.globalLevel();
            throw new ApiException(
                    404, 40408, "Subject '" + subject + "' does not have subject-level compatibility configured");
        }));
    }

    private JsonNode setLevel(@Nullable String subject, JsonNode body) {
        String level = body.path("compatibility").asText();
        if (!LEVELS.contains(level)) {
            throw new ApiException(
                    422,
                    42203,
                    "Invalid compatibility level '" + level + "'. Valid values are " + new TreeSet<>(LEVELS));
        }
        synchronized (writeLock) {
            store.setLevel(subject, level);
        }
        return object().put("compatibility", level);
    }

    private JsonNode checkAgainst(String name, Route.Request request) {
        String subject = request.get("subject");
        List<Version> versions = existing(subject);
        String level = level(subject);
        List<Version> against = isLatest(name) ? concerned(versions, level) : List.of(version(subject, name));
        List<String> reasons = incompatibilities(parse(content(request.body())), against, level);
        ObjectNode answer = object().put("is_compatible", reasons.isEmpty());
        if (request.isSet("verbose")) answer.set("messages", JSON.valueToTree(reasons));
        return answer;
    }

    private JsonNode lookup(String subject, JsonNode body) {
        Content content = content(body);
        parse(content);
        return existing(subject).stream()
                .filter(v -> v.content().equals(content))
                .findFirst()
                .map(v -> (JsonNode) describe(subject, v))
                .orElseThrow(() -> new ApiException(404, 40403, "Schema not found"));
    }

    private JsonNode register(String subject, JsonNode body) {
        Content content = content(body);
        Schema schema = parse(content);
        synchronized (writeLock) {
            List<Version> versions = store.versions(subject);
            for (Version version : versions) {
                if (version.content().equals(content)) {
                    return object().put("id", version.id());
                }
            }
            String level = level(subject);
            List<String> reasons = incompatibilities(schema, concerned(versions, level), level);
            if (!reasons.isEmpty()) {
                throw new ApiException(
                        409,
                        409,
                        "Schema being registered is incompatible with an earlier schema for subject \"" + subject
                                + "\" (compatibility " + level + "): " + String.join("; ", reasons));
            }
            int id = store.idOf(content).orElseGet(store::nextId);
            int number =
                    versions.isEmpty() ? 1 : versions.get(versions.size() - 1).version() + 1;
            store.add(subject, new Version(number, id, content));
            return object().put("id", id);
        }
    }

    private String level(String subject) {
        return store.levelOf(subject).orElseGet(store::globalLevel);
    }

    private static List<Version> concerned(List<Version> versions, String level) {
        return versions.isEmpty() || level.endsWith("_TRANSITIVE")
                ? versions
                : versions.subList(versions.size() - 1, versions.size());
    }

    private List<String> incompatibilities(Schema schema, List<Version> against, String level) {
        List<String> reasons = new ArrayList<>();
        for (Version version : against) {
            Schema earlier = parse(version.content());
            if (level.startsWith("BACKWARD") || level.startsWith("FULL")) {
                collect(reasons, "the new schema cannot read version " + version.version(), schema, earlier);
            }
            if (level.startsWith("FORWARD") || level.startsWith("FULL")) {
                collect(reasons, "version " + version.version() + " cannot read the new schema", earlier, schema);
            }
        }
        return reasons;
    }

    private static void collect(List<String> reasons, String what, Schema reader, Schema writer) {
        SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                .getResult()
                .getIncompatibilities()
                .forEach(i -> reasons.add(
                        what + ": " + i.getType() + " at " + i.getLocation() + " (" + i.getMessage() + ")"));
    }

    /** What the request body asks to keep, in one spelling, so that the same schema always is the same content. */
    private Content content(JsonNode body) {
        String type = body.path("schemaType").asText("AVRO");
        if (!type.equals("AVRO")) {
            throw new ApiException(
                    422, 42201, "Invalid schema: this embedded registry keeps AVRO schemas only, not " + type);
        }
        String text = body.path("schema").asText();
        List<Reference> references = SchemaStore.references(body.path("references"));
        if (references.isEmpty()) {
            return new Content(parse(new Content(text, references)).toString(), references);
        }
        // Avro would print the referenced schemas into the text, so here only the white space is unified.
        return new Content(tree(text).toString(), references);
    }

    private Schema parse(Content content) {
        Schema.Parser parser = new Schema.Parser();
        try {
            parseReferences(content, parser, new LinkedHashSet<>());
            return parser.parse(content.schema());
        } catch (AvroRuntimeException | StackOverflowError e) {
            throw new ApiException(422, 42201, "Invalid schema: " + e.getMessage());
        }
    }

    private void parseReferences(Content content, Schema.Parser parser, Set<Reference> seen) {
        for (Reference reference : content.references()) {
            if (!seen.add(reference) || parser.getTypes().containsKey(reference.name())) {
                continue;
            }
            Content referenced = store.versions(reference.subject()).stream()
                    .filter(v -> v.version() == reference.version())
                    .findFirst()
                    .orElseThrow(() -> new ApiException(
                            422,
                            42201,
                            "Invalid schema: reference to " + reference.name() + " in subject " + reference.subject()
                                    + " version " + reference.version() + ", which does not exist"))
                    .content();
            parseReferences(referenced, parser, seen);
            parser.parse(referenced.schema());
        }
    }

    private List<Version> existing(String subject) {
        List<Version> versions = store.versions(subject);
        if (versions.isEmpty()) {
            throw new ApiException(404, 40401, "Subject '" + subject + "' not found.");
        }
        return versions;
    }

    private Version version(Route.Request request) {
        return version(request.get("subject"), request.get("version"));
    }

    private Version version(String subject, String name) {
        List<Version> versions = existing(subject);
        if (isLatest(name)) {
            return versions.get(versions.size() - 1);
        }
        int number = number(
                name,
                new ApiException(
                        422,
                        42202,
                        "The specified version '" + name
                                + "' is not a valid version id. Allowed values are positive numbers and \"latest\""));
        return versions.stream()
                .filter(v -> v.version() == number)
                .findFirst()
                .orElseThrow(() -> new ApiException(404, 40402, "Version " + number + " not found."));
    }

    private static boolean isLatest(String version) {
        return version.equals("latest") || version.equals("-1");
    }

    private static ObjectNode describe(String subject, Version version) {
        ObjectNode answer = object().put("subject", subject)
                .put("version", version.version())
                .put("id", version.id())
                .put("schema", version.content().schema());
        return withReferences(answer, version.content());
    }

    private static ObjectNode withReferences(ObjectNode answer, Content content) {
        if (!content.references().isEmpty()) {
            answer.set("references", JSON.valueToTree(content.references()));
        }
        return answer;
    }

    private static ObjectNode object() {
        return JSON.createObjectNode();
    }

    private static JsonNode tree(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new ApiException(422, 42201, "Invalid schema: " + e.getOriginalMessage());
        }
    }

    private static int number(String text, ApiException otherwise) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw otherwise;
        }
    }
}
