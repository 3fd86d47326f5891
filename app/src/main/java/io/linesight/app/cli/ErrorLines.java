package io.linesight.app.cli;

import io.linesight.app.cli.common.Logs;
import java.io.PrintStream;
import java.io.Writer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What commands say on standard error: as it is, or as log lines where the log is read by a machine. */
final class ErrorLines extends Writer {
    private static final Logger LOG = LoggerFactory.getLogger(Linesight.class);
    private static final String NAME = "linesight: ";

    private final PrintStream err;
    private final StringBuilder line = new StringBuilder();

    ErrorLines(PrintStream err) {
        this.err = err;
    }

    @Override
    public void write(char[] text, int from, int length) {
        if (!Logs.isJson()) {
            err.print(new String(text, from, length));
            return;
        }
        for (int i = from; i < from + length; i++) {
            if (text[i] != '\n') line.append(text[i]);
            else log();
        }
    }

    private void log() {
        String text = line.toString().stripTrailing();
        line.setLength(0);
        // The command's own name marks what it has to complain about.
        if (text.startsWith(NAME)) LOG.error("{}", text.substring(NAME.length()));
        else if (!text.isBlank()) LOG.warn("{}", text);
    }

    @Override
    public void flush() {
        err.flush();
    }

    @Override
    public void close() {
        if (line.length() > 0) log();
    }
}
