package io.linesight.embedded;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.linesight.embedded.RegistryApi.ApiException;
import io.linesight.schemas.clients.DaemonThreads;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small Avro schema registry in this JVM that speaks the part of Confluent's REST API that producers, consumers and
 * tools need: subjects, versions, ids, lookup, compatibility, config, mode; references are kept and resolved. No
 * deletes, no authentication, loopback interface only. State lies in the compacted topic {@code _schemas} of the
 * broker, so ids survive a restart. Run one per broker.
 *
 * <p>The compatibility rule is {@value #DEFAULT_COMPATIBILITY} until somebody sets another, stricter than Confluent's
 * BACKWARD, because the topics are kept for weeks and today's readers meet every version in them.
 */
public final class EmbeddedRegistry implements AutoCloseable {

    public static final String DEFAULT_COMPATIBILITY = "BACKWARD_TRANSITIVE";

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedRegistry.class);
    private static final int MAX_REQUEST_BYTES = 1 << 20;
    private static final int THREADS = 4;

    private final SchemaStore store;
    private final RegistryApi api;
    private final HttpServer http;
    private final ExecutorService executor;
    private boolean closed;

    private EmbeddedRegistry(SchemaStore store, HttpServer http) {
        this.store = store;
        this.http = http;
        api = new RegistryApi(store);
        executor = Executors.newFixedThreadPool(THREADS, DaemonThreads.factory("embedded-registry"));
    }

    /**
     * Reads the state from the broker and serves.
     *
     * @param bootstrapServers a broker that runs
     * @param port 0 picks a free one
     * @throws PortInUseException if the port is taken
     * @throws IllegalStateException if the broker cannot be used
     */
    public static EmbeddedRegistry start(String bootstrapServers, int port) {
        Objects.requireNonNull(bootstrapServers, "bootstrapServers");
        HttpServer http;
        try {
            http = HttpServer.create(new InetSocketAddress(Ports.address(), port), 64);
        } catch (IOException e) {
            throw new PortInUseException(port, "schema registry", e);
        }
        try {
            EmbeddedRegistry registry =
                    new EmbeddedRegistry(new SchemaStore(bootstrapServers, DEFAULT_COMPATIBILITY), http);
            http.setExecutor(registry.executor);
            http.createContext("/", registry::handle);
            http.start();
            return registry;
        } catch (RuntimeException e) {
            http.stop(0);
            throw e;
        }
    }

    /** Value for {@code schema.registry.url}. */
    public String url() {
        return "http://" + Ports.HOST + ":" + port();
    }

    public int port() {
        return http.getAddress().getPort();
    }

    /** Stops serving; the schemas stay in the broker. Does nothing the second time. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            http.stop(0);
            executor.shutdownNow();
            store.close();
        }
    }

    private void handle(HttpExchange exchange) {
        int status = 200;
        JsonNode answer;
        try {
            answer = answer(exchange);
        } catch (ApiException e) {
            status = e.status;
            answer = error(e.code, e.getMessage());
        } catch (IOException | RuntimeException e) {
            LOG.warn("schema registry request {} {} failed", exchange.getRequestMethod(), exchange.getRequestURI(), e);
            status = 500;
            answer = error(50001, "Error in the embedded registry: " + e.getMessage());
        }
        try (exchange) {
            byte[] bytes = RegistryApi.JSON.writeValueAsBytes(answer);
            exchange.getResponseHeaders().set("Content-Type", "application/vnd.schemaregistry.v1+json");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        } catch (IOException e) {
            LOG.debug("client of {} went away", exchange.getRequestURI(), e);
        }
    }

    private JsonNode answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(MAX_REQUEST_BYTES + 1);
        if (body.length > MAX_REQUEST_BYTES) {
            throw new ApiException(413, 413, "the request is larger than " + MAX_REQUEST_BYTES + " bytes");
        }
        JsonNode json;
        try {
            json = body.length == 0 ? RegistryApi.JSON.createObjectNode() : RegistryApi.JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw new ApiException(400, 400, "the request is not JSON: " + e.getOriginalMessage());
        }
        List<String> path = Arrays.stream(exchange.getRequestURI().getRawPath().split("/"))
                .filter(s -> !s.isEmpty())
                .map(s -> URLDecoder.decode(s.replace("+", "%2B"), StandardCharsets.UTF_8))
                .toList();
        String query = "&" + Objects.toString(exchange.getRequestURI().getQuery(), "") + "&";
        return api.answer(exchange.getRequestMethod(), path, name -> query.contains("&" + name + "=true&"), json);
    }

    private static JsonNode error(int code, String message) {
        return RegistryApi.JSON.createObjectNode().put("error_code", code).put("message", message);
    }
}
