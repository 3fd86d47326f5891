package io.linesight.embedded;

import io.linesight.schemas.topics.SizeLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/**
 * One of several brokers that keep copies of one another's partitions, in a JVM of its own, so that it can die without
 * anybody else. Each is a controller too. Arguments: directory, number, ports of all brokers, ports of all controllers,
 * largest frame.
 */
public final class ClusterNode {
    public static final String SERVES = "the broker serves";
    public static final char QUIT = 'q';
    private static final Uuid CLUSTER = new Uuid(20, 26);

    private ClusterNode() {}

    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        int number = Integer.parseInt(args[1]);
        String[] ports = args[2].split(",");
        String[] controllers = args[3].split(",");
        Properties configs = EmbeddedKafka.configs(
                directory,
                Integer.parseInt(ports[number]),
                Integer.parseInt(controllers[number]),
                new SizeLimits(Integer.parseInt(args[4])));
        List<String> voters = new ArrayList<>();
        for (int i = 0; i < controllers.length; i++) voters.add((i + 1) + "@" + Ports.HOST + ":" + controllers[i]);
        configs.put("node.id", "" + (number + 1));
        configs.put("controller.quorum.voters", String.join(",", voters));
        for (String key : List.of(
                "default.replication.factor",
                "offsets.topic.replication.factor",
                "transaction.state.log.replication.factor",
                "share.coordinator.state.topic.replication.factor")) {
            configs.put(key, "" + ports.length);
        }
        for (String key : List.of(
                "min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr"))
            configs.put(key, "" + (ports.length - 1));
        configs.put("unclean.leader.election.enable", "false");
        // The others notice soon that one is gone, but not when the machine is merely busy.
        configs.put("replica.lag.time.max.ms", "6000");
        configs.put("leader.imbalance.check.interval.seconds", "5");
        Files.createDirectories(directory);
        EmbeddedKafka.format(directory, number + 1, CLUSTER);
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(configs, false), Time.SYSTEM);
        server.startup();
        System.out.println(SERVES);
        while (true) {
            int letter = System.in.read();
            if (letter == QUIT || letter < 0) break;
        }
        server.shutdown();
        server.awaitShutdown();
        System.exit(0);
    }
}
