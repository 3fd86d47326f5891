package io.linesight.streams.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** The four calls of a schema registry that a serde makes, and an outage at the flick of a switch. */
public final class StubRegistry implements AutoCloseable {

    private final HttpServer server;
    private final List<String> schemas = new CopyOnWriteArrayList<>();
    /** How many of the next requests find the registry away. */
    public final AtomicInteger away = new AtomicInteger();

    public StubRegistry() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::handle);
        server.start();
    }

    public String url() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        if (away.getAndUpdate(n -> Math.max(0, n - 1)) > 0)
            answer(exchange, 503, "{\"error_code\":50003,\"message\":\"away\"}");
        else if (path.equals("/subjects")) answer(exchange, 200, "[]");
        else if (path.startsWith("/subjects/")) answer(exchange, 200, "{\"id\":" + register(body) + "}");
        else if (path.startsWith("/schemas/ids/")) {
            int id = Integer.parseInt(path.substring(path.lastIndexOf('/') + 1));
            if (id < 1 || id > schemas.size())
                answer(exchange, 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
            else answer(exchange, 200, schemas.get(id - 1));
        } else answer(exchange, 404, "{\"error_code\":404,\"message\":\"no such path\"}");
    }

    /** The request's body has the form of the answer to the look-up by id, so it is kept as it is. */
    private synchronized int register(String body) {
        if (!schemas.contains(body)) schemas.add(body);
        return schemas.indexOf(body) + 1;
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "application/vnd.schemaregistry.v1+json");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
