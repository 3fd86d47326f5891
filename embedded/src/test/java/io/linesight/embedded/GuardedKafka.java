package io.linesight.embedded;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;

/** A broker in this JVM that looks at rights. A topic without rules is open to everybody; all are the same user. */
public final class GuardedKafka implements AutoCloseable {
    private final EmbeddedKafka kafka;

    private GuardedKafka(EmbeddedKafka kafka) {
        this.kafka = kafka;
    }

    public static GuardedKafka start(Path directory) {
        return new GuardedKafka(EmbeddedKafka.in(directory)
                .with(Map.of(
                        "authorizer.class.name",
                        StandardAuthorizer.class.getName(),
                        "allow.everyone.if.no.acl.found",
                        "true"))
                .start());
    }

    public String bootstrapServers() {
        return kafka.bootstrapServers();
    }

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrapServers()));
    }

    /** From now on the topic may be described and no more. */
    public void closeToReaders(String topic) throws Exception {
        try (Admin admin = admin()) {
            admin.createAcls(List.of(describeOnly(topic))).all().get();
        }
    }

    /** Takes back {@link #closeToReaders}. */
    public void open(String topic) throws Exception {
        try (Admin admin = admin()) {
            admin.deleteAcls(List.of(describeOnly(topic).toFilter())).all().get();
        }
    }

    private static AclBinding describeOnly(String topic) {
        return new AclBinding(
                new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                new AccessControlEntry("User:ANONYMOUS", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW));
    }

    @Override
    public void close() {
        kafka.close();
    }
}
