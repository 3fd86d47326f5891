package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OneTraceTest {
    private final LoggerContext context = new LoggerContext();
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final Logger collector = context.getLogger("org.apache.kafka.streams.RecordCollector");
    private final Logger streams = context.getLogger("org.apache.kafka.streams.KafkaStreams");
    private final Logger ours = context.getLogger("io.linesight.streams.FailedThreads");

    @BeforeEach
    void connect() {
        context.addTurboFilter(new OneTrace());
        Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        lines.start();
        root.addAppender(lines);
    }

    @Test
    void shouldLogOneFailureOnceHoweverItIsWrapped() {
        Exception cause = new IllegalStateException("too large");
        collector.error("sending failed", cause);
        streams.error("replacing {}", "thread", new RuntimeException("wrapped", cause));
        streams.error("and again", new Error(new RuntimeException(cause)));

        assertThat(lines.list).extracting(ILoggingEvent::getMessage).containsExactly("sending failed");
    }

    @Test
    void shouldLogEveryOtherFailure() {
        collector.error("one", new IllegalStateException("too large"));
        collector.error("two", new IllegalStateException("too large"));
        streams.error("three");
        streams.error("four {}", "argument");

        assertThat(lines.list).hasSize(4);
    }

    @Test
    void shouldKeepOurOwnLinesAndNotCountThoseThatAreNotShown() {
        Exception cause = new IllegalStateException("too large");
        collector.debug("not shown", cause);
        collector.error("shown", cause);
        ours.error("ours", cause);

        assertThat(lines.list).extracting(ILoggingEvent::getMessage).containsExactly("shown", "ours");
    }
}
