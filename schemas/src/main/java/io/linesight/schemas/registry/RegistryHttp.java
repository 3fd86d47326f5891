package io.linesight.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.registry.RegistryConfig.Endpoint;
import io.linesight.schemas.registry.RegistryException.Kind;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * Requests with failover over the endpoints and backoff between rounds. Every operation of the API is idempotent, so
 * all may be repeated.
 */
final class RegistryHttp {

    static final ObjectMapper JSON = new ObjectMapper();

    /** Of an answer. The largest schema that anybody registers is far smaller. */
    private static final int MAX_ANSWER_BYTES = 16 << 20;

    private static final String MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";

    private final RegistryConfig config;
    private final HttpClient client;
    private final Backoff backoff;
    /** The endpoint that answered last: a dead first one must not cost its timeout on every call. */
    private volatile int preferred;

    RegistryHttp(RegistryConfig config) {
        this.config = config;
        backoff = Backoff.exponential(config.retryWait, config.retryMaxWait).withJitter();
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(config.connectTimeout)
                .followRedirects(HttpClient.Redirect.NEVER); // credentials must not follow a redirect
        if (config.proxy != null) builder.proxy(ProxySelector.of(config.proxy));
        client = builder.build();
    }

    /**
     * Asks the endpoints in turn, and all of them again after a backoff, until one answers.
     *
     * @throws RegistryException of any kind but INCOMPATIBLE's finer meaning, which the caller knows
     */
    JsonNode call(String method, String path, @Nullable JsonNode body) {
        Faults faults = new Faults();
        for (int round = 0; round <= config.maxRetries; round++) {
            if (round > 0) sleep(backoff.delay(round));
            faults.clear();
            JsonNode answer = askEndpoints(method, path, body, faults);
            if (answer != null) return answer;
            if (faults.isSettled()) break;
        }
        throw faults.toException(config.maxRetries + 1);
    }

    /** The first answer; null when no endpoint gave one, and the faults say why. */
    private @Nullable JsonNode askEndpoints(String method, String path, @Nullable JsonNode body, Faults faults) {
        int count = config.endpoints.size();
        int first = preferred;
        for (int i = 0; i < count; i++) {
            int index = (first + i) % count;
            Endpoint endpoint = config.endpoints.get(index);
            try {
                JsonNode answer = exchange(endpoint, method, path, body);
                preferred = index;
                return answer;
            } catch (RegistryException e) {
                if (!e.mayPass()) {
                    preferred = index;
                    throw e;
                }
                faults.add(e);
            } catch (IOException e) {
                faults.unreachable.add(endpoint + " (" + reason(e) + ")");
                faults.last = e;
            }
        }
        return null;
    }

    /** Why a call got no answer. */
    private static final class Faults {
        private final List<String> unreachable = new ArrayList<>();
        private @Nullable RegistryException unavailable;
        /** Refused, or answered by something else: another address may do better, the same one hardly so at once. */
        private @Nullable RegistryException refused;

        private @Nullable IOException last;

        void add(RegistryException e) {
            if (e.isRetriable()) unavailable = e;
            else refused = e;
        }

        void clear() {
            unreachable.clear();
            unavailable = null;
            refused = null;
        }

        /** Whether every address has answered, and none will answer otherwise in a moment. */
        boolean isSettled() {
            return refused != null && unavailable == null && unreachable.isEmpty();
        }

        RegistryException toException(int attempts) {
            if (unavailable != null) return unavailable;
            if (refused != null) return refused;
            return new RegistryException(
                    Kind.UNREACHABLE,
                    0,
                    "no schema registry answers: " + String.join(", ", unreachable) + "; tried " + attempts
                            + " times. Check " + RegistryConfig.URL
                            + "; the call can be repeated once the registry is back",
                    last);
        }
    }

    /** The Date header of the endpoint that answered last. */
    Optional<Instant> clock() {
        Endpoint endpoint = config.endpoints.get(preferred);
        HttpRequest.Builder request = request(endpoint, "/subjects");
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.discarding())
                    .headers()
                    .firstValue("Date")
                    .map(date -> Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date)));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new RegistryException(
                    Kind.UNREACHABLE, 0, "the schema registry at " + endpoint + " does not answer: " + reason(e), e);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private JsonNode exchange(Endpoint endpoint, String method, String path, @Nullable JsonNode body)
            throws IOException {
        HttpRequest.Builder request = request(endpoint, path).header("Accept", MEDIA_TYPE + ", application/json");
        if (body == null) {
            request.method(method, BodyPublishers.noBody());
        } else {
            request.header("Content-Type", MEDIA_TYPE)
                    .method(method, BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
        }
        HttpResponse<byte[]> response = send(request.build());
        String what = method + " " + endpoint + path;
        JsonNode json = parse(response.body());
        int status = response.statusCode();
        if (status / 100 == 2) {
            if (json == null) {
                throw notARegistry(what, "the answer is not JSON");
            }
            return json;
        }
        throw failure(what, status, json);
    }

    private HttpRequest.Builder request(Endpoint endpoint, String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(endpoint.base() + path)).timeout(config.readTimeout);
        config.headers.forEach(request::header);
        if (endpoint.authorization() != null) request.header("Authorization", endpoint.authorization());
        return request;
    }

    /** The client's own timeout ends with the headers; a body that never ends would hold the caller for ever. */
    private HttpResponse<byte[]> send(HttpRequest request) throws IOException {
        CompletableFuture<HttpResponse<byte[]>> sent =
                client.sendAsync(request, info -> new LimitedBody(MAX_ANSWER_BYTES));
        long millis = config.connectTimeout.toMillis() + config.readTimeout.toMillis();
        try {
            return sent.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            sent.cancel(true);
            throw new IOException("no complete answer within " + millis + " ms", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IOException("the answer cannot be understood: " + e.getCause(), e.getCause());
        } catch (InterruptedException e) {
            sent.cancel(true);
            throw new InterruptException(e); // sets the interrupt flag again
        }
    }

    private static RegistryException failure(String what, int status, @Nullable JsonNode json) {
        int code = json == null ? 0 : json.path("error_code").asInt();
        String message = json == null ? "" : json.path("message").asText();
        String said = "HTTP " + status + (code == 0 || code == status ? "" : ", error " + code)
                + (message.isEmpty() ? "" : ": " + message);
        if (status == 429 || status >= 500) {
            return new RegistryException(
                    Kind.UNAVAILABLE,
                    code,
                    what + " failed: " + said + ". The registry has a fault of its own; the call can be repeated",
                    null);
        }
        if (status == 401 || status == 403) {
            return new RegistryException(
                    Kind.UNAUTHORIZED,
                    code,
                    what + " was rejected: " + said + ". Check " + RegistryConfig.USER_INFO,
                    null);
        }
        if (status == 404 && code / 100 == 404) {
            return new RegistryException(Kind.NOT_FOUND, code, what + ": " + said, null);
        }
        if (status == 409) {
            return new RegistryException(Kind.INCOMPATIBLE, code, what + " was rejected: " + said, null);
        }
        if (json == null || status == 404 || status / 100 == 3) {
            // Any web server gives a 404 for a wrong path. Taking that for "no such schema" would condemn every record.
            return notARegistry(what, said);
        }
        return new RegistryException(Kind.REJECTED, code, what + " was rejected: " + said, null);
    }

    static RegistryException notARegistry(String what, String said) {
        return new RegistryException(
                Kind.NOT_A_REGISTRY,
                0,
                what + ": what answers there is not a Confluent-compatible" + " schema registry (" + said
                        + "). Check the path in " + RegistryConfig.URL,
                null);
    }

    private static @Nullable JsonNode parse(byte[] body) {
        try {
            JsonNode json = JSON.readTree(body);
            return json == null || json.isMissingNode() ? null : json;
        } catch (IOException e) {
            return null;
        }
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private static String reason(IOException e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }
}
