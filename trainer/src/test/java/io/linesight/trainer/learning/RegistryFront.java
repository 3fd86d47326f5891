package io.linesight.trainer.learning;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** What stands before a registry: it passes requests on, or answers in its place. */
public final class RegistryFront implements AutoCloseable {

    /** How every request is answered in the registry's place. */
    public enum Fault {
        REFUSES(401, "{\"error_code\":40101,\"message\":\"Unauthorized\"}"),
        FORBIDS(403, ""),
        SIGN_IN_PAGE(200, "<html>Please sign in</html>"),
        NO_SUCH_PAGE(404, "<html>nothing here</html>"),
        OTHER_SERVICE(200, "{\"status\":\"ok\"}"),
        LAGS(404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");

        private final int status;
        private final String body;

        Fault(int status, String body) {
            this.status = status;
            this.body = body;
        }
    }

    private static final String MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";

    private final HttpServer server;
    private final HttpClient client = HttpClient.newHttpClient();
    private final String registry;
    private final AtomicReference<Fault> fault = new AtomicReference<>();
    private final AtomicInteger faults = new AtomicInteger();

    public RegistryFront(String registry) {
        this.registry = registry;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::handle);
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** From now on; null lets requests through. */
    public void answer(Fault fault) {
        this.fault.set(fault);
    }

    /** Requests that were answered in the registry's place. */
    public int faults() {
        return faults.get();
    }

    private void handle(HttpExchange exchange) throws IOException {
        Fault now = fault.get();
        try (exchange) {
            if (now != null) {
                faults.incrementAndGet();
                answer(exchange, now.status, now.body.getBytes());
                return;
            }
            HttpResponse<byte[]> response = client.send(
                    HttpRequest.newBuilder(URI.create(registry + exchange.getRequestURI()))
                            .header("Content-Type", MEDIA_TYPE)
                            .method(
                                    exchange.getRequestMethod(),
                                    BodyPublishers.ofByteArray(
                                            exchange.getRequestBody().readAllBytes()))
                            .build(),
                    BodyHandlers.ofByteArray());
            answer(exchange, response.statusCode(), response.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
