package io.linesight.app.doctor;

import io.linesight.models.rollouts.ChannelState;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.KafkaException;

/**
 * Whether every version that a channel has in service can still be had, by fetching it as an instance would: all
 * chunks, their length and the SHA-256 of the whole. What was fetched goes to a temporary folder and is removed.
 */
final class ModelCheck {
    private final ModelsConfig config;

    ModelCheck(ModelsConfig config) {
        this.config = config;
    }

    /**
     * @return what was seen
     * @throws KafkaException saying why, where the topics about models cannot be read
     */
    String run(Duration patience, List<Finding> found) throws IOException, InterruptedException {
        boolean checked = !config.trustedKeys().isEmpty();
        TrustedKeys trusted = checked ? TrustedKeys.of(config) : TrustedKeys.orUnsigned(List.<PublicKey>of());
        RegistryState state;
        try (ModelRegistryView view = ModelRegistryView.open(config, trusted)) {
            if (!view.awaitCaughtUp(patience))
                throw new KafkaException("the topics about models could not be read within " + patience.toMillis()
                        + " ms: " + view.obstacle());
            state = view.state();
        }
        Map<String, List<String>> needed = needed(state);
        if (needed.isEmpty()) return "nothing was decided for any channel yet";
        long bytes = 0;
        List<String> unsure = new ArrayList<>();
        Path folder = Files.createTempDirectory("linesight-doctor");
        try (CheckpointStores stores = CheckpointStores.open(config)) {
            for (Map.Entry<String, List<String>> e : needed.entrySet()) {
                String subject = e.getKey() + " (" + String.join(", ", e.getValue()) + ")";
                PublishedVersion version = state.version(e.getKey()).orElse(null);
                if (version == null) {
                    found.add(Finding.of(
                            Problem.CHECKPOINT_GONE,
                            subject,
                            "its manifest is not in " + config.topics().models().name()));
                    continue;
                }
                if (!version.verification().accepted())
                    found.add(Finding.of(
                            Problem.MODEL_UNTRUSTED,
                            subject,
                            version.verification().message()));
                ModelVersion manifest = version.manifest();
                try {
                    bytes += Files.size(stores.fetch(manifest, folder));
                } catch (CheckpointStoreException failed) {
                    switch (failed.reason()) {
                        case NO_SPACE, IO -> unsure.add(e.getKey() + " could not be looked at: " + failed.getMessage());
                        case REFUSED, MISSING, WRONG_SIZE, TAMPERED, UNREACHABLE ->
                            found.add(
                                    Finding.of(Problem.CHECKPOINT_GONE, subject, failed.getMessage(), mend(manifest)));
                    }
                } finally {
                    Files.deleteIfExists(folder.resolve(manifest.getSha256() + ".onnx"));
                }
            }
        } finally {
            Files.deleteIfExists(folder);
        }
        StringBuilder seen = new StringBuilder()
                .append(needed.size())
                .append(" of ")
                .append(state.versions().size())
                .append(" published versions in use; ")
                .append(bytes)
                .append(" bytes fetched and compared");
        if (!checked)
            seen.append("; signatures were not checked (")
                    .append(ModelsConfig.TRUSTED_KEYS)
                    .append(" is not set)");
        unsure.forEach(u -> seen.append("; ").append(u));
        return seen.toString();
    }

    /** Versions that a channel serves, tries or would go back to, with what each is needed for. */
    private static Map<String, List<String>> needed(RegistryState state) {
        Map<String, List<String>> needed = new LinkedHashMap<>();
        for (ChannelState channel : state.channels().values()) {
            if (channel.inForce().isEmpty()) continue;
            Rollout rollout = channel.inForce().get();
            need(needed, rollout.getChampion(), "champion of " + channel.channel());
            need(needed, rollout.getChallenger(), "challenger of " + channel.channel());
            need(needed, rollout.getPrevious(), "what " + channel.channel() + " would go back to");
        }
        return needed;
    }

    private static void need(Map<String, List<String>> needed, String versionOrNull, String why) {
        if (versionOrNull != null)
            needed.computeIfAbsent(versionOrNull, v -> new ArrayList<>()).add(why);
    }

    private static String mend(ModelVersion manifest) {
        return "Publish the same file again, which brings its bytes back (linesight models publish FILE, with --key if it was signed; its SHA-256 is "
                + manifest.getSha256() + "), or decide for another version (linesight models promote VERSION)";
    }
}
