package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Puts one file on a web server. */
final class HttpUpload {
    /** Uploads slower than this count as stuck. */
    private static final long MIN_BYTES_PER_SECOND = 64 << 10;
    /** The server does not support bodies that wait until they are asked for. */
    private static final int EXPECTATION_FAILED = 417;

    private final HttpRequests requests;
    private final ModelsConfig config;
    private final URI target;

    HttpUpload(HttpRequests requests, ModelsConfig config, URI target) {
        this.requests = requests;
        this.config = config;
        this.target = target;
    }

    void send(Path file, Hashing.Content content) throws CheckpointStoreException {
        try {
            Duration timeout = config.timeout().plusSeconds(content.bytes() / MIN_BYTES_PER_SECOND);
            HttpResponse<Void> answer = requests.client()
                    .send(
                            put(HttpRequest.BodyPublishers.ofFile(file))
                                    .timeout(timeout)
                                    .build(),
                            BodyHandlers.discarding());
            if (answer.statusCode() / 100 != 2) throw rejected(answer.statusCode(), null);
            if (!Hashing.of(file).equals(content)) throw Hashing.changed(file);
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (FileNotFoundException e) {
            throw new CheckpointStoreException(Reason.IO, "there is no file " + file + "; nothing was published", e);
        } catch (IOException e) {
            throw broken(e, content.bytes());
        } catch (InterruptedException e) {
            throw HttpRequests.interrupted(e, "the upload to " + target);
        }
    }

    private HttpRequest.Builder put(HttpRequest.BodyPublisher body) {
        return requests.to(target)
                .header("Content-Type", "application/octet-stream")
                .PUT(body);
    }

    private CheckpointStoreException broken(IOException e, long bytes) {
        boolean answered = !(e instanceof ConnectException || e instanceof HttpTimeoutException);
        OptionalInt status = answered ? statusBeforeBody(bytes) : OptionalInt.empty();
        if (status.isPresent()) return rejected(status.getAsInt(), e);
        return new CheckpointStoreException(
                Reason.UNREACHABLE,
                "the upload to " + target + " failed: " + HttpRequests.describe(e)
                        + "; nothing was published. It can be repeated",
                e);
    }

    private CheckpointStoreException rejected(int status, @Nullable IOException cause) {
        return new CheckpointStoreException(
                HttpRequests.reasonFor(status),
                target + " answered the upload with status " + status + HttpRequests.hint(status)
                        + "; nothing was published",
                cause);
    }

    /**
     * Asks for the answer to the upload before the body is sent. A server that rejects an upload at its first line may
     * close the connection, and its answer is lost: the upload then looks broken, and would be repeated for ever.
     *
     * @return the status of the rejection; empty when the server wants the body, or does not answer
     */
    private OptionalInt statusBeforeBody(long bytes) {
        // It announces a body and has none: once the body is asked for, the request fails.
        var neverSent = HttpRequest.BodyPublishers.fromPublisher(HttpRequest.BodyPublishers.noBody(), bytes);
        HttpRequest question = put(neverSent)
                .version(HttpClient.Version.HTTP_1_1)
                .expectContinue(true)
                .build();
        CompletableFuture<Integer> status = new CompletableFuture<>();
        // The status is taken when it arrives: some versions of Java read the body of a rejection twice, and wait for
        // ever (JDK-8286171).
        CompletableFuture<HttpResponse<Void>> answer = requests.client().sendAsync(question, info -> {
            status.complete(info.statusCode());
            return BodySubscribers.discarding();
        });
        answer.whenComplete((ignored, failure) ->
                status.completeExceptionally(failure == null ? new IOException("no status") : failure));
        try {
            int code = status.get(config.timeoutMillis(), TimeUnit.MILLISECONDS);
            return code / 100 == 2 || code == EXPECTATION_FAILED ? OptionalInt.empty() : OptionalInt.of(code);
        } catch (ExecutionException | TimeoutException e) {
            return OptionalInt.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return OptionalInt.empty();
        } finally {
            answer.cancel(true);
        }
    }
}
