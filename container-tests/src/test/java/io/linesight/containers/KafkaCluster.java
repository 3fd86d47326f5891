package io.linesight.containers;

import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.Transferable;

/**
 * Brokers in containers, each broker and controller in one. Every broker has a port of this machine for good, so that
 * one that was killed comes back where clients look for it. Of three listeners DIRECT is for plain clients, LINK can be
 * advertised as somebody else's address (a {@link FaultyLink}), and LINK and MORE can be given other protocols.
 */
final class KafkaCluster implements AutoCloseable {
    private static final String IMAGE = System.getProperty("linesight.kafka.image");
    private static final int DIRECT = 9092;
    private static final int LINK = 9094;
    private static final int MORE = 9095;

    private final Network network = Network.newNetwork();
    private final List<GenericContainer<?>> brokers = new ArrayList<>();
    private final int[] ports;
    private final int[] linkPorts;
    private final int[] morePorts;

    /**
     * Starts them.
     *
     * @param advertisedLink port at which clients reach the LINK listener of broker n, given its real one; null where
     *     nobody uses it
     * @param settings further {@code KAFKA_*} variables
     * @param files further files, by path in the container
     */
    KafkaCluster(int size, Link advertisedLink, IntFunction<Map<String, String>> settings, Map<String, byte[]> files) {
        int[] free = freePorts(3 * size);
        ports = Arrays.copyOfRange(free, 0, size);
        linkPorts = Arrays.copyOfRange(free, size, 2 * size);
        morePorts = Arrays.copyOfRange(free, 2 * size, 3 * size);
        String voters = IntStream.rangeClosed(1, size)
                .mapToObj(i -> i + "@kafka-" + i + ":9093")
                .collect(Collectors.joining(","));
        int copies = Math.min(3, size);
        int inSync = Math.min(2, size);
        for (int i = 0; i < size; i++) {
            Map<String, String> env = new HashMap<>();
            int link = advertisedLink == null ? linkPorts[i] : advertisedLink.advertised(i, linkPorts[i]);
            env.put("CLUSTER_ID", "5L6g3nShT-eMCtK--X86sw");
            env.put("KAFKA_NODE_ID", "" + (i + 1));
            env.put("KAFKA_PROCESS_ROLES", "broker,controller");
            env.put(
                    "KAFKA_LISTENERS",
                    "INTERNAL://:19092,DIRECT://:" + DIRECT + ",LINK://:" + LINK + ",MORE://:" + MORE
                            + ",CONTROLLER://:9093");
            env.put(
                    "KAFKA_ADVERTISED_LISTENERS",
                    "INTERNAL://kafka-" + (i + 1) + ":19092,DIRECT://localhost:" + ports[i] + ",LINK://localhost:"
                            + link + ",MORE://localhost:" + morePorts[i]);
            env.put(
                    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
                    "INTERNAL:PLAINTEXT,DIRECT:PLAINTEXT,LINK:PLAINTEXT,MORE:PLAINTEXT,CONTROLLER:PLAINTEXT");
            env.put("KAFKA_INTER_BROKER_LISTENER_NAME", "INTERNAL");
            env.put("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER");
            env.put("KAFKA_CONTROLLER_QUORUM_VOTERS", voters);
            env.put("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "" + copies);
            env.put("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "6");
            env.put("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "" + copies);
            env.put("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "" + inSync);
            env.put("KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "6");
            env.put("KAFKA_DEFAULT_REPLICATION_FACTOR", "" + copies);
            env.put("KAFKA_MIN_INSYNC_REPLICAS", "" + inSync);
            env.put("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false");
            env.put("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0");
            // A broker that was killed is missed after three seconds instead of nine.
            env.put("KAFKA_BROKER_SESSION_TIMEOUT_MS", "3000");
            env.put("KAFKA_BROKER_HEARTBEAT_INTERVAL_MS", "500");
            env.put("KAFKA_LOG_DIRS", "/var/lib/kafka/data");
            env.put("KAFKA_HEAP_OPTS", "-Xmx400m -Xms128m");
            env.putAll(settings.apply(i));
            GenericContainer<?> broker = new GenericContainer<>(IMAGE)
                    .withNetwork(network)
                    .withNetworkAliases("kafka-" + (i + 1))
                    .withEnv(env)
                    .withExposedPorts(DIRECT, LINK, MORE)
                    .waitingFor(Wait.forLogMessage(".*Transitioning from RECOVERY to RUNNING.*", 1))
                    .withStartupTimeout(Duration.ofMinutes(3));
            files.forEach((path, content) -> broker.withCopyToContainer(Transferable.of(content, 0644), path));
            broker.setPortBindings(
                    List.of(ports[i] + ":" + DIRECT, linkPorts[i] + ":" + LINK, morePorts[i] + ":" + MORE));
            brokers.add(broker);
        }
        // At once: one of three alone waits for the others.
        brokers.parallelStream().forEach(GenericContainer::start);
    }

    /** How clients reach the LINK listener. */
    interface Link {
        int advertised(int broker, int realPort);
    }

    static KafkaCluster plain(int size) {
        return new KafkaCluster(size, null, i -> Map.of(), Map.of());
    }

    String bootstrapServers() {
        return IntStream.of(ports).mapToObj(p -> "localhost:" + p).collect(Collectors.joining(","));
    }

    /** The listener LINK of the first broker, at its real port. */
    String link() {
        return "localhost:" + linkPorts[0];
    }

    /** The listener MORE of the first broker. */
    String more() {
        return "localhost:" + morePorts[0];
    }

    /** Ends a broker as a power cut does. */
    void kill(int broker) {
        GenericContainer<?> b = brokers.get(broker);
        b.getDockerClient().killContainerCmd(b.getContainerId()).exec();
    }

    /** Starts one again that was killed; its data is where it was. */
    void restart(int broker) {
        GenericContainer<?> b = brokers.get(broker);
        b.getDockerClient().startContainerCmd(b.getContainerId()).exec();
    }

    /**
     * Different ones, below those that the system gives to outgoing connections: one of these could take a port while
     * its broker is away.
     */
    static int[] freePorts(int n) {
        return ThreadLocalRandom.current()
                .ints(20_000, 32_000)
                .distinct()
                .filter(KafkaCluster::isFree)
                .limit(n)
                .toArray();
    }

    private static boolean isFree(int port) {
        try (ServerSocket s = new ServerSocket(port)) {
            return s.isBound();
        } catch (IOException taken) {
            return false;
        }
    }

    @Override
    public void close() {
        brokers.forEach(GenericContainer::stop);
        network.close();
    }
}
