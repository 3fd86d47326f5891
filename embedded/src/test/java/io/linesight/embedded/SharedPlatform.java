package io.linesight.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The broker and the registry that all test classes of one JVM share. They start at first use and stop with the JVM.
 *
 * <p>A test class brings topics of its own prefix, and its own consumer groups. A test that stops, restarts or
 * overloads a broker or a registry starts its own.
 */
public final class SharedPlatform {
    private final Path folder;
    private final EmbeddedKafka kafka;
    private final EmbeddedRegistry registry;

    private SharedPlatform() {
        try {
            folder = Files.createTempDirectory("linesight-tests-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        kafka = EmbeddedKafka.in(folder.resolve("kafka")).start();
        registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "shared-platform-stop"));
    }

    private static final class Holder {
        static final SharedPlatform INSTANCE = new SharedPlatform();
    }

    public static EmbeddedKafka kafka() {
        return Holder.INSTANCE.kafka;
    }

    public static EmbeddedRegistry registry() {
        return Holder.INSTANCE.registry;
    }

    private void stop() {
        registry.close();
        kafka.close();
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) Files.deleteIfExists(file);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("The shared broker left files in " + folder + ": " + e);
        }
    }
}
