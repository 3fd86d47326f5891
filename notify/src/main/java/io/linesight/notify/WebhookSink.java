package io.linesight.notify;

import io.cloudevents.jackson.JsonFormat;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Posts alerts to a web address. Every answer of 2xx means taken; 408, 425, 429 and 5xx mean not now; every other
 * answer is a refusal. Redirections are not followed: they could lead a signed alert elsewhere.
 *
 * <p>With a secret the header {@value #SIGNATURE} is {@code t=<seconds since 1970>,v1=<hex>}, where {@code hex} is the
 * HMAC-SHA-256 of {@code <seconds>.<body>}: the receiver knows who sent it, that nothing was changed, and when.
 */
public final class WebhookSink implements Sink {
    /** Header of the signature. */
    public static final String SIGNATURE = "X-Linesight-Signature";

    private static final Duration MAX_WISH = Duration.ofHours(1);

    private final URI url;
    private final byte @Nullable [] secret;
    private final Duration timeout;
    private final Clock clock;
    private final HttpClient client;

    private WebhookSink(URI url, byte @Nullable [] secret, Duration timeout, Clock clock) {
        this.url = url;
        this.secret = secret;
        this.timeout = timeout;
        this.clock = clock;
        client = HttpClient.newBuilder()
                .connectTimeout(timeout)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    /**
     * Contacts nobody yet.
     *
     * @param url http or https
     * @param secret of the signature; null for none
     * @param timeout of one delivery
     * @throws IllegalArgumentException with everything that is wrong
     */
    public static WebhookSink of(String url, byte @Nullable [] secret, Duration timeout) {
        return of(url, secret, timeout, Clock.systemUTC());
    }

    static WebhookSink of(String url, byte @Nullable [] secret, Duration timeout, Clock clock) {
        List<String> problems = new ArrayList<>();
        URI uri = null;
        try {
            uri = URI.create(url);
            if (uri.getHost() == null || !("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())))
                problems.add("a webhook has an address like https://host/path");
        } catch (IllegalArgumentException e) {
            problems.add("the webhook's address cannot be read: " + e.getMessage());
        }
        if (secret != null && secret.length < 16)
            problems.add("the secret has " + secret.length + " bytes; a signature needs at least 16");
        if (!problems.isEmpty()) throw new IllegalArgumentException(String.join("; ", problems));
        return new WebhookSink(uri, secret == null ? null : secret.clone(), timeout, clock);
    }

    @Override
    public String name() {
        // Tokens lie in paths and queries.
        return "webhook " + url.getScheme() + "://" + url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort());
    }

    @Override
    public void deliver(Notification n) throws DeliveryException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(url)
                .timeout(timeout)
                .header("Content-Type", JsonFormat.CONTENT_TYPE)
                .header("User-Agent", "linesight")
                .POST(HttpRequest.BodyPublishers.ofByteArray(n.json()));
        if (secret != null)
            request.header(SIGNATURE, signature(secret, clock.instant().getEpochSecond(), n.json()));
        HttpResponse<Void> answer;
        try {
            answer = client.send(request.build(), HttpResponse.BodyHandlers.discarding());
        } catch (IOException e) {
            throw DeliveryException.passing(
                    name() + " does not answer: " + (e.getMessage() == null ? e.toString() : e.getMessage()), e);
        }
        judge(answer);
    }

    private void judge(HttpResponse<Void> answer) throws DeliveryException {
        int status = answer.statusCode();
        if (status >= 200 && status < 300) return;
        String message = name() + " answers with status " + status;
        boolean notNow = status == 408 || status == 425 || status == 429 || status >= 500;
        if (!notNow) throw DeliveryException.forGood(message);
        Duration wish = answer.headers()
                .firstValue("Retry-After")
                .filter(v -> v.matches("\\d{1,9}"))
                .map(v -> Duration.ofSeconds(Long.parseLong(v)))
                .orElse(Duration.ZERO);
        throw DeliveryException.later(message, wish.compareTo(MAX_WISH) > 0 ? MAX_WISH : wish);
    }

    /** What {@value #SIGNATURE} says; receivers compute the same and compare. */
    public static String signature(byte[] secret, long seconds, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            mac.update((seconds + ".").getBytes(StandardCharsets.US_ASCII));
            return "t=" + seconds + ",v1=" + HexFormat.of().formatHex(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HmacSHA256", e);
        }
    }

    @Override
    public void close() {
        // The client of Java 17 has nothing to close; its threads end by themselves.
    }
}
