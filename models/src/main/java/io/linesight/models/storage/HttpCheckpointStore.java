package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
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
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A web server that keeps files: PUT to {@code <base>/<sha256>.onnx}, GET and DELETE at the manifest's location.
 * Redirects are followed within the same scheme, host and port only. A manifest is only a record in a topic, so the
 * authorization header goes to the configured base alone.
 */
final class HttpCheckpointStore implements CheckpointStore {
    private static final int MAX_REDIRECTS = 5;
    /** Uploads slower than this count as stuck. */
    private static final long SLOWEST_UPLOAD_BYTES_PER_SECOND = 64 << 10;
    /** The server does not deal in bodies that wait to be asked for. */
    private static final int EXPECTATION_FAILED = 417;

    private final URI baseOrNull;
    private final ModelsConfig config;
    private final CheckpointDownload.Opener opener;
    private final HttpClient http;

    /** @param baseOrNull null for a store that only fetches */
    HttpCheckpointStore(URI baseOrNull, ModelsConfig config, CheckpointDownload.Opener opener)
            throws CheckpointStoreException {
        if (baseOrNull != null) refuseCredentials(baseOrNull);
        this.baseOrNull = baseOrNull;
        this.config = config;
        this.opener = opener;
        http = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(config.patience())
                .build();
    }

    @Override
    public StoredCheckpoint put(Path file) throws CheckpointStoreException {
        if (baseOrNull == null) throw new IllegalStateException("this store only fetches");
        Hashing.Content content = Hashing.toPublish(file, config.maxBytes());
        URI target = URI.create(baseOrNull.toString().replaceAll("/+$", "") + "/" + content.sha256() + ".onnx");
        try {
            Duration limit = config.patience().plusSeconds(content.bytes() / SLOWEST_UPLOAD_BYTES_PER_SECOND);
            HttpResponse<Void> answer = http.send(
                    request(target)
                            .timeout(limit)
                            .header("Content-Type", "application/octet-stream")
                            .PUT(HttpRequest.BodyPublishers.ofFile(file))
                            .build(),
                    BodyHandlers.discarding());
            if (answer.statusCode() / 100 != 2) throw notTaken(target, answer.statusCode(), null);
            if (!Hashing.of(file).equals(content)) throw Hashing.changed(file);
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (FileNotFoundException e) {
            throw new CheckpointStoreException(Reason.IO, "there is no file " + file + "; nothing was published", e);
        } catch (IOException e) {
            OptionalInt refusal = e instanceof ConnectException || e instanceof HttpTimeoutException
                    ? OptionalInt.empty()
                    : refusalBeforeBody(target, content.bytes());
            if (refusal.isPresent()) throw notTaken(target, refusal.getAsInt(), e);
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "the upload to " + target + " failed: " + reason(e) + "; nothing was published. It can be repeated",
                    e);
        } catch (InterruptedException e) {
            throw interrupted(e, "the upload to " + target);
        }
        return new StoredCheckpoint(target.toString(), content.sha256(), content.bytes(), 0, 0);
    }

    /**
     * What the server answers to the upload when it must do so before the body comes. A server that refuses an upload
     * at its first line may hang up on the rest, and then its answer is lost with the connection: the upload only looks
     * broken off, and would be repeated for ever.
     *
     * @return the status of the refusal; nothing when the server wants the body, or does not say
     */
    private OptionalInt refusalBeforeBody(URI target, long bytes) {
        // Says how long the body would be and has none: once it is asked for, the request fails.
        var neverSent = HttpRequest.BodyPublishers.fromPublisher(HttpRequest.BodyPublishers.noBody(), bytes);
        HttpRequest question = request(target)
                .version(HttpClient.Version.HTTP_1_1)
                .expectContinue(true)
                .header("Content-Type", "application/octet-stream")
                .PUT(neverSent)
                .build();
        CompletableFuture<Integer> status = new CompletableFuture<>();
        // Not until the answer is there: some versions of Java read the body of such a refusal twice, and wait for ever
        // (JDK-8286171).
        CompletableFuture<HttpResponse<Void>> answer = http.sendAsync(question, info -> {
            status.complete(info.statusCode());
            return BodySubscribers.discarding();
        });
        answer.whenComplete((ignored, failure) ->
                status.completeExceptionally(failure == null ? new IOException("no status") : failure));
        try {
            int said = status.get(config.patience().toMillis(), TimeUnit.MILLISECONDS);
            return said / 100 == 2 || said == EXPECTATION_FAILED ? OptionalInt.empty() : OptionalInt.of(said);
        } catch (ExecutionException | TimeoutException e) {
            return OptionalInt.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return OptionalInt.empty();
        } finally {
            answer.cancel(true);
        }
    }

    private static CheckpointStoreException notTaken(URI target, int status, IOException brokenOffOrNull) {
        return new CheckpointStoreException(
                status / 100 == 5 ? Reason.UNREACHABLE : Reason.REFUSED,
                target + " answered the upload with status " + status + hint(status) + "; nothing was published",
                brokenOffOrNull);
    }

    @Override
    public Path fetch(ModelVersion manifest, Path targetDir) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        var present = CheckpointDownload.present(manifest, targetDir);
        if (present.isPresent()) return present.get();
        URI start = location(manifest);
        URI from = start;
        for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
            try (CheckpointDownload incoming = new CheckpointDownload(manifest, targetDir, opener)) {
                Body body = new Body(incoming, manifest);
                HttpResponse<Void> answer = get(from, body, manifest);
                int status = answer.statusCode();
                if (status == 200) return incoming.finish();
                if (status / 100 != 3) {
                    throw new CheckpointStoreException(
                            status / 100 == 5
                                    ? Reason.UNREACHABLE
                                    : status == 404 || status == 410 ? Reason.MISSING : Reason.REFUSED,
                            "the checkpoint of " + manifest.getVersion() + " was not given: " + from
                                    + " answered with status " + status + hint(status) + ". Nothing was kept");
                }
                from = redirect(from, answer, manifest);
            }
        }
        throw new CheckpointStoreException(
                Reason.REFUSED,
                "the checkpoint of " + manifest.getVersion() + " was not fetched: " + start + " redirects more than "
                        + MAX_REDIRECTS + " times");
    }

    private HttpResponse<Void> get(URI from, Body body, ModelVersion manifest) throws CheckpointStoreException {
        CompletableFuture<HttpResponse<Void>> answer =
                http.sendAsync(request(from).GET().build(), info -> {
                    if (info.statusCode() != 200) return BodySubscribers.discarding();
                    body.started = true;
                    return BodySubscribers.fromSubscriber(body);
                });
        String what = "the checkpoint of " + manifest.getVersion() + " at " + from;
        // No timeout on the request itself: it would count the whole body in some versions of Java.
        try {
            long seen = -1;
            long since = System.nanoTime();
            while (true) {
                try {
                    // The body's own end comes first: it knows why it gave up, which the client only reports as a
                    // cancellation.
                    if (body.started) body.done.get(250, TimeUnit.MILLISECONDS);
                    else return pollAnswer(answer, body);
                    return answer.get(config.patience().toMillis(), TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    if (body.position != seen) {
                        seen = body.position;
                        since = System.nanoTime();
                    } else if (System.nanoTime() - since > config.patience().toNanos()) {
                        throw new CheckpointStoreException(
                                Reason.UNREACHABLE,
                                what + " does not come on: nothing for "
                                        + config.patience().toSeconds() + " s after " + body.position
                                        + " bytes. Nothing was kept; it can be fetched again",
                                e);
                    }
                }
            }
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof CheckpointStoreException known) throw known;
            if (body.started && body.position < manifest.getBytes()) {
                throw new CheckpointStoreException(
                        Reason.WRONG_SIZE,
                        what + " is truncated: the connection ended after " + body.position + " of "
                                + manifest.getBytes() + " bytes. Nothing was kept",
                        cause);
            }
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    what + " cannot be fetched: " + reason(cause) + ". Nothing was kept; it can be fetched again",
                    cause);
        } catch (InterruptedException e) {
            throw interrupted(e, "fetching " + what);
        } finally {
            body.abandon();
            answer.cancel(true);
        }
    }

    /** The answer if it has no body for us; a timeout as soon as the body begins. */
    private static HttpResponse<Void> pollAnswer(CompletableFuture<HttpResponse<Void>> answer, Body body)
            throws InterruptedException, ExecutionException, TimeoutException {
        HttpResponse<Void> got = answer.get(50, TimeUnit.MILLISECONDS);
        if (body.started) body.done.get();
        return got;
    }

    private URI redirect(URI from, HttpResponse<?> answer, ModelVersion manifest) throws CheckpointStoreException {
        String where = answer.headers().firstValue("Location").orElse(null);
        URI to;
        try {
            to = where == null ? null : from.resolve(where);
        } catch (IllegalArgumentException e) {
            to = null;
        }
        if (to == null || !sameOrigin(from, to)) {
            throw new CheckpointStoreException(
                    Reason.REFUSED,
                    "the checkpoint of " + manifest.getVersion() + " was not fetched: " + from + " redirects to "
                            + (to == null ? "nowhere" : to.getScheme() + "://" + to.getRawAuthority())
                            + ", and another server is not followed. Publish it with the location it really has");
        }
        return to;
    }

    @Override
    public void delete(ModelVersion manifest) throws CheckpointStoreException {
        CheckpointDownload.check(manifest, config.maxBytes());
        URI target = location(manifest);
        if (!target.getPath().endsWith("/" + manifest.getSha256() + ".onnx")) {
            throw new CheckpointStoreException(
                    Reason.REFUSED,
                    target
                            + " is not named as this store names its files, so it was not removed; remove it by hand if it is not needed");
        }
        try {
            int status = http.send(
                            request(target).timeout(config.patience()).DELETE().build(), BodyHandlers.discarding())
                    .statusCode();
            if (status / 100 != 2 && status != 404 && status != 410) {
                throw new CheckpointStoreException(
                        status / 100 == 5 ? Reason.UNREACHABLE : Reason.REFUSED,
                        target + " was not removed: the server answered with status " + status + hint(status));
            }
        } catch (CheckpointStoreException e) {
            throw e;
        } catch (IOException e) {
            throw new CheckpointStoreException(Reason.UNREACHABLE, target + " was not removed: " + reason(e), e);
        } catch (InterruptedException e) {
            throw interrupted(e, "removing " + target);
        }
    }

    private HttpRequest.Builder request(URI target) {
        HttpRequest.Builder request = HttpRequest.newBuilder(target);
        if (config.httpAuthorization().isPresent() && baseOrNull != null && sameOrigin(baseOrNull, target))
            request.header("Authorization", config.httpAuthorization().get());
        return request;
    }

    private static URI location(ModelVersion manifest) throws CheckpointStoreException {
        try {
            URI uri = new URI(manifest.getLocation());
            if (uri.getHost() == null)
                throw new java.net.URISyntaxException(manifest.getLocation(), "it names no server");
            refuseCredentials(uri);
            return uri;
        } catch (java.net.URISyntaxException e) {
            throw new CheckpointStoreException(
                    Reason.REFUSED,
                    "the manifest of " + manifest.getVersion() + " has a location that is no URL: " + e.getReason(),
                    e);
        }
    }

    private static void refuseCredentials(URI uri) throws CheckpointStoreException {
        if (uri.getRawUserInfo() != null) {
            throw new CheckpointStoreException(
                    Reason.REFUSED,
                    "the location at " + uri.getHost()
                            + " has credentials in it, and everybody can read a manifest; set "
                            + ModelsConfig.HTTP_AUTHORIZATION + " instead");
        }
    }

    private static boolean sameOrigin(URI a, URI b) {
        return a.getScheme().equalsIgnoreCase(b.getScheme())
                && a.getHost().equalsIgnoreCase(b.getHost())
                && port(a) == port(b);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
    }

    private static String hint(int status) {
        return switch (status) {
            case 401, 403 -> " (not allowed; set " + ModelsConfig.HTTP_AUTHORIZATION + ")";
            case 404, 410 -> " (it is not there)";
            case 405, 501 -> " (the server does not take such requests)";
            case 413, 507 -> " (no room for it there)";
            default -> "";
        };
    }

    private static String reason(Throwable e) {
        return e instanceof ConnectException
                ? "no connection"
                : e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private static CheckpointStoreException interrupted(InterruptedException e, String what) {
        Thread.currentThread().interrupt();
        return new CheckpointStoreException(Reason.UNREACHABLE, what + " was interrupted; nothing was kept", e);
    }

    @Override
    public void close() {}

    /** Writes the body to the file as it comes; ends at the first byte too many. */
    private static final class Body implements Flow.Subscriber<List<ByteBuffer>> {
        private final CheckpointDownload incoming;
        private final ModelVersion manifest;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private Flow.Subscription subscription;
        private volatile boolean started;
        private volatile long position;
        private boolean abandoned;

        Body(CheckpointDownload incoming, ModelVersion manifest) {
            this.incoming = incoming;
            this.manifest = manifest;
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
                for (ByteBuffer b : buffers) {
                    int n = b.remaining();
                    incoming.write(position, b);
                    position += n;
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
            if (position < manifest.getBytes()) {
                done.completeExceptionally(new CheckpointStoreException(
                        Reason.WRONG_SIZE,
                        "the checkpoint of " + manifest.getVersion() + " is truncated: " + position + " of "
                                + manifest.getBytes() + " bytes came. Nothing was kept; publish it again"));
            } else {
                done.complete(null);
            }
        }

        /** After this nothing is written any more. */
        synchronized void abandon() {
            abandoned = true;
            if (subscription != null && !done.isDone()) subscription.cancel();
        }
    }
}
