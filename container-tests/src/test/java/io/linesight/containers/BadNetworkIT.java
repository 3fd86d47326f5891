package io.linesight.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.streams.InspectionApp;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.testcontainers.junit.jupiter.Testcontainers;

/**
 * Shows what a bad network between the app and Kafka does: frames wait, and that is all.
 *
 * <p>Set-up: one broker; the app reaches it only through a {@link FaultyLink}, cameras and books directly. The link
 * delays, cuts and resets streams of bytes; it does not lose single packets.
 */
@Testcontainers(disabledWithoutDocker = true)
@Timeout(600)
class BadNetworkIT {
    /**
     * Steps: four cameras take 20 frames a second each throughout. The link is late by 150 ms each way for 5 s; all
     * connections are reset, three times; it is silent for 12 s, longer than the session (6 s) and the transaction (10
     * s) live; it refuses everything for 5 s; then it is restored.
     *
     * <p>Outcome: every frame has exactly one result, in order per camera, none is a dead letter, and the app runs
     * without having been touched.
     */
    @Test
    void shouldLoseAndDoubleNothingOverABadNetwork() throws Exception {
        try (FaultyLink link = new FaultyLink();
                Apicurio registry = new Apicurio();
                KafkaCluster kafka = new KafkaCluster(
                        1,
                        (broker, realPort) -> {
                            link.leadsTo(realPort);
                            return link.port();
                        },
                        i -> Map.of(),
                        Map.of())) {
            Line line = new Line(kafka.bootstrapServers(), registry.url());
            Map<String, String> settings = line.settings(
                    "bootstrap.servers",
                    "localhost:" + link.port(),
                    "transaction.timeout.ms",
                    "10000",
                    "linesight.drain.timeout.ms",
                    "8000",
                    "linesight.drain.budget.ms",
                    "2000",
                    "linesight.registry.retry.ms",
                    "4000",
                    "kafka.session.timeout.ms",
                    "6000",
                    "kafka.heartbeat.interval.ms",
                    "1500",
                    "kafka.request.timeout.ms",
                    "5000");
            try (InspectionApp app = Line.app(settings);
                    Line.Cameras cameras = line.new Cameras(4, 700, 20)) {
                // Four cameras, 20 frames a second each.
                cameras.awaitMore(2 * 80);
                link.latency(150);
                cameras.awaitMore(5 * 80);
                link.latency(0);
                for (int i = 0; i < 3; i++) {
                    link.reset();
                    cameras.awaitMore(120);
                }
                link.cut();
                cameras.awaitMore(12 * 80);
                link.restore();
                cameras.awaitMore(3 * 80);
                link.refuse();
                cameras.awaitMore(5 * 80);
                link.restore();
                cameras.join();
                assertThat(line.books(Duration.ofSeconds(90)))
                        .isEqualTo(new Line.Books(4 * 700, 4 * 700, 4 * 175, 0, 0, 0, 0));
                assertThat(app.state()).isEqualTo(InspectionApp.State.RUNNING);
            }
        }
    }
}
