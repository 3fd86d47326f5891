package io.linesight.app.doctor;

import io.linesight.app.doctor.Check.NotApplicable;
import io.linesight.mmad.io.ProcessFolder;
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
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Whether every version that a channel uses can be fetched, by fetching it as an instance would: all chunks, their
 * length and the SHA-256 of the whole. The files go to a temporary folder and are removed.
 */
final class ModelCheck {
    private final ModelsConfig config;
    private final TrustedKeys trusted;
    private final long deadline;
    private long bytesFetched;
    private final List<String> unsure = new ArrayList<>();

    private ModelCheck(ModelsConfig config, long deadline) throws IOException {
        this.config = config;
        this.deadline = deadline;
        trusted = checksSignatures() ? TrustedKeys.of(config) : TrustedKeys.orUnsigned(List.<PublicKey>of());
    }

    /**
     * @param existing names of the topics that exist
     * @param deadline of the check, as {@link System#nanoTime}
     * @throws NotApplicable when the part does not use models, or something that it needs is missing
     */
    static ModelCheck of(DoctorOptions options, Set<String> existing, long deadline) throws IOException, NotApplicable {
        if (options.part() == Part.CAMERA) throw new NotApplicable("a camera does not use models");
        if (options.part() == Part.OPCUA) throw new NotApplicable("the OPC UA server does not use models");
        if (options.part() == Part.SERVE && !options.follows())
            throw new NotApplicable("without linesight.models.trusted.keys, serve does not follow a channel");
        Topics t = options.topics();
        for (TopicSpec topic : List.of(t.models(), t.modelChunks(), t.rollouts(), t.modelStatus())) {
            if (!existing.contains(topic.name())) throw new NotApplicable("there is no topic " + topic.name());
        }
        options.requireRegistry("nothing that was published can be read");
        try {
            Map<String, Object> settings = new HashMap<>(options.settings());
            long timeout = Duration.ofNanos(deadline - System.nanoTime()).toMillis() / 2;
            settings.put(ModelsConfig.TIMEOUT_MS, "" + Math.max(500, timeout));
            return new ModelCheck(ModelsConfig.of(settings), deadline);
        } catch (IllegalArgumentException e) {
            throw new NotApplicable(e.getMessage());
        }
    }

    private boolean checksSignatures() {
        return !config.trustedKeys().isEmpty();
    }

    /**
     * Fetches what is in use.
     *
     * @return what was seen
     * @throws NotApplicable when the topics about models cannot be read
     */
    String run(List<Finding> found) throws IOException, InterruptedException, NotApplicable {
        try {
            RegistryState state = readState(Duration.ofNanos(Math.max(1_000_000, deadline - System.nanoTime()) / 2));
            Map<String, List<String>> needed = neededVersions(state);
            if (needed.isEmpty()) return "no channel has a decision yet";
            checkVersions(state, needed, found);
            return summary(needed.size(), state.versions().size());
        } catch (IllegalArgumentException | KafkaException e) {
            throw new NotApplicable(e.getMessage());
        }
    }

    private void checkVersions(RegistryState state, Map<String, List<String>> needed, List<Finding> found)
            throws IOException, InterruptedException {
        Path folder = ProcessFolder.create("doctor-");
        try (CheckpointStores stores = CheckpointStores.open(config)) {
            for (Map.Entry<String, List<String>> e : needed.entrySet()) {
                String subject = e.getKey() + " (" + String.join(", ", e.getValue()) + ")";
                Optional<PublishedVersion> version = state.version(e.getKey());
                if (version.isPresent()) checkVersion(version.get(), subject, stores, folder, found);
                else
                    found.add(Finding.of(
                            Problem.CHECKPOINT_GONE,
                            subject,
                            "its manifest is not in " + config.topics().models().name()));
            }
        } finally {
            Files.deleteIfExists(folder);
        }
    }

    private RegistryState readState(Duration timeout) throws InterruptedException, IOException {
        try (ModelRegistryView view = ModelRegistryView.open(config, trusted)) {
            if (!view.awaitCaughtUp(timeout))
                throw new KafkaException("the topics about models could not be read within " + timeout.toMillis()
                        + " ms: " + view.obstacle());
            return view.state();
        }
    }

    private void checkVersion(
            PublishedVersion version, String subject, CheckpointStores stores, Path folder, List<Finding> found)
            throws IOException, InterruptedException {
        if (!version.verification().accepted())
            found.add(Finding.of(
                    Problem.MODEL_UNTRUSTED, subject, version.verification().message()));
        ModelVersion manifest = version.manifest();
        try {
            bytesFetched += Files.size(stores.fetch(manifest, folder));
        } catch (CheckpointStoreException e) {
            switch (e.reason()) {
                case NO_SPACE, IO -> unsure.add(manifest.getVersion() + " could not be checked: " + e.getMessage());
                case REJECTED, MISSING, WRONG_SIZE, TAMPERED, UNREACHABLE ->
                    found.add(Finding.of(Problem.CHECKPOINT_GONE, subject, e.getMessage(), fix(manifest)));
            }
        } finally {
            Files.deleteIfExists(folder.resolve(manifest.getSha256() + ".onnx"));
        }
    }

    private String summary(int needed, int published) {
        StringBuilder text = new StringBuilder()
                .append(needed)
                .append(" of ")
                .append(published)
                .append(" published versions in use; ")
                .append(bytesFetched)
                .append(" bytes fetched and compared");
        if (!checksSignatures())
            text.append("; signatures were not checked (")
                    .append(ModelsConfig.TRUSTED_KEYS)
                    .append(" is not set)");
        unsure.forEach(u -> text.append("; ").append(u));
        return text.toString();
    }

    /** Versions that a channel serves, tries or could roll back to, with what each is needed for. */
    private static Map<String, List<String>> neededVersions(RegistryState state) {
        Map<String, List<String>> needed = new LinkedHashMap<>();
        for (ChannelState channel : state.channels().values()) {
            if (channel.inForce().isEmpty()) continue;
            Rollout rollout = channel.inForce().get();
            need(needed, rollout.getChampion(), "champion of " + channel.channel());
            need(needed, rollout.getChallenger(), "challenger of " + channel.channel());
            need(needed, rollout.getPrevious(), "rollback target of " + channel.channel());
        }
        return needed;
    }

    private static void need(Map<String, List<String>> needed, @Nullable String version, String why) {
        if (version != null)
            needed.computeIfAbsent(version, v -> new ArrayList<>()).add(why);
    }

    private static String fix(ModelVersion manifest) {
        return "Publish the same file again, which restores its bytes (linesight models publish FILE, with --key if "
                + "it was signed; its SHA-256 is "
                + manifest.getSha256() + "), or decide for another version (linesight models promote VERSION)";
    }
}
