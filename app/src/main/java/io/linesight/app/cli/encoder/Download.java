package io.linesight.app.cli.encoder;

import io.linesight.schemas.clients.DaemonThreads;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** One file over HTTP. Redirects are followed, but never from https to http. */
final class Download {
    private static final long MAX_BYTES = 2L << 30;
    private final Duration timeout;

    /** @param timeout for the connection, and for every pause of the server */
    Download(Duration timeout) {
        this.timeout = timeout;
    }

    /**
     * Fetches the body of a successful answer.
     *
     * @param to a new file; what is in it after a failure is for the caller to remove
     * @throws IOException with a reason for people, which begins in the middle of a sentence
     */
    void fetch(URI from, Path to) throws IOException, InterruptedException {
        HttpClient http = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NORMAL)
                .connectTimeout(timeout)
                .build();
        HttpResponse<InputStream> answer = answer(http, from);
        try (InputStream body = answer.body();
                OutputStream file = Files.newOutputStream(to)) {
            if (answer.statusCode() / 100 == 3)
                throw new IOException(from + " redirects to "
                        + answer.headers().firstValue("Location").orElse("nowhere") + ", which is not followed");
            if (answer.statusCode() != 200)
                throw new IOException(from + " answered with status " + answer.statusCode()
                        + (answer.statusCode() == 404 ? " (it is not there)" : ""));
            long expected = answer.headers().firstValueAsLong("Content-Length").orElse(-1);
            if (expected > MAX_BYTES) throw new IOException(from + " has " + expected + " bytes, too many for weights");
            copy(from, body, file, expected);
        }
    }

    private HttpResponse<InputStream> answer(HttpClient http, URI from) throws IOException, InterruptedException {
        var sent =
                http.sendAsync(HttpRequest.newBuilder(from).GET().build(), HttpResponse.BodyHandlers.ofInputStream());
        try {
            return sent.get(2 * timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException(from.getHost() + " does not answer", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            for (Throwable t = cause; t != null; t = t.getCause()) {
                if (t instanceof UnresolvedAddressException || t instanceof UnknownHostException)
                    throw new IOException(
                            "the address of " + from.getHost() + " is not known here (is there a network?)", cause);
            }
            if (cause instanceof HttpConnectTimeoutException)
                throw new IOException(from.getHost() + " does not answer", cause);
            if (cause instanceof ConnectException)
                throw new IOException("there is no connection to " + from.getHost(), cause);
            throw new IOException(from + " failed: " + reason(cause), cause);
        } finally {
            sent.cancel(true);
        }
    }

    private void copy(URI from, InputStream body, OutputStream file, long expected) throws IOException {
        AtomicLong last = new AtomicLong(System.nanoTime());
        ScheduledExecutorService watch =
                Executors.newSingleThreadScheduledExecutor(DaemonThreads.factory("linesight-download-watch"));
        long got = 0;
        try {
            // A blocked read ends only when its stream is closed under it.
            watch.scheduleWithFixedDelay(
                    () -> {
                        if (System.nanoTime() - last.get() > timeout.toNanos()) close(body);
                    },
                    200,
                    200,
                    TimeUnit.MILLISECONDS);
            byte[] buffer = new byte[1 << 16];
            for (int n = read(from, body, buffer, got, expected); n >= 0; n = read(from, body, buffer, got, expected)) {
                last.set(System.nanoTime());
                got += n;
                if (got > MAX_BYTES)
                    throw new IOException(from + " sends more than " + MAX_BYTES + " bytes, too many for weights");
                file.write(buffer, 0, n);
            }
        } finally {
            watch.shutdownNow();
        }
        if (expected >= 0 && got != expected)
            throw new IOException("the connection ended after " + got + " of " + expected + " bytes");
    }

    private static int read(URI from, InputStream body, byte[] buffer, long got, long expected) throws IOException {
        try {
            return body.read(buffer);
        } catch (IOException e) {
            throw new IOException(
                    "the connection to " + from.getHost() + " ended or stalled after " + got
                            + (expected < 0 ? "" : " of " + expected) + " bytes",
                    e);
        }
    }

    private static void close(InputStream body) {
        try {
            body.close();
        } catch (IOException e) {
            // The reader sees it.
        }
    }

    private static String reason(Throwable e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
