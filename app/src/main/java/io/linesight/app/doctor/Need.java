package io.linesight.app.doctor;

import io.linesight.schemas.topics.TopicSpec;
import java.util.Set;
import org.apache.avro.Schema;
import org.apache.kafka.common.acl.AclOperation;
import org.jspecify.annotations.Nullable;

/**
 * What a part needs of one topic.
 *
 * @param schema of its values; null for bytes that are not ours
 * @param operations that the principal must be allowed
 */
record Need(TopicSpec topic, @Nullable Schema schema, Set<AclOperation> operations) {
    boolean writes() {
        return operations.contains(AclOperation.WRITE);
    }
}
