package io.linesight.models.rollouts;

import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.serde.SerdeFactory;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decodes the records of the registry's topics. On the view's thread. Ownership: whoever makes it closes it. */
final class RegistryRecords implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelRegistryView.class);

    private final String modelsTopic;
    private final String rolloutsTopic;
    private final Deserializer<ModelVersion> versions;
    private final Deserializer<Rollout> rollouts;
    private final Deserializer<ModelStatus> statuses;

    RegistryRecords(ModelsConfig config) {
        modelsTopic = config.topics().models().name();
        rolloutsTopic = config.topics().rollouts().name();
        versions = SerdeFactory.create(ModelVersion.class, config.settings(), false)
                .deserializer();
        rollouts = SerdeFactory.create(Rollout.class, config.settings(), false).deserializer();
        statuses =
                SerdeFactory.create(ModelStatus.class, config.settings(), false).deserializer();
    }

    boolean isRollout(ConsumerRecord<byte[], byte[]> record) {
        return record.topic().equals(rolloutsTopic);
    }

    /**
     * Adds a record to the fold. One that cannot be read is left out with a warning.
     *
     * @throws io.linesight.schemas.registry.RegistryException when the schema registry does not answer; the fold is
     *     unchanged
     */
    void apply(ConsumerRecord<byte[], byte[]> record, RegistryFold fold) {
        if (record.key() == null) {
            LOG.warn("Left out a record of {} at {}: it has no key", record.topic(), record.offset());
            return;
        }
        String key = new String(record.key(), StandardCharsets.UTF_8);
        try {
            if (isRollout(record)) {
                Rollout rollout = rollouts.deserialize(record.topic(), record.value());
                if (rollout == null) fold.unreadableRollout(record.offset(), key, "it is empty");
                else fold.rollout(record.offset(), key, rollout);
            } else if (record.topic().equals(modelsTopic)) {
                fold.version(key, versions.deserialize(record.topic(), record.value()));
            } else {
                fold.status(key, statuses.deserialize(record.topic(), record.value()));
            }
        } catch (SerializationException e) {
            LOG.warn("Left out a record of {} at {}: {}", record.topic(), record.offset(), e.getMessage());
            if (isRollout(record)) fold.unreadableRollout(record.offset(), key, e.getMessage());
        }
    }

    @Override
    public void close() {
        versions.close();
        rollouts.close();
        statuses.close();
    }
}
