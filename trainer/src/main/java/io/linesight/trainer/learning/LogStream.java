package io.linesight.trainer.learning;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;

/** Writes lines to a log. */
final class LogStream extends OutputStream {
    private final Logger log;
    private final StringBuilder line = new StringBuilder();

    private LogStream(Logger log) {
        this.log = log;
    }

    static PrintStream of(Logger log) {
        return new PrintStream(new LogStream(log), true, StandardCharsets.UTF_8);
    }

    @Override
    public void write(int b) {
        if (b == '\n') {
            log.info("{}", line);
            line.setLength(0);
        } else if (b != '\r') {
            line.append((char) b);
        }
    }
}
