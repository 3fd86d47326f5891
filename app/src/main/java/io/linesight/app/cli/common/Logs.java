package io.linesight.app.cli.common;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.Context;
import ch.qos.logback.core.FileAppender;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/**
 * Where log lines go and what they look like: to stderr and few by default, to a file while a screen is drawn; text, or
 * one JSON object a line.
 */
public final class Logs {
    private Logs() {}

    /** Everything from INFO on. */
    public static void verbose() {
        root().setLevel(Level.INFO);
        ((Logger) LoggerFactory.getLogger("io.linesight")).setLevel(Level.INFO);
    }

    /** Services tell what they do. */
    public static void service() {
        ((Logger) LoggerFactory.getLogger("io.linesight")).setLevel(Level.INFO);
    }

    /**
     * Texts of records reach the log; they can neither start a line of their own nor steer the terminal. The same
     * stands in logback.xml.
     */
    public static final String MESSAGE = "%replace(%msg){'[\\x00-\\x08\\x0A-\\x1F\\x7F\\x80-\\x9F]+', ' '}%n";

    /** Name of the environment variable in which the launcher says where JSON lines go, past its filter for others. */
    private static final String STDERR_VARIABLE = "LINESIGHT_STDERR";

    /** Writes where the launcher wants it; to standard error where it says nothing. */
    public static void toLauncher() {
        String path = System.getenv(STDERR_VARIABLE);
        if (path == null) return;
        try {
            System.setErr(new PrintStream(new FileOutputStream(path, true), true, StandardCharsets.UTF_8));
        } catch (IOException e) {
            // Standard error does it too: the launcher lets JSON lines pass.
        }
    }

    /** How a line looks. */
    public enum Format {
        TEXT,
        JSON
    }

    /** Name of the environment variable that says the format where no option does. */
    public static final String FORMAT_VARIABLE = "LINESIGHT_LOG_FORMAT";

    private static volatile boolean json;

    /** Whether lines are JSON. */
    public static boolean isJson() {
        return json;
    }

    /** From now on every line on the console is one JSON object, or text again. */
    public static void format(Format format) {
        json = format == Format.JSON;
        root().iteratorForAppenders().forEachRemaining(appender -> {
            if (appender instanceof ConsoleAppender<ILoggingEvent> console) {
                console.setEncoder(
                        format == Format.JSON
                                ? json(console.getContext())
                                : text(console.getContext(), "%d{HH:mm:ss} %-5level %logger{20} - " + MESSAGE));
            }
        });
    }

    /** Logback's own: timestamp in milliseconds, level, threadName, loggerName, mdc, formattedMessage, throwable. */
    public static JsonEncoder json(Context context) {
        JsonEncoder encoder = new JsonEncoder();
        encoder.setContext(context);
        encoder.setWithFormattedMessage(true);
        encoder.setWithMessage(false);
        encoder.setWithArguments(false);
        encoder.setWithContext(false);
        encoder.setWithSequenceNumber(false);
        encoder.setWithNanoseconds(false);
        encoder.start();
        return encoder;
    }

    public static PatternLayoutEncoder text(Context context, String pattern) {
        PatternLayoutEncoder layout = new PatternLayoutEncoder();
        layout.setContext(context);
        layout.setPattern(pattern);
        layout.start();
        return layout;
    }

    /** From now on everything goes to the file and nothing to the screen. */
    public static void toFile(Path file) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        FileAppender<ILoggingEvent> appender = new FileAppender<>();
        appender.setContext(context);
        appender.setName("file");
        appender.setFile(file.toString());
        appender.setEncoder(text(context, "%d{HH:mm:ss.SSS} %-5level [%thread] %logger{36} - " + MESSAGE));
        appender.start();
        Logger root = root();
        List<Appender<ILoggingEvent>> others = new ArrayList<>();
        root.iteratorForAppenders().forEachRemaining(others::add);
        others.forEach(root::detachAppender);
        root.addAppender(appender);
        if (!root.isInfoEnabled()) root.setLevel(Level.WARN);
        ((Logger) LoggerFactory.getLogger("io.linesight")).setLevel(Level.INFO);
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }
}
