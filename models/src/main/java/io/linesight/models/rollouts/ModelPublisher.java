package io.linesight.models.rollouts;

import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.storage.CheckpointStore;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * Publishes checkpoints in the one right order: the bytes, then the manifest that names them. Cut off at any point,
 * nothing is visible. Safe to share between threads; owns nothing.
 */
public final class ModelPublisher {
    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._+-]{0,199}";

    private final CheckpointStore store;
    private final ModelRegistry registry;
    private final ModelRegistryView view;
    private final Optional<CheckpointSigner> signer;
    private final Duration timeout;

    /** @param signer empty publishes unsigned versions */
    public ModelPublisher(
            CheckpointStore store,
            ModelRegistry registry,
            ModelRegistryView view,
            Optional<CheckpointSigner> signer,
            Duration timeout) {
        this.store = store;
        this.registry = registry;
        this.view = view;
        this.signer = signer;
        this.timeout = timeout;
    }

    /**
     * Stores the file, completes the manifest and publishes it. The same version with the same content may be published
     * again, which also brings back bytes that were lost.
     *
     * @param draft everything but where the bytes lie, key id and signature
     * @return the manifest as it was published
     * @throws CheckpointStoreException REJECTED if the version or channel is no usable name or the version exists with
     *     other content; otherwise if storing failed. Nothing became visible
     * @throws org.apache.kafka.common.KafkaException if it is not certain that the manifest was written; publishing it
     *     again is harmless
     */
    public ModelVersion publish(Path checkpoint, ModelVersion draft)
            throws CheckpointStoreException, InterruptedException {
        if (!draft.getVersion().matches(NAME))
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    "'" + draft.getVersion()
                            + "' cannot be a version: letters, digits, '.', '_', '+' and '-' can. Nothing was "
                            + "published");
        if (!draft.getChannel().matches(NAME))
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    "'" + draft.getChannel()
                            + "' cannot be a channel: letters, digits, '.', '_', '+' and '-' can. Nothing was "
                            + "published");
        if (!view.awaitCaughtUp(timeout)) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "whether " + draft.getVersion() + " exists already cannot be seen: " + view.obstacle()
                            + "; nothing was published. Try again when that is fixed");
        }
        ModelVersion manifest = store.put(checkpoint)
                .into(ModelVersion.newBuilder(draft))
                .setCreatedAt(draft.getCreatedAt().truncatedTo(ChronoUnit.MICROS))
                .build();
        PublishedVersion there = view.state().version(draft.getVersion()).orElse(null);
        if (there != null && !there.manifest().getSha256().equals(manifest.getSha256())) {
            throw new CheckpointStoreException(
                    Reason.REJECTED,
                    "version " + draft.getVersion()
                            + " exists already with other content, and a version is never changed; publish under "
                            + "another version. Nothing became visible");
        }
        ModelVersion signed = signer.isPresent() ? signer.get().sign(manifest) : manifest;
        registry.publish(signed);
        return signed;
    }
}
