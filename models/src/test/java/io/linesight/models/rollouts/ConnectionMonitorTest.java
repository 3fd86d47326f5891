package io.linesight.models.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

class ConnectionMonitorTest {
    private final AtomicLong nanos = new AtomicLong();
    private final ConnectionMonitor monitor = new ConnectionMonitor(nanos::get);

    @Test
    void shouldNameWhoDoesNotAnswerUntilItAnswers() {
        assertThat(monitor.isConnected()).isTrue();
        monitor.lost("the broker", new TimeoutException("no reply"));
        assertThat(monitor.obstacle()).isEqualTo("the broker does not answer (no reply)");
        monitor.answered();
        assertThat(monitor.obstacle()).isNull();
    }

    @Test
    void shouldStayDisconnectedWhileARightIsMissingThoughTheBrokerAnswers() {
        monitor.lost("the broker", new TopicAuthorizationException("not yours"));
        monitor.answered();
        assertThat(monitor.obstacle()).contains("does not allow it");
        nanos.addAndGet(Duration.ofSeconds(3).toNanos());
        monitor.answered();
        assertThat(monitor.isConnected()).isTrue();
    }
}
