package io.linesight.embedded;

import io.linesight.schemas.topics.SizeLimits;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * A real Kafka broker in this JVM: one node, broker and KRaft controller, listening on the loopback interface only. For
 * demonstrations, trials on one machine and tests; it keeps one copy of everything.
 *
 * <p>Data lie under the directory given and survive a restart, also after a kill. Topics are not created on first use.
 *
 * <p>With one copy, a partition has no leader for a moment while its broker comes back after a kill. Kafka 4.2 to 4.4
 * then gives up the end of a transaction that falls into that moment (KAFKA-20734), which hides later results or
 * repeats some. A cluster of three does not have such moments; this broker does, and so it is for demonstrations.
 *
 * <p>A fatal fault of the broker, for instance a full disk, ends the whole JVM: Kafka halts the process rather than go
 * on with broken storage.
 */
public final class EmbeddedKafka implements AutoCloseable {

    private static final int NODE_ID = 1;
    static final String CONTROLLER_LISTENER = "CONTROLLER";

    private final KafkaRaftServer server;
    private final Path dataDirectory;
    private final int port;
    private boolean closed;

    private EmbeddedKafka(KafkaRaftServer server, Path dataDirectory, int port) {
        this.server = server;
        this.dataDirectory = dataDirectory;
        this.port = port;
    }

    /** How to start a broker; nothing happens before {@link #start()}. */
    public static final class Builder {
        private final Path dataDirectory;
        private int port;
        private SizeLimits limits = SizeLimits.defaults();
        private Map<String, String> more = Map.of();

        private Builder(Path dataDirectory) {
            this.dataDirectory = Objects.requireNonNull(dataDirectory, "dataDirectory")
                    .toAbsolutePath()
                    .normalize();
        }

        /** 0, the default, picks a free one. */
        public Builder port(int number) {
            port = number;
            return this;
        }

        /** Largest records; default {@link SizeLimits#defaults()}. */
        public Builder sizeLimits(SizeLimits value) {
            limits = Objects.requireNonNull(value, "limits");
            return this;
        }

        /** Settings of the broker besides, or in place of, those it has here. */
        Builder with(Map<String, String> configs) {
            more = Map.copyOf(configs);
            return this;
        }

        /**
         * Starts the broker and returns when it serves; 2 to 5 seconds.
         *
         * @throws PortInUseException if the port is taken
         * @throws java.io.UncheckedIOException if the directory cannot be written
         * @throws IllegalStateException if another broker uses the directory, or the broker does not start
         */
        public EmbeddedKafka start() {
            if (dataDirectory.toString().indexOf(',') >= 0) {
                throw new IllegalArgumentException("the embedded broker cannot use " + dataDirectory
                        + ", because Kafka takes a comma for the end of a path. Choose another data directory");
            }
            if (port != 0) {
                Ports.requireFree(port, "broker");
            }
            try {
                Files.createDirectories(dataDirectory);
                requireUnused(dataDirectory);
                format(dataDirectory, NODE_ID, Uuid.randomUuid());
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "the embedded broker cannot use " + dataDirectory + ": " + e.getMessage()
                                + ". Choose another data directory",
                        e);
            }
            int broker = port != 0 ? port : Ports.free();
            int controller = Ports.free();
            while (controller == broker) {
                controller = Ports.free();
            }
            KafkaRaftServer server = null;
            try {
                Properties configs = configs(dataDirectory, broker, controller, limits);
                configs.putAll(more);
                server = new KafkaRaftServer(new KafkaConfig(configs, false), Time.SYSTEM);
                server.startup(); // returns when the broker has caught up and is unfenced
            } catch (RuntimeException e) {
                if (server != null) {
                    server.shutdown();
                }
                throw new IllegalStateException(
                        "the embedded broker did not start in " + dataDirectory + ": " + e.getMessage()
                                + ". If the data there are not needed, choose an empty directory",
                        e);
            }
            return new EmbeddedKafka(server, dataDirectory, broker);
        }
    }

    /** @param dataDirectory created where absent; an existing one goes on where it ended */
    public static Builder in(Path dataDirectory) {
        return new Builder(dataDirectory);
    }

    /** Value for {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return Ports.HOST + ":" + port;
    }

    public int port() {
        return port;
    }

    public Path dataDirectory() {
        return dataDirectory;
    }

    /** Stops cleanly; data stay. Does nothing the second time. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            server.shutdown();
            server.awaitShutdown();
        }
    }

    static Properties configs(Path directory, int port, int controllerPort, SizeLimits limits) {
        Properties p = new Properties();
        p.put("process.roles", "broker,controller");
        p.put("node.id", Integer.toString(NODE_ID));
        p.put(
                "listeners",
                "PLAINTEXT://" + Ports.HOST + ":" + port + "," + CONTROLLER_LISTENER + "://" + Ports.HOST + ":"
                        + controllerPort);
        p.put("advertised.listeners", "PLAINTEXT://" + Ports.HOST + ":" + port);
        p.put("controller.listener.names", CONTROLLER_LISTENER);
        p.put("inter.broker.listener.name", "PLAINTEXT");
        p.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER_LISTENER + ":PLAINTEXT");
        p.put("controller.quorum.voters", NODE_ID + "@" + Ports.HOST + ":" + controllerPort);
        p.put("log.dirs", directory.toString());
        putInternalTopics(p);
        p.put("group.initial.rebalance.delay.ms", "0");
        p.put("auto.create.topics.enable", "false");
        // After a kill the controller waits out the old session before it lets the broker back in, so it should be
        // short; but a scorer on all cores can keep the heartbeat waiting for seconds, and an expired session fences a
        // healthy broker in the middle of the run (seen at 1500 ms on an overloaded machine).
        p.put("broker.session.timeout.ms", "6000");
        p.put("broker.heartbeat.interval.ms", "500");
        p.put("log.cleaner.dedupe.buffer.size", "4194304");
        p.put("num.network.threads", "2");
        p.put("num.io.threads", "4");
        limits.brokerConfigs().forEach((key, value) -> p.put(key, value.toString()));
        return p;
    }

    private static void putInternalTopics(Properties p) {
        // One node: every internal topic has one copy, or nothing would ever be acknowledged.
        p.put("default.replication.factor", "1");
        p.put("min.insync.replicas", "1");
        p.put("offsets.topic.replication.factor", "1");
        p.put("offsets.topic.num.partitions", "4");
        p.put("transaction.state.log.replication.factor", "1");
        p.put("transaction.state.log.min.isr", "1");
        p.put("transaction.state.log.num.partitions", "4");
        // Transactions that timed out are looked for this often. Until the one of an instance that died is found, its
        // cameras wait.
        p.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");
        p.put("share.coordinator.state.topic.replication.factor", "1");
        p.put("share.coordinator.state.topic.min.isr", "1");
        p.put("share.coordinator.state.topic.num.partitions", "1");
    }

    /** Writes the identity of a new data directory; an existing one keeps its own. */
    static void format(Path directory, int node, Uuid cluster) throws IOException {
        if (Files.exists(directory.resolve("meta.properties"))) {
            return;
        }
        try {
            new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                    .setNodeId(node)
                    .setClusterId(cluster.toString())
                    .setControllerListenerName(CONTROLLER_LISTENER)
                    .setMetadataLogDirectory(directory.toString())
                    .addDirectory(directory.toString())
                    .run();
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("formatting failed: " + e.getMessage(), e);
        }
    }

    /** Kafka would find the foreign lock too, but late and with half of it started. */
    private static void requireUnused(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(
                        directory.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                return;
            }
        } catch (OverlappingFileLockException thisJvm) {
            // falls through to the same message
        }
        throw new IllegalStateException("another broker uses " + directory
                + ", so the embedded broker was not started. Stop it, or choose another data directory");
    }
}
