package io.linesight.streams.monitoring;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.linesight.schemas.clients.DaemonThreads;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * {@code /metrics} for Prometheus, {@code /live} and {@code /ready} for orchestrators: 200, or 503 with the reason.
 * {@code /health/live} and {@code /health/ready} are the same.
 */
public final class MetricsServer implements AutoCloseable {

    private final HttpServer server;
    private final ExecutorService executor;

    /**
     * Starts serving.
     *
     * @param port 0 for any free one
     * @param live why only a restart helps; empty while all is well. Asked on the server's thread
     * @param ready why there is no use in this instance now; empty while there is
     * @throws UncheckedIOException saying that the port is taken, where it is
     */
    public MetricsServer(
            int port,
            PrometheusMeterRegistry registry,
            Supplier<Optional<String>> live,
            Supplier<Optional<String>> ready) {
        try {
            server = HttpServer.create(new InetSocketAddress(port), 0);
        } catch (BindException e) {
            throw new UncheckedIOException(
                    "Port " + port
                            + " is taken; set linesight.metrics.port to another, to 0 for any free one or to -1 "
                            + "for none",
                    e);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "The metrics server did not start on port " + port + ": " + e.getMessage(), e);
        }
        executor = Executors.newSingleThreadExecutor(DaemonThreads.factory("linesight-metrics"));
        server.setExecutor(executor);
        server.createContext(
                "/metrics",
                exchange -> answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", registry.scrape()));
        for (String prefix : List.of("/", "/health/")) {
            server.createContext(prefix + "live", exchange -> health(exchange, live.get()));
            server.createContext(prefix + "ready", exchange -> health(exchange, ready.get()));
        }
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private static void health(HttpExchange exchange, Optional<String> obstacle) throws IOException {
        answer(
                exchange,
                obstacle.isEmpty() ? 200 : 503,
                "application/json",
                obstacle.map(reason -> "{\"status\":\"DOWN\",\"reason\":\"" + escaped(reason) + "\"}")
                        .orElse("{\"status\":\"UP\"}"));
    }

    private static String escaped(String text) {
        return new String(JsonStringEncoder.getInstance().quoteAsString(text));
    }

    private static void answer(HttpExchange exchange, int status, String type, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
