package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.app.cli.Linesight;
import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.InspectionResult;
import io.linesight.streams.ChildJvm;
import io.linesight.streams.Desk;
import io.linesight.streams.Line;
import io.linesight.streams.Pace;
import io.linesight.streams.ToyCheckpoint;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The procedure of docs/operations.md: three instances of {@code serve} are restarted one after the other with SIGTERM
 * while frames flow. With {@code -Dlinesight.rolling.static=true} they are static members of their group, for
 * comparing.
 */
@Timeout(600)
class RollingRestartIT {
    private static final int PARTITIONS = 6;
    private static final int CAMERAS = 6;
    private static final String APPLICATION = "rolling";
    private static final List<String> NAMES = List.of("line-0", "line-1", "line-2");
    private static final Pattern METRICS = Pattern.compile("Metrics at http://localhost:(\\d+)/metrics");
    /** A rebalance takes a second or two, on an overloaded machine ten times as long. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    @TempDir
    private Path folder;

    private final Map<String, ChildJvm> instances = new TreeMap<>();
    private Line line;

    private void launch(String name) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "serve", "--model", folder.resolve("toy.onnx").toString(), "--instance", name, "--metrics-port", "0"));
        line.settings(
                        "application.id",
                        APPLICATION,
                        "num.stream.threads",
                        "1",
                        "state.dir",
                        folder.resolve(name).toString(),
                        "linesight.startup.timeout.ms",
                        "60000")
                .forEach((k, v) -> arguments.addAll(List.of("--set", k + "=" + v)));
        if (Boolean.getBoolean("linesight.rolling.static"))
            arguments.addAll(List.of("--set", "kafka.consumer.group.instance.id=" + name));
        instances.put(
                name, new ChildJvm(folder.resolve(name + ".log"), Linesight.class, arguments.toArray(String[]::new)));
    }

    /** Status of a probe; 0 where nobody answers yet. */
    private int probe(String name, String path) {
        Matcher port = METRICS.matcher(instances.get(name).said());
        if (!port.find()) return 0;
        try {
            return HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://localhost:" + port.group(1) + path))
                                    .timeout(Duration.ofSeconds(5))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void awaitReady(String name) {
        Desk.await(
                () -> probe(name, "/ready") == 200,
                () -> name + " is ready\n" + instances.get(name).said());
    }

    @Test
    @Tag("full")
    void shouldLoseAndDoubleNothingWhileInstancesAreRestartedOneByOne() throws Exception {
        Files.write(folder.resolve("toy.onnx"), ToyCheckpoint.bytes("v1", 1));
        try (Line rolling = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), APPLICATION, PARTITIONS)) {
            line = rolling;
            try {
                for (String name : NAMES) launch(name);
                for (String name : NAMES) awaitReady(name);
                AtomicLong sent = new AtomicLong();
                Pace cameras = Pace.of("cameras", Duration.ofMillis(50), () -> send(sent));
                Instant begin = Instant.now();
                line.awaitCommitted(APPLICATION, 20 * CAMERAS, Desk.TIMEOUT);
                for (String name : NAMES) restart(name);
                line.awaitCommitted(APPLICATION, CAMERAS * (sent.get() - 1), Desk.TIMEOUT);
                cameras.close();
                line.flush();
                line.awaitCommitted(APPLICATION, CAMERAS * sent.get(), Desk.TIMEOUT);
                check(sent.get(), Duration.between(begin, Instant.now()));
            } finally {
                instances.values().forEach(ChildJvm::close);
            }
        }
    }

    private void restart(String name) throws Exception {
        ChildJvm old = instances.get(name);
        assertThat(probe(name, "/live")).isEqualTo(200);
        long start = System.nanoTime();
        old.terminate();
        assertThat(old.awaitExit()).as(old::said).isZero();
        long down = System.nanoTime();
        assertThat(old.said()).contains("Stopped; every frame that was taken has its committed result.");
        launch(name);
        awaitReady(name);
        System.out.printf(
                "RollingRestartIT: %s drained in %d ms, ready again after %d ms%n",
                name,
                TimeUnit.NANOSECONDS.toMillis(down - start),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - down));
    }

    private void send(AtomicLong sent) {
        long next = sent.get();
        for (int c = 0; c < CAMERAS; c++)
            line.send(c % PARTITIONS, Line.frame("cam" + c, next, 10).build());
        sent.set(next + 1);
    }

    private void check(long perCamera, Duration lasted) {
        Map<String, List<InspectionResult>> byCamera = new TreeMap<>();
        Set<String> ids = new HashSet<>();
        int doubled = 0;
        for (InspectionResult r : line.results()) {
            if (!ids.add(r.getResultId())) doubled++;
            byCamera.computeIfAbsent(r.getCameraId(), c -> new ArrayList<>()).add(r);
        }
        long lost = CAMERAS * perCamera - ids.size();
        Duration pause = Duration.ZERO;
        int unordered = 0;
        for (List<InspectionResult> results : byCamera.values()) {
            for (int i = 1; i < results.size(); i++) {
                if (results.get(i).getSequence() != results.get(i - 1).getSequence() + 1) unordered++;
                Duration gap = Duration.between(
                        results.get(i - 1).getScoredAt(), results.get(i).getScoredAt());
                if (gap.compareTo(pause) > 0) pause = gap;
            }
        }
        System.out.printf(
                "RollingRestartIT: 3 restarts in %d s, %d frames, %d lost, %d doubled, %d out of order, longest "
                        + "pause of a camera %d ms%n",
                lasted.toSeconds(), CAMERAS * perCamera, lost, doubled, unordered, pause.toMillis());
        assertThat(byCamera).hasSize(CAMERAS);
        assertThat(lost).as("lost").isZero();
        assertThat(doubled).as("doubled").isZero();
        assertThat(unordered).as("out of order").isZero();
        assertThat(line.deadLetters()).isEmpty();
        assertThat(pause).isLessThan(LONGEST_PAUSE);
    }
}
