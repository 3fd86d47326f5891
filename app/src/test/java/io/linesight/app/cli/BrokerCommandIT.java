package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.linesight.cameras.CameraShot;
import io.linesight.cameras.FramePublisher;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.clients.RecordFetcher;
import io.linesight.schemas.clients.RecordLookup;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.Topics;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import sun.misc.Signal;

/** The broker command, started and stopped as a person does. */
@Timeout(120)
class BrokerCommandIT {
    private static final Pattern ADDRESSES = Pattern.compile("-b (\\S+) -r (\\S+)");
    private static final Topics TOPICS = Topics.from(Map.of());
    private static final int COUNT = TOPICS.all().size();

    @TempDir
    Path dir;

    @Test
    void shouldKeepFramesAndSchemasOverRestart() throws Exception {
        FrameRef sent;
        try (Running broker = new Running(dir)) {
            assertThat(broker.output()).contains(COUNT + ", of which " + COUNT + " are new");
            sent = send(broker.settings());
            assertThat(broker.stop()).isZero();
            assertThat(broker.output()).contains("Stopped").contains(dir.toString());
        }
        try (Running broker = new Running(dir)) {
            assertThat(broker.output()).contains(COUNT + ", of which 0 are new");
            assertThat(cameraOf(sent, broker.settings())).isEqualTo("cam-1");
            assertThat(new SchemaRegistryClient(broker.settings()).subjects())
                    .contains(TOPICS.frames().name() + "-value");
            assertThat(broker.stop()).isZero();
        }
    }

    @Test
    void shouldSayWhichPortIsInUseAndStartNothing() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());
            assertRejected("--port", port, "--port", port, "--registry-port", "0");
            assertRejected("--registry-port", port, "--port", "0", "--registry-port", port);
        }
        try (var kept = Files.walk(dir)) {
            assertThat(kept.filter(Files::isRegularFile)).as("data of a broker").isEmpty();
        }
    }

    private void assertRejected(String option, String port, String... ports) {
        StringWriter err = new StringWriter();
        CommandLine command = Linesight.commandLine();
        command.setErr(new PrintWriter(err, true));
        List<String> args = new ArrayList<>(List.of("broker", "--dir", dir.toString()));
        args.addAll(List.of(ports));
        assertThat(command.execute(args.toArray(new String[0]))).isEqualTo(1);
        assertThat(err.toString())
                .contains("port " + port + " on 127.0.0.1 is taken")
                .contains("choose another port (0 picks a free one) with " + option + ";");
    }

    private static FrameRef send(Map<String, String> settings) throws Exception {
        CameraShot shot =
                new CameraShot("flange", Instant.now(), FrameEncoding.GRAY8, 2, 2, new byte[] {1, 2, 3, 4}, Map.of());
        try (FramePublisher publisher = new FramePublisher(settings, TOPICS, "line-1")) {
            return publisher.send("cam-1", shot).get(30, TimeUnit.SECONDS);
        }
    }

    private static String cameraOf(FrameRef frame, Map<String, String> settings) {
        List<RecordLookup> found = new ArrayList<>();
        try (RecordFetcher fetcher = new RecordFetcher(settings, Duration.ofSeconds(30));
                AvroSerde<CameraFrame> serde = AvroSerde.of(CameraFrame.class, settings, false)) {
            fetcher.fetch(List.of(frame), (place, lookup) -> found.add(lookup));
            byte[] value = ((RecordLookup.Found) found.get(0)).record().value();
            return serde.deserializer().deserialize(frame.getTopic(), value).getCameraId();
        }
    }

    /** The command on a thread of its own, on free ports. */
    private static final class Running implements AutoCloseable {
        private final StringWriter out = new StringWriter();
        private final CompletableFuture<Integer> exit;

        Running(Path dir) {
            CommandLine command = Linesight.commandLine();
            command.setOut(new PrintWriter(out, true));
            exit = CompletableFuture.supplyAsync(
                    () -> command.execute("broker", "--dir", dir.toString(), "--port", "0", "--registry-port", "0"));
            await().atMost(Duration.ofSeconds(60)).until(() -> exit.isDone() || output().contains("Ctrl-C stops"));
            assertThat(exit).as(output()).isNotDone();
        }

        String output() {
            return out.toString();
        }

        Map<String, String> settings() {
            Matcher printed = ADDRESSES.matcher(output());
            assertThat(printed.find()).as(output()).isTrue();
            return Map.of("bootstrap.servers", printed.group(1), "schema.registry.url", printed.group(2));
        }

        /** Ctrl-C; returns the exit code. */
        int stop() throws Exception {
            Signal.raise(new Signal("INT"));
            return exit.get(60, TimeUnit.SECONDS);
        }

        @Override
        public void close() throws Exception {
            if (!exit.isDone()) stop();
        }
    }
}
