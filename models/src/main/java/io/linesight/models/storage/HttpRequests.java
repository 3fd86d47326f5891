package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import java.net.ConnectException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import org.jspecify.annotations.Nullable;

/** What uploads, downloads and removals on a web server share. Thread-safe. */
final class HttpRequests {
    private final @Nullable URI base;
    private final ModelsConfig config;
    private final HttpClient client;

    /** @param base below which files are put; null for a store that only fetches */
    HttpRequests(@Nullable URI base, ModelsConfig config) {
        this.base = base;
        this.config = config;
        client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(config.timeout())
                .build();
    }

    HttpClient client() {
        return client;
    }

    /** A request; the authorization header goes to the configured server alone. */
    HttpRequest.Builder to(URI target) {
        HttpRequest.Builder request = HttpRequest.newBuilder(target);
        if (config.httpAuthorization().isPresent() && base != null && sameOrigin(base, target))
            request.header("Authorization", config.httpAuthorization().get());
        return request;
    }

    /** @throws CheckpointStoreException REJECTED when the manifest's location is no URL to use */
    static URI location(ModelVersion manifest) throws CheckpointStoreException {
        try {
            URI uri = new URI(manifest.getLocation());
            if (uri.getHost() == null) throw new URISyntaxException(manifest.getLocation(), "it names no server");
            rejectCredentials(uri);
            return uri;
        } catch (URISyntaxException e) {
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    "the manifest of " + manifest.getVersion() + " has a location that is no URL: " + e.getReason(),
                    e);
        }
    }

    static void rejectCredentials(URI uri) throws CheckpointStoreException {
        if (uri.getRawUserInfo() == null) return;
        throw new CheckpointStoreException(
                Reason.REJECTED,
                "the location at " + uri.getHost() + " has credentials in it, and everybody can read a manifest; set "
                        + ModelsConfig.HTTP_AUTHORIZATION + " instead");
    }

    static boolean sameOrigin(URI a, URI b) {
        return a.getScheme().equalsIgnoreCase(b.getScheme())
                && a.getHost().equalsIgnoreCase(b.getHost())
                && port(a) == port(b);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
    }

    /** What a failed request means for a retry. */
    static Reason reasonFor(int status) {
        return status / 100 == 5 ? Reason.UNREACHABLE : Reason.REJECTED;
    }

    /** What a status may mean, in brackets; empty where there is nothing to add. */
    static String hint(int status) {
        return switch (status) {
            case 401, 403 -> " (not allowed; set " + ModelsConfig.HTTP_AUTHORIZATION + ")";
            case 404, 410 -> " (it is not there)";
            case 405, 501 -> " (the server does not accept such requests)";
            case 413, 507 -> " (no space for it there)";
            default -> "";
        };
    }

    static String describe(Throwable e) {
        if (e instanceof ConnectException) return "no connection";
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    static CheckpointStoreException interrupted(InterruptedException e, String what) {
        Thread.currentThread().interrupt();
        return new CheckpointStoreException(Reason.UNREACHABLE, what + " was interrupted; nothing was kept", e);
    }
}
