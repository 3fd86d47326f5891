package io.linesight.standalone.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.FileAppender;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** Where log lines go: to stderr and few by default, to a file while a screen is drawn. */
final class Logs {
    private Logs() { }

    /** Everything from INFO on. */
    static void verbose() {
        root().setLevel(Level.INFO);
        ((Logger) LoggerFactory.getLogger("io.linesight")).setLevel(Level.INFO);
    }

    /** Services tell what they do. */
    static void service() {
        ((Logger) LoggerFactory.getLogger("io.linesight")).setLevel(Level.INFO);
    }

    /** From now on everything goes to the file and nothing to the screen. */
    static void toFile(Path file) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        PatternLayoutEncoder layout = new PatternLayoutEncoder();
        layout.setContext(context);
        layout.setPattern("%d{HH:mm:ss.SSS} %-5level [%thread] %logger{36} - %msg%n");
        layout.start();
        FileAppender<ILoggingEvent> appender = new FileAppender<>();
        appender.setContext(context);
        appender.setName("file");
        appender.setFile(file.toString());
        appender.setEncoder(layout);
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
