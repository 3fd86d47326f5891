package io.linesight.models.rollouts;

import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.serde.RecordDecoder;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decodes the records of the registry's topics. On the view's thread. Ownership: whoever makes it closes it. */
final class RegistryRecords implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelRegistryView.class);

    private final String modelsTopic;
    private final String rolloutsTopic;
    private final RecordDecoder<ModelVersion> versions;
    private final RecordDecoder<Rollout> rollouts;
    private final RecordDecoder<ModelStatus> statuses;

    RegistryRecords(ModelsConfig config) {
        modelsTopic = config.topics().models().name();
        rolloutsTopic = config.topics().rollouts().name();
        versions = RecordDecoder.of(ModelVersion.class, config.settings());
        rollouts = RecordDecoder.of(Rollout.class, config.settings());
        statuses = RecordDecoder.of(ModelStatus.class, config.settings());
    }

    boolean isRollout(ConsumerRecord<byte[], byte[]> record) {
        return record.topic().equals(rolloutsTopic);
    }

    /**
     * Adds a record to the fold. One that cannot be read is left out with a warning.
     *
     * @throws io.linesight.schemas.registry.RegistryException when the schema registry does not answer, or does not
     *     know the schema yet; the fold is unchanged
     */
    void apply(ConsumerRecord<byte[], byte[]> record, RegistryFold fold) {
        if (record.key() == null) {
            LOG.warn("Left out a record of {} at {}: it has no key", record.topic(), record.offset());
            return;
        }
        String key = new String(record.key(), StandardCharsets.UTF_8);
        try {
            if (isRollout(record)) {
                Rollout rollout = rollouts.decode(record);
                if (rollout == null) fold.unreadableRollout(record.offset(), key, "it is empty");
                else fold.rollout(record.offset(), key, rollout);
            } else if (record.topic().equals(modelsTopic)) {
                fold.version(key, versions.decode(record));
            } else {
                fold.status(key, statuses.decode(record));
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
