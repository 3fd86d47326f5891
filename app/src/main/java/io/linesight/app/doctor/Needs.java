package io.linesight.app.doctor;

import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.schemas.topics.ValueSchemas;
import io.linesight.streams.alert.AlertsApp;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.avro.Schema;
import org.apache.kafka.common.acl.AclOperation;

/**
 * The least that a part needs of a cluster; the table in docs/operations.md. READ and WRITE include DESCRIBE.
 *
 * @param topics with what is done to them
 * @param groups consumer groups, Read
 * @param transactionalIds prefixes of transactional ids, Write
 * @param ownTopics prefixes of topics that the part makes for itself, Create, Read and Write
 */
record Needs(List<Need> topics, Set<String> groups, Set<String> transactionalIds, Set<String> ownTopics) {
    private static final AclOperation R = AclOperation.READ;
    private static final AclOperation W = AclOperation.WRITE;
    /** To compare a topic's settings at the start. */
    private static final AclOperation C = AclOperation.DESCRIBE_CONFIGS;

    /**
     * @param follows whether the inspection app follows rollouts
     * @param alerts whether {@code serve} makes alerts
     * @param applicationId of the inspection app
     * @param trainerGroup of the trainer
     */
    static Needs of(Part part, Topics t, boolean follows, boolean alerts, String applicationId, String trainerGroup) {
        Map<TopicSpec, Schema> schemas = ValueSchemas.of(t);
        Map<TopicSpec, Need> needs = new LinkedHashMap<>();
        Set<String> groups = new LinkedHashSet<>();
        Set<String> ids = new LinkedHashSet<>();
        Set<String> own = new LinkedHashSet<>();
        if (part == Part.SERVE || part == Part.ALL) {
            need(needs, schemas, t.frames(), R, C);
            need(needs, schemas, t.results(), W, C);
            need(needs, schemas, t.anomalies(), W, C);
            need(needs, schemas, t.deadLetter(), W, C);
            if (follows || part == Part.ALL) {
                need(needs, schemas, t.models(), R);
                need(needs, schemas, t.modelChunks(), R);
                // A guard that rejects a model writes the decision that makes it so everywhere.
                need(needs, schemas, t.rollouts(), R, W);
                need(needs, schemas, t.modelStatus(), R, W, C);
                need(needs, schemas, t.shadow(), W, C);
                // A frame that is labelled normal makes an exemption, compared with frames that passed.
                need(needs, schemas, t.results(), R);
                need(needs, schemas, t.labels(), R, C);
                need(needs, schemas, t.exemptions(), R, W, C);
                need(needs, schemas, t.settings(), R, C);
            }
            groups.add(applicationId);
            if (follows || part == Part.ALL) groups.add(applicationId + "-exemptions");
            ids.add(applicationId + "-");
            if (alerts) {
                need(needs, schemas, t.results(), R);
                need(needs, schemas, t.alerts(), W);
                need(needs, schemas, t.alertActions(), R);
                groups.add(AlertsApp.applicationId(applicationId));
                // The changelog of their state; transactional ids begin with that of the inspection.
                own.add(AlertsApp.applicationId(applicationId) + "-");
            }
        }
        if (part == Part.TRAIN || part == Part.ALL) {
            need(needs, schemas, t.labels(), R);
            need(needs, schemas, t.frames(), R);
            need(needs, schemas, t.results(), R);
            need(needs, schemas, t.models(), R, W);
            need(needs, schemas, t.modelChunks(), R, W);
            need(needs, schemas, t.rollouts(), R, W);
            need(needs, schemas, t.modelStatus(), R);
            need(needs, schemas, t.training(), W);
            groups.add(trainerGroup);
        }
        if (part == Part.CAMERA || part == Part.ALL) need(needs, schemas, t.frames(), W);
        if (part == Part.OPCUA) {
            need(needs, schemas, t.alerts(), R);
            need(needs, schemas, t.results(), R);
            need(needs, schemas, t.alertActions(), W);
        }
        return new Needs(new ArrayList<>(needs.values()), groups, ids, own);
    }

    private static void need(
            Map<TopicSpec, Need> needs, Map<TopicSpec, Schema> schemas, TopicSpec topic, AclOperation... operations) {
        Set<AclOperation> all = EnumSet.copyOf(List.of(operations));
        Schema schema = schemas.get(topic);
        needs.merge(topic, new Need(topic, schema, all), (a, b) -> {
            Set<AclOperation> both = EnumSet.copyOf(a.operations());
            both.addAll(b.operations());
            return new Need(topic, schema, both);
        });
    }

    /** The commands that give a principal exactly these rights. */
    List<String> commands(String bootstrap, String principal) {
        List<String> out = new ArrayList<>();
        String head = "kafka-acls --bootstrap-server " + bootstrap
                + " --command-config admin.properties --add --allow-principal '" + principal + "'";
        for (Need n : topics) {
            StringBuilder b = new StringBuilder(head);
            n.operations().stream().sorted().forEach(o -> b.append(" --operation ")
                    .append(name(o)));
            out.add(b + " --topic " + n.topic().name());
        }
        for (String topic : ownTopics)
            out.add(head + " --operation Read --operation Write --operation Create --topic " + topic
                    + " --resource-pattern-type prefixed");
        for (String g : groups) out.add(head + " --operation Read --group " + g);
        for (String id : transactionalIds)
            out.add(head + " --operation Write --transactional-id " + id + " --resource-pattern-type prefixed");
        return out;
    }

    private static String name(AclOperation o) {
        StringBuilder b = new StringBuilder();
        for (String word : o.name().split("_"))
            b.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
        return b.toString();
    }
}
