package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.app.audit.Audit;
import io.linesight.app.audit.AuditReport;
import io.linesight.embedded.ClusterNode;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.streams.ChildJvm;
import io.linesight.streams.Desk;
import io.linesight.streams.FleetInstance;
import io.linesight.streams.Line;
import io.linesight.streams.ToyCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.hamcrest.Matchers;

/**
 * A whole line in processes that can be broken one by one: three brokers that keep three copies, a registry, instances
 * of the app that follow the real model registry, and cameras. Every version scores the same frame differently, so
 * every result shows whether it comes from the version it names.
 */
final class BreakableLine implements AutoCloseable {
    static final int PARTITIONS = 6;
    static final int CAMERAS = 12;
    static final String APPLICATION = "breakable";
    static final List<String> NAMES = List.of("line-0", "line-1", "line-2");
    static final Map<String, Float> GAINS = new TreeMap<>(Map.of("v1", 1f, "v2", 1.5f, "v3", 2f, "v4", 2.5f));
    /** This one has a small disk of its own, where the machine lets us mount one. */
    static final String ON_SMALL_DISK = "line-1";

    private static final int BAD_EVERY = 500;
    static final int BROKERS = 3;
    private static final int BROKER_MEGABYTES = 600;
    private static final int INSTANCE_MEGABYTES = 24;

    /** Sends as fast as it is told to until it has sent all, or is told to stop; waits for a broker that is away. */
    static final class Cameras extends Thread {
        private final Line line;
        private final long frames;
        private final int perSecond;
        volatile long sequence;
        volatile boolean on = true;
        private volatile long bad;

        private Cameras(Line line, long frames, int perSecond) {
            super("cameras");
            this.line = line;
            this.frames = frames;
            this.perSecond = perSecond;
            setDaemon(true);
        }

        @Override
        public void run() {
            long start = System.nanoTime();
            for (long i = 0; on && i * CAMERAS < frames; i++) {
                for (int c = 0; c < CAMERAS; c++)
                    line.send(
                            c % PARTITIONS, Line.frame("cam-" + c, i, value(i)).build());
                if (i % BAD_EVERY == BAD_EVERY - 1) {
                    for (int p = 0; p < PARTITIONS; p++) line.sendBytes(p, "broken-camera", new byte[] {7, 7});
                    bad += PARTITIONS;
                }
                sequence = i + 1;
                long due = start + sequence * CAMERAS * 1_000_000_000L / perSecond;
                while (System.nanoTime() - due < 0) LockSupport.parkNanos(due - System.nanoTime());
            }
            line.flush();
        }

        /** Waits until so many more frames were sent. */
        void awaitMore(long count) {
            long until = good() + count;
            Awaitility.await("more frames")
                    .atMost(Desk.TIMEOUT)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> good() >= until || !isAlive());
        }

        long good() {
            return sequence * CAMERAS;
        }

        long bad() {
            return bad;
        }
    }

    static int value(long sequence) {
        return (int) (sequence % 50) + 1;
    }

    private final Path folder;
    private final List<Integer> brokerPorts = new ArrayList<>();
    private final List<Integer> controllerPorts = new ArrayList<>();
    private final Map<String, ChildJvm> instances = new TreeMap<>();
    private final Optional<SmallDisk> brokerDisk;
    private final Optional<SmallDisk> instanceDisk;
    private final ChildJvm[] brokers = new ChildJvm[BROKERS];
    private EmbeddedRegistry registry;
    private final int registryPort;
    final Line line;
    final Desk desk;
    /** Instances that ended without being told to, with the last that they said. */
    final List<String> deaths = new ArrayList<>();

    /** Starts broker, registry and desk, publishes all versions and promotes the first. */
    BreakableLine(Path folder) throws Exception {
        this.folder = folder;
        for (int i = 0; i < BROKERS; i++) {
            brokerPorts.add(freePort());
            controllerPorts.add(freePort());
        }
        brokerDisk = disk("broker-disk", BROKER_MEGABYTES);
        instanceDisk = disk("instance-disk", INSTANCE_MEGABYTES);
        for (int i = 0; i < BROKERS; i++) launchBroker(i);
        for (ChildJvm broker : brokers) broker.awaitSaying(ClusterNode.SERVES);
        registry = EmbeddedRegistry.start(bootstrap(), 0);
        registryPort = registry.port();
        line = new Line(
                bootstrap(),
                registry.url(),
                APPLICATION,
                PARTITIONS,
                // Cameras that outlast a broker which is away for minutes, and lose and double nothing themselves.
                Map.of(
                        "delivery.timeout.ms",
                        "1200000",
                        "max.block.ms",
                        "1200000",
                        "request.timeout.ms",
                        "10000",
                        "acks",
                        "all"));
        desk = new Desk(line, folder.resolve("desk"));
        for (Map.Entry<String, Float> version : GAINS.entrySet())
            desk.publish(version.getKey(), ToyCheckpoint.bytes(version.getKey(), version.getValue()));
        desk.promote("v1");
    }

    private Optional<SmallDisk> disk(String name, int megabytes) {
        try {
            return Optional.of(SmallDisk.mount(folder.resolve(name), megabytes));
        } catch (IOException e) {
            System.out.println(e.getMessage() + ": full disks are left out");
            return Optional.empty();
        }
    }

    boolean hasDisks() {
        return brokerDisk.isPresent() && instanceDisk.isPresent();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    String bootstrap() {
        return brokerPorts.stream().map(p -> "127.0.0.1:" + p).collect(Collectors.joining(","));
    }

    /** The one on a disk that can be filled is the last. */
    private Optional<SmallDisk> diskOf(int broker) {
        return broker == BROKERS - 1 ? brokerDisk : Optional.empty();
    }

    private Path dataOf(int broker) {
        return (broker == BROKERS - 1 ? folder.resolve("broker-disk") : folder.resolve("broker-" + broker))
                .resolve("data");
    }

    private void launchBroker(int broker) throws IOException {
        brokers[broker] = new ChildJvm(
                folder.resolve("broker-" + broker + ".log"),
                diskOf(broker).map(SmallDisk::wrapper).orElse(List.of()),
                List.of("-Xmx384m", "-XX:TieredStopAtLevel=1"),
                ClusterNode.class,
                dataOf(broker).toString(),
                "" + broker,
                join(brokerPorts),
                join(controllerPorts),
                "" + Line.LIMITS.frameBytes());
    }

    private static String join(List<Integer> ports) {
        return ports.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /**
     * Starts one that has ended, and waits until every partition has all its copies again, as somebody who restarts
     * brokers one by one does.
     */
    void startBroker(int broker) throws Exception {
        launchBroker(broker);
        brokers[broker].awaitSaying(ClusterNode.SERVES);
        try (Admin admin = line.admin()) {
            Awaitility.await("all copies after broker " + broker + " came back")
                    .atMost(Duration.ofSeconds(180))
                    .until(() -> replicated(admin));
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(e.getMessage() + '\n' + brokers[broker].said(), e);
        }
    }

    private static boolean replicated(Admin admin) throws Exception {
        try {
            Set<String> topics = admin.listTopics(new ListTopicsOptions().listInternal(true))
                    .names()
                    .get(20, TimeUnit.SECONDS);
            return admin.describeTopics(topics).allTopicNames().get(20, TimeUnit.SECONDS).values().stream()
                    .flatMap(t -> t.partitions().stream())
                    .allMatch(p -> p.isr().size() == BROKERS);
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }

    void killBroker(int broker) throws Exception {
        brokers[broker].kill();
    }

    void stopBroker(int broker) throws Exception {
        brokers[broker].tell(ClusterNode.QUIT);
        assertThat(brokers[broker].awaitExit()).as(brokers[broker]::said).isZero();
    }

    /** @return whether the broker ended of itself, as Kafka does when it can no longer write */
    boolean fillBrokerDisk() throws Exception {
        brokerDisk.orElseThrow().fill();
        ChildJvm broker = brokers[BROKERS - 1];
        boolean ended = broker.endsWithin(Duration.ofSeconds(20));
        broker.close();
        return ended;
    }

    void freeBrokerDisk() throws Exception {
        brokerDisk.orElseThrow().free();
        startBroker(BROKERS - 1);
    }

    void fillInstanceDisk() throws Exception {
        instanceDisk.orElseThrow().fill();
    }

    void freeInstanceDisk() throws Exception {
        instanceDisk.orElseThrow().free();
    }

    void stopRegistry() {
        registry.close();
    }

    void startRegistry() {
        registry = EmbeddedRegistry.start(bootstrap(), registryPort);
    }

    void launch(String name) throws Exception {
        Path file = folder.resolve(name + ".properties");
        boolean small = name.equals(ON_SMALL_DISK) && instanceDisk.isPresent();
        if (!Files.exists(file)) {
            Map<String, String> settings = new HashMap<>(desk.settings(line, APPLICATION, name));
            settings.putAll(Map.of(
                    "num.stream.threads",
                    "1",
                    "linesight.startup.timeout.ms",
                    "60000",
                    // What a killed instance held is free again when these are over.
                    "transaction.timeout.ms",
                    "10000",
                    "kafka.consumer.session.timeout.ms",
                    "6000",
                    "kafka.consumer.heartbeat.interval.ms",
                    "500",
                    "linesight.drain.budget.ms",
                    "2000",
                    "linesight.drain.timeout.ms",
                    "8000",
                    "linesight.registry.retry.ms",
                    "5000",
                    // Brokers come and go, and nobody should sit out an old view of them for minutes.
                    "metadata.max.age.ms",
                    "10000",
                    // A run has more faults in ten minutes than a line in a month.
                    "linesight.thread.replacements",
                    "1000"));
            if (small)
                settings.putAll(Map.of(
                        "linesight.models.dir",
                        folder.resolve("instance-disk/models").toString(),
                        "state.dir",
                        folder.resolve("instance-disk/state").toString()));
            Properties properties = new Properties();
            properties.putAll(settings);
            try (Writer out = Files.newBufferedWriter(file)) {
                properties.store(out, null);
            }
        }
        List<String> wrapper = small ? instanceDisk.get().wrapper() : List.of();
        instances.put(
                name,
                new ChildJvm(
                        folder.resolve(name + ".log"),
                        wrapper,
                        List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"),
                        FleetInstance.class,
                        file.toString(),
                        "0"));
    }

    ChildJvm instance(String name) {
        return instances.get(name);
    }

    void kill(String name) throws Exception {
        ChildJvm instance = instances.remove(name);
        if (instance.isAlive()) instance.kill();
        else died(name, instance);
    }

    /** Tells it to end; whatever it has taken is committed first. */
    void stop(String name) throws Exception {
        ChildJvm instance = instances.remove(name);
        if (!instance.isAlive()) {
            died(name, instance);
            return;
        }
        instance.tell(FleetInstance.QUIT);
        assertThat(instance.awaitExit())
                .as(() -> "clean end of " + name + "\n" + instance.said())
                .isZero();
    }

    private void died(String name, ChildJvm instance) {
        String said = instance.said();
        deaths.add(name + ": ..." + said.substring(Math.max(0, said.length() - 600)));
    }

    /** What a supervisor does: starts what has ended of itself. */
    void superviseInstances() throws Exception {
        for (String name : NAMES) {
            ChildJvm instance = instances.get(name);
            if (instance != null && instance.isAlive()) continue;
            if (instance != null) died(name, instance);
            launch(name);
        }
    }

    /** Waits until all instances run. */
    void awaitRunning() throws Exception {
        for (String name : NAMES) {
            Desk.await(
                    () -> {
                        try {
                            superviseInstances();
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                        return instances.get(name).said().contains(FleetInstance.RUNNING);
                    },
                    () -> name + " runs:\n" + instances.get(name).said());
        }
    }

    String nextVersion() {
        List<String> versions = List.copyOf(GAINS.keySet());
        return versions.get(
                (versions.indexOf(desk.channel().inForce().orElseThrow().getChampion()) + 1) % versions.size());
    }

    Rollout promoteNext() throws Exception {
        return desk.promote(nextVersion());
    }

    void awaitServed(Rollout decision) throws Exception {
        for (String name : NAMES)
            desk.awaitStatus(name, decision.getChampion(), ModelState.ACTIVE, decision.getRevision(), () -> instances
                    .get(name)
                    .said());
    }

    /** What the broker knows of the group and of transactions, and what the instances have said. */
    String logs() {
        StringBuilder all = new StringBuilder();
        try (Admin admin = line.admin()) {
            String topic = line.topics.frames().name();
            Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
            for (int p = 0; p < PARTITIONS; p++) ends.put(new TopicPartition(topic, p), OffsetSpec.latest());
            all.append("committed ")
                    .append(admin.listConsumerGroupOffsets(APPLICATION)
                            .partitionsToOffsetAndMetadata()
                            .get(20, TimeUnit.SECONDS))
                    .append('\n');
            all.append("of ")
                    .append(admin.listOffsets(ends).all().get(20, TimeUnit.SECONDS))
                    .append('\n');
            var transactions = admin.listTransactions().all().get(20, TimeUnit.SECONDS).stream()
                    .filter(t -> !t.state().toString().startsWith("Complete")
                            && !t.state().toString().equals("Empty"))
                    .toList();
            all.append("transactions ").append(transactions).append('\n');
            all.append(admin.describeTransactions(transactions.stream()
                                    .map(t -> t.transactionalId())
                                    .toList())
                            .all()
                            .get(20, TimeUnit.SECONDS))
                    .append('\n');
            List<TopicPartition> partitions = new ArrayList<>();
            for (TopicSpec t : List.of(line.topics.results(), line.topics.deadLetter(), line.topics.anomalies()))
                for (int p = 0; p < PARTITIONS; p++) partitions.add(new TopicPartition(t.name(), p));
            admin.describeProducers(partitions)
                    .all()
                    .get(20, TimeUnit.SECONDS)
                    .forEach((p, state) -> state.activeProducers().stream()
                            .filter(a -> a.currentTransactionStartOffset().isPresent())
                            .forEach(a -> all.append("open on ")
                                    .append(p)
                                    .append(": ")
                                    .append(a)
                                    .append('\n')));
            all.append(admin.describeClassicGroups(List.of(APPLICATION)).all().get(20, TimeUnit.SECONDS))
                    .append('\n');
        } catch (Exception e) {
            all.append("the broker cannot be asked: ").append(e).append('\n');
        }
        instances.forEach(
                (name, jvm) -> all.append("--- ").append(name).append('\n').append(jvm.said()));
        return all.toString();
    }

    /** Saves what the brokers have on their disks, some of which go when we go. */
    void keep(Path to) throws IOException {
        for (int broker = 0; broker < BROKERS; broker++) {
            Path data = dataOf(broker);
            Path from = diskOf(broker).map(d -> d.seenFromOutside(data)).orElse(data);
            try (var files = Files.walk(from)) {
                for (Path f : files.toList()) {
                    Path copy = to.resolve("broker-" + broker)
                            .resolve(from.relativize(f).toString());
                    if (Files.isDirectory(f)) Files.createDirectories(copy);
                    else if (!f.toString().endsWith("index")) Files.copy(f, copy, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    Cameras cameras(long frames, int perSecond) {
        return new Cameras(line, frames, perSecond);
    }

    /** Waits as long as there is progress. */
    void awaitAllCommitted(long records) {
        try {
            long committed = line.committed(APPLICATION);
            while (committed < records) committed = awaitProgress();
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("not all of " + records + " frames are committed\n" + logs(), e);
        }
    }

    /**
     * Waits until more frames are committed than at the call, and restarts instances meanwhile.
     *
     * @return how many are committed
     * @throws ConditionTimeoutException when nothing is committed for two minutes
     */
    long awaitProgress() {
        long before = line.committed(APPLICATION);
        return Awaitility.await("committed frames beyond " + before)
                .atMost(Duration.ofSeconds(120))
                .until(
                        () -> {
                            superviseInstances();
                            return line.committed(APPLICATION);
                        },
                        Matchers.greaterThan(before));
    }

    /** Counts on the topics, and checks every result against the version that it names. */
    AuditReport audit(Consumer<InspectionResult> each) throws Exception {
        return new Audit(line.settings(), line.topics, APPLICATION).run(null, r -> {
            assertThat(GAINS).as("version of %s", r.getFrameId()).containsKey(r.getModelVersion());
            float expected = GAINS.get(r.getModelVersion()) * value(r.getSequence());
            if (Math.abs(r.getRawScore() / expected - 1) > 0.001f)
                throw new AssertionError(r.getFrameId() + " has the score " + r.getRawScore() + ", not that of "
                        + r.getModelVersion() + ", " + expected);
            each.accept(r);
        });
    }

    @Override
    public void close() {
        instances.values().forEach(ChildJvm::close);
        line.close();
        try {
            desk.close();
            registry.close();
        } catch (UncheckedIOException e) {
            // The broker may be gone already.
            System.out.println("not closed in order: " + e.getMessage());
        }
        for (ChildJvm broker : brokers) if (broker != null) broker.close();
        brokerDisk.ifPresent(SmallDisk::close);
        instanceDisk.ifPresent(SmallDisk::close);
    }
}
