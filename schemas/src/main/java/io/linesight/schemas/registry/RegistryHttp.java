package io.linesight.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.registry.RegistryConfig.Endpoint;
import io.linesight.schemas.registry.RegistryException.Kind;
import java.io.IOException;
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

/**
 * Requests with failover over the endpoints and backoff between rounds. Every operation of the API is idempotent, so
 * all may be repeated.
 */
final class RegistryHttp {

    static final ObjectMapper JSON = new ObjectMapper();

    /** Of an answer. The largest schema that anybody registers is far smaller. */
    private static final int MOST_BYTES = 16 << 20;

    private static final String MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";

    private final RegistryConfig config;
    private final HttpClient client;
    private final Backoff backoff;
    /** The endpoint that answered last: a dead first one must not cost its timeout on every call. */
    private volatile int preferred;

    RegistryHttp(RegistryConfig config) {
        this.config = config;
        backoff = Backoff.exponential(config.retryWait, config.retryMaxWait).withJitter();
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(config.connectTimeout)
                .followRedirects(HttpClient.Redirect.NEVER) // credentials must not follow a redirect
                .build();
    }

    /**
     * @param body null for none
     * @throws RegistryException of any kind but INCOMPATIBLE's finer meaning, which the caller knows
     */
    JsonNode call(String method, String path, JsonNode body) {
        RegistryException unavailable = null;
        List<String> unreachable = new ArrayList<>();
        Exception lastFault = null;
        int count = config.endpoints.size();
        int first = preferred;
        for (int round = 0; round <= config.maxRetries; round++) {
            if (round > 0) {
                sleep(backoff.delay(round));
            }
            unreachable.clear();
            for (int i = 0; i < count; i++) {
                int index = (first + i) % count;
                Endpoint endpoint = config.endpoints.get(index);
                try {
                    JsonNode answer = exchange(endpoint, method, path, body);
                    preferred = index;
                    return answer;
                } catch (RegistryException e) {
                    if (!e.isRetriable()) {
                        preferred = index;
                        throw e;
                    }
                    unavailable = e;
                } catch (IOException e) {
                    unreachable.add(endpoint + " (" + reason(e) + ")");
                    lastFault = e;
                }
            }
        }
        if (unavailable != null) {
            throw unavailable;
        }
        throw new RegistryException(
                Kind.UNREACHABLE,
                0,
                "no schema registry answers: " + String.join(", ", unreachable)
                        + "; tried " + (config.maxRetries + 1) + " times. Check " + RegistryConfig.URL
                        + "; the call can be repeated once the registry is back",
                lastFault);
    }

    /** The Date header of the endpoint that answered last. */
    Optional<Instant> clock() {
        Endpoint endpoint = config.endpoints.get(preferred);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(endpoint.base() + "/subjects"))
                .timeout(config.readTimeout);
        if (endpoint.authorization() != null) {
            request.header("Authorization", endpoint.authorization());
        }
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

    private JsonNode exchange(Endpoint endpoint, String method, String path, JsonNode body) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(endpoint.base() + path))
                .timeout(config.readTimeout)
                .header("Accept", MEDIA_TYPE + ", application/json");
        if (endpoint.authorization() != null) {
            request.header("Authorization", endpoint.authorization());
        }
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

    /** The client's own timeout ends with the headers; a body that never ends would hold the caller for ever. */
    private HttpResponse<byte[]> send(HttpRequest request) throws IOException {
        CompletableFuture<HttpResponse<byte[]>> sent = client.sendAsync(request, info -> new LimitedBody(MOST_BYTES));
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

    private static RegistryException failure(String what, int status, JsonNode json) {
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
                    what + " was refused: " + said + ". Check " + RegistryConfig.USER_INFO,
                    null);
        }
        if (status == 404 && code / 100 == 404) {
            return new RegistryException(Kind.NOT_FOUND, code, what + ": " + said, null);
        }
        if (status == 409) {
            return new RegistryException(Kind.INCOMPATIBLE, code, what + " was refused: " + said, null);
        }
        if (json == null || status == 404 || status / 100 == 3) {
            // Any web server gives a 404 for a wrong path. Taking that for "no such schema" would condemn every record.
            return notARegistry(what, said);
        }
        return new RegistryException(Kind.REFUSED, code, what + " was refused: " + said, null);
    }

    static RegistryException notARegistry(String what, String said) {
        return new RegistryException(
                Kind.NOT_A_REGISTRY,
                0,
                what + ": what answers there is not a Confluent-compatible" + " schema registry (" + said
                        + "). Check the path in " + RegistryConfig.URL,
                null);
    }

    private static JsonNode parse(byte[] body) {
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
