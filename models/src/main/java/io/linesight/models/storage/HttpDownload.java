package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Fetches one checkpoint from a web server. Follows redirects within the same scheme, host and port only. */
final class HttpDownload {
    private static final int MAX_REDIRECTS = 5;
    private static final long PROGRESS_MILLIS = 250;
    private static final long ANSWER_MILLIS = 50;

    private final HttpRequests requests;
    private final ModelsConfig config;
    private final ModelVersion manifest;
    private final String what;

    HttpDownload(HttpRequests requests, ModelsConfig config, ModelVersion manifest) {
        this.requests = requests;
        this.config = config;
        this.manifest = manifest;
        what = "the checkpoint of " + manifest.getVersion();
    }

    Path fetch(Path targetDir, CheckpointDownload.Opener opener) throws CheckpointStoreException {
        URI start = HttpRequests.location(manifest);
        URI from = start;
        for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
            try (CheckpointDownload download = new CheckpointDownload(manifest, targetDir, opener)) {
                HttpResponse<Void> answer = get(from, new Body(download));
                if (answer.statusCode() == 200) return download.finish();
                from = redirect(from, answer);
            }
        }
        throw new CheckpointStoreException(
                Reason.REJECTED,
                what + " was not fetched: " + start + " redirects more than " + MAX_REDIRECTS + " times");
    }

    private HttpResponse<Void> get(URI from, Body body) throws CheckpointStoreException {
        // No timeout on the request itself: in some versions of Java it would cover the whole body.
        CompletableFuture<HttpResponse<Void>> answer = requests.client()
                .sendAsync(requests.to(from).GET().build(), info -> {
                    if (info.statusCode() != 200) return BodySubscribers.discarding();
                    body.started = true;
                    return BodySubscribers.fromSubscriber(body);
                });
        try {
            return await(from, answer, body);
        } catch (ExecutionException e) {
            throw failed(from, body, e.getCause());
        } catch (InterruptedException e) {
            throw HttpRequests.interrupted(e, "fetching " + what + " at " + from);
        } finally {
            body.abandon();
            answer.cancel(true);
        }
    }

    /** Waits for the end of the body as long as it makes progress. */
    private HttpResponse<Void> await(URI from, CompletableFuture<HttpResponse<Void>> answer, Body body)
            throws CheckpointStoreException, ExecutionException, InterruptedException {
        long seen = -1;
        long since = System.nanoTime();
        while (true) {
            try {
                return poll(answer, body);
            } catch (TimeoutException e) {
                if (body.position != seen) {
                    seen = body.position;
                    since = System.nanoTime();
                } else if (System.nanoTime() - since > config.timeout().toNanos()) {
                    throw new CheckpointStoreException(
                            Reason.UNREACHABLE,
                            what + " at " + from + " makes no progress: nothing for "
                                    + config.timeout().toSeconds() + " s after " + body.position
                                    + " bytes. Nothing was kept; it can be fetched again",
                            e);
                }
            }
        }
    }

    /** @throws TimeoutException while the answer or its body is still coming */
    private HttpResponse<Void> poll(CompletableFuture<HttpResponse<Void>> answer, Body body)
            throws ExecutionException, InterruptedException, TimeoutException {
        if (!body.started) {
            HttpResponse<Void> complete = answer.get(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
            if (body.started) body.done.get();
            return complete;
        }
        // The body's own end comes first: it knows why it gave up, which the client reports as a cancellation only.
        body.done.get(PROGRESS_MILLIS, TimeUnit.MILLISECONDS);
        return answer.get(config.timeoutMillis(), TimeUnit.MILLISECONDS);
    }

    private CheckpointStoreException failed(URI from, Body body, Throwable cause) {
        if (cause instanceof CheckpointStoreException known) return known;
        if (body.started && body.position < manifest.getBytes())
            return new CheckpointStoreException(
                    Reason.WRONG_SIZE,
                    what + " at " + from + " is truncated: the connection ended after " + body.position + " of "
                            + manifest.getBytes() + " bytes. Nothing was kept",
                    cause);
        return new CheckpointStoreException(
                Reason.UNREACHABLE,
                what + " at " + from + " cannot be fetched: " + HttpRequests.describe(cause)
                        + ". Nothing was kept; it can be fetched again",
                cause);
    }

    /** Where an answer redirects to. */
    private URI redirect(URI from, HttpResponse<?> answer) throws CheckpointStoreException {
        int status = answer.statusCode();
        if (status / 100 != 3)
            throw new CheckpointStoreException(
                    status == 404 || status == 410 ? Reason.MISSING : HttpRequests.reasonFor(status),
                    what + " was not delivered: " + from + " answered with status " + status + HttpRequests.hint(status)
                            + ". Nothing was kept");
        URI to = resolve(from, answer.headers().firstValue("Location").orElse(null));
        if (to == null || !HttpRequests.sameOrigin(from, to))
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    what + " was not fetched: " + from + " redirects to "
                            + (to == null ? "nowhere" : to.getScheme() + "://" + to.getRawAuthority())
                            + ", and another server is not followed. Publish it with the location it really has");
        return to;
    }

    private static @Nullable URI resolve(URI from, @Nullable String location) {
        try {
            return location == null ? null : from.resolve(location);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Writes the body to the file as it arrives; ends at the first byte too many. */
    private final class Body implements Flow.Subscriber<List<ByteBuffer>> {
        private final CheckpointDownload download;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private Flow.@Nullable Subscription subscription;
        private volatile boolean started;
        private volatile long position;
        private boolean abandoned;

        Body(CheckpointDownload download) {
            this.download = download;
        }

        @Override
        public void onSubscribe(Flow.Subscription s) {
            subscription = s;
            s.request(1);
        }

        @Override
        public synchronized void onNext(List<ByteBuffer> buffers) {
            if (abandoned) return;
            try {
                for (ByteBuffer buffer : buffers) {
                    int bytes = buffer.remaining();
                    download.write(position, buffer);
                    position += bytes;
                }
                subscription.request(1);
            } catch (CheckpointStoreException e) {
                subscription.cancel();
                done.completeExceptionally(e);
            }
        }

        @Override
        public void onError(Throwable e) {
            done.completeExceptionally(e);
        }

        @Override
        public void onComplete() {
            if (position >= manifest.getBytes()) done.complete(null);
            else
                done.completeExceptionally(new CheckpointStoreException(
                        Reason.WRONG_SIZE,
                        what + " is truncated: " + position + " of " + manifest.getBytes()
                                + " bytes came. Nothing was kept; publish it again"));
        }

        /** After this nothing is written any more. */
        synchronized void abandon() {
            abandoned = true;
            if (subscription != null && !done.isDone()) subscription.cancel();
        }
    }
}
