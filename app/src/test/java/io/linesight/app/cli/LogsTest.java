package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.app.cli.common.Logs;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

class LogsTest {
    @Test
    void shouldWriteOneObjectALine() throws Exception {
        LoggerContext context = new LoggerContext();
        Logger logger = context.getLogger("io.linesight.streams.inspect.InspectionPipeline");
        LoggingEvent event = new LoggingEvent(
                "fqcn",
                logger,
                Level.ERROR,
                "frame {} with \"quotes\"\nand two lines",
                new IllegalStateException("boom", new RuntimeException("inner")),
                new Object[] {7});
        event.setThreadName("linesight-decode-1");
        event.setMDCPropertyMap(Map.of("camera", "cam-3", "frame", "cam-3-17", "model", "v2"));
        String line = new String(Logs.json(context).encode(event), StandardCharsets.UTF_8);
        assertThat(line.strip().lines()).as("one line").hasSize(1);
        JsonNode json = new ObjectMapper().readTree(line);
        assertThat(json.get("timestamp").asLong()).isEqualTo(event.getTimeStamp());
        assertThat(json.get("level").asText()).isEqualTo("ERROR");
        assertThat(json.get("loggerName").asText()).isEqualTo(logger.getName());
        assertThat(json.get("threadName").asText()).isEqualTo("linesight-decode-1");
        assertThat(json.get("formattedMessage").asText()).isEqualTo("frame 7 with \"quotes\"\nand two lines");
        assertThat(json.get("mdc"))
                .isEqualTo(
                        new ObjectMapper().readTree("{\"camera\":\"cam-3\",\"frame\":\"cam-3-17\",\"model\":\"v2\"}"));
        assertThat(json.at("/throwable/message").asText()).isEqualTo("boom");
        assertThat(json.at("/throwable/cause/message").asText()).isEqualTo("inner");
    }

    @Test
    void shouldLetNoRecordStartALineOrSteerTheTerminal() {
        LoggerContext context = new LoggerContext();
        Logger logger = context.getLogger("io.linesight.trainer.learning.LabelConsumer");
        LoggingEvent event = new LoggingEvent("fqcn", logger, Level.WARN, "label {} left out", null, new Object[] {
            "a\r\n12:00:00 ERROR forged\u001b[2J\u009b\tz"
        });
        String line = new String(Logs.text(context, Logs.MESSAGE).encode(event), StandardCharsets.UTF_8);
        assertThat(line).isEqualTo("label a 12:00:00 ERROR forged [2J \tz left out" + System.lineSeparator());
    }

    @Test
    void shouldLogWhatACommandSaysOnStandardError() {
        Logger logger = (Logger) LoggerFactory.getLogger(Linesight.class);
        ListAppender<ILoggingEvent> logged = new ListAppender<>();
        logged.start();
        logger.addAppender(logged);
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        CommandLine line = Linesight.commandLine();
        line.setErr(new PrintWriter(new ErrorLines(new PrintStream(err, true)), true));
        line.setOut(new PrintWriter(new StringWriter()));
        try {
            assertThat(line.execute("--log-format", "json", "score", "--model", "no/such.onnx", "part.png"))
                    .isEqualTo(1);
            assertThat(line.execute("--log-format", "json", "models", "--nonsense"))
                    .isEqualTo(2);
        } finally {
            logger.detachAppender(logged);
            Logs.format(Logs.Format.TEXT);
        }
        assertThat(logged.list.get(0).getLevel()).isEqualTo(Level.ERROR);
        assertThat(logged.list.get(0).getFormattedMessage())
                .contains("part.png")
                .doesNotStartWith("linesight:");
        assertThat(logged.list)
                .anySatisfy(e -> assertThat(e.getFormattedMessage()).contains("--nonsense"));
        assertThat(err.toString()).isEmpty();
        assertThat(line.execute("models", "--nonsense")).isEqualTo(2);
        assertThat(err.toString()).contains("linesight: ", "--nonsense");
    }

    @Test
    void shouldAcceptFormatWithEveryCommandAndRejectOthers() {
        StringWriter err = new StringWriter();
        CommandLine line = Linesight.commandLine();
        line.setErr(new PrintWriter(err, true));
        line.setOut(new PrintWriter(new StringWriter()));
        try {
            assertThat(line.execute("topics", "--describe", "--log-format", "json"))
                    .isZero();
            assertThat(line.execute("topics", "--describe", "--log-format", "xml"))
                    .isEqualTo(2);
            assertThat(err.toString()).contains("xml");
        } finally {
            Logs.format(Logs.Format.TEXT);
        }
    }
}
