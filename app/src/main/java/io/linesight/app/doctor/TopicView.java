package io.linesight.app.doctor;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.acl.AclOperation;
import org.jspecify.annotations.Nullable;

/**
 * A topic as the cluster has it.
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
        @Nullable Set<AclOperation> allowed) {
    long number(String key, long fallback) {
        String value = configs.get(key);
        return value == null || !value.matches("-?\\d{1,18}") ? fallback : Long.parseLong(value);
    }

    boolean compacts() {
        return configs.getOrDefault("cleanup.policy", "").contains("compact");
    }

    boolean deletes() {
        return configs.getOrDefault("cleanup.policy", "").contains("delete");
    }
}
