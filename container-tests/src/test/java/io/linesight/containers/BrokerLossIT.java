package io.linesight.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.streams.InspectionApp;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.testcontainers.junit.jupiter.Testcontainers;

/**
 * Shows that the loss of a broker costs time and nothing else.
 *
 * <p>Set-up: three brokers (KRaft, each also controller), every partition three times, two of them in sync enough to
 * write; two instances of the app.
 */
@Testcontainers(disabledWithoutDocker = true)
@Timeout(600)
class BrokerLossIT {
    /**
     * Steps: six cameras take 20 frames a second each; one broker after the other is killed without warning, stays away
     * for some seconds and comes back, while frames go on being taken; the one that leads the partitions of the commits
     * is among them.
     *
     * <p>Outcome: Kafka acknowledges every frame. Every frame has exactly one result, in order per camera; none is a
     * dead letter. Both instances run.
     */
    @Test
    void shouldLoseAndDoubleNothingWhileEveryBrokerIsKilledOnce() throws Exception {
        try (KafkaCluster kafka = KafkaCluster.plain(3);
                Apicurio registry = new Apicurio()) {
            Line line = new Line(kafka.bootstrapServers(), registry.url());
            try (InspectionApp one = Line.app(line.settings());
                    InspectionApp two = Line.app(line.settings());
                    Line.Cameras cameras = line.new Cameras(6, 700, 20)) {
                for (int broker = 0; broker < 3; broker++) {
                    // Six cameras, 20 frames a second each.
                    cameras.awaitMore(3 * 120);
                    kafka.kill(broker);
                    cameras.awaitMore(5 * 120);
                    kafka.restart(broker);
                    // In sync again before the next one goes: with two of three away nothing could be written, which is
                    // another test.
                    awaitInSync(line);
                }
                cameras.join();
                Line.Books books = line.books(Duration.ofSeconds(90));
                assertThat(books.frames()).isEqualTo(6 * 700);
                assertThat(books).isEqualTo(new Line.Books(6 * 700, 6 * 700, 6 * 175, 0, 0, 0, 0));
                assertThat(one.state()).isEqualTo(InspectionApp.State.RUNNING);
                assertThat(two.state()).isEqualTo(InspectionApp.State.RUNNING);
            }
        }
    }

    private static void awaitInSync(Line line) {
        Awaitility.await("three copies in sync of every partition")
                .atMost(Duration.ofSeconds(120))
                .until(() -> line.inSync(3));
    }
}
