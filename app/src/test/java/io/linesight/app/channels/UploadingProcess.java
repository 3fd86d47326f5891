package io.linesight.app.channels;

import io.linesight.models.rollouts.ModelPublisher;
import io.linesight.models.rollouts.ModelRegistry;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStore;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.models.storage.StoredCheckpoint;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.topics.Topics;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Publishes a checkpoint in a JVM of its own, which dies when the last byte is in its store and the manifest is not
 * written yet.
 */
final class UploadingProcess {
    static final int HALTED = 137;

    private UploadingProcess() {}

    /** Arguments: broker, schema registry, prefix of the topics, checkpoint, version. */
    public static void main(String[] args) throws Exception {
        ModelsConfig config = ModelsConfig.of(Map.of(
                "bootstrap.servers",
                args[0],
                "schema.registry.url",
                args[1],
                Topics.PREFIX_CONFIG,
                args[2],
                ModelsConfig.UNSIGNED,
                "accept"));
        try (ModelRegistry registry = ModelRegistry.open(config);
                ModelRegistryView view = ModelRegistryView.open(config, TrustedKeys.of(config));
                CheckpointStores stores = CheckpointStores.open(config)) {
            CheckpointStore dying = new CheckpointStore() {
                @Override
                public StoredCheckpoint put(Path file) throws CheckpointStoreException {
                    stores.put(file);
                    Runtime.getRuntime().halt(HALTED);
                    throw new IllegalStateException("halted");
                }

                @Override
                public Path fetch(ModelVersion manifest, Path targetDir) {
                    throw new UnsupportedOperationException();
                }

                @Override
                public void delete(ModelVersion manifest) {
                    throw new UnsupportedOperationException();
                }

                @Override
                public void close() {}
            };
            new ModelPublisher(dying, registry, view, Optional.empty(), config.timeout())
                    .publish(Path.of(args[3]), ChannelsIT.draft(args[4], GateOutcome.PASSED, ""));
        }
    }
}
