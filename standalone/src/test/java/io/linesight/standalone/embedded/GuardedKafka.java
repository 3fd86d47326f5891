package io.linesight.standalone.embedded;

import io.linesight.schemas.topics.SizeLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;

/** A broker in this JVM that looks at rights. A topic without rules is open to everybody; all are the same user. */
public final class GuardedKafka implements AutoCloseable {
    private final KafkaRaftServer server;
    private final String bootstrap;

    private GuardedKafka(KafkaRaftServer server, String bootstrap) {
        this.server = server;
        this.bootstrap = bootstrap;
    }

    public static GuardedKafka start(Path directory) throws IOException {
        int port = Ports.free();
        int controller = Ports.free();
        while (controller == port) controller = Ports.free();
        Properties configs = EmbeddedKafka.configs(directory, port, controller, SizeLimits.defaults());
        configs.put("authorizer.class.name", StandardAuthorizer.class.getName());
        configs.put("allow.everyone.if.no.acl.found", "true");
        Files.createDirectories(directory);
        EmbeddedKafka.format(directory, 1, Uuid.randomUuid());
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(configs, false), Time.SYSTEM);
        server.startup();
        return new GuardedKafka(server, Ports.HOST + ":" + port);
    }

    public String bootstrapServers() {
        return bootstrap;
    }

    /** From now on the topic may be described and no more. */
    public void closeToReaders(String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createAcls(List.of(describeOnly(topic))).all().get();
        }
    }

    /** Takes back {@link #closeToReaders}. */
    public void open(String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.deleteAcls(List.of(describeOnly(topic).toFilter())).all().get();
        }
    }

    private static AclBinding describeOnly(String topic) {
        return new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL), new AccessControlEntry("User:ANONYMOUS", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW));
    }

    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
    }
}
