package io.linesight.app.doctor;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.acl.AclOperation;

/**
 * A topic as it is.
 *
 * @param replication copies of the partition that has fewest
 * @param inSync copies in sync of the partition that has fewest
 * @param offline partitions without a leader
 * @param configs settings; empty when they may not be read
 * @param allowed what the principal may do; null when the broker does not say
 */
record TopicView(
        String name,
        int partitions,
        int replication,
        int inSync,
        int offline,
        Map<String, String> configs,
        Set<AclOperation> allowed) {
    long number(String key, long otherwise) {
        String value = configs.get(key);
        return value == null || !value.matches("-?\\d{1,18}") ? otherwise : Long.parseLong(value);
    }

    boolean compacts() {
        return configs.getOrDefault("cleanup.policy", "").contains("compact");
    }

    boolean deletes() {
        return configs.getOrDefault("cleanup.policy", "").contains("delete");
    }
}
