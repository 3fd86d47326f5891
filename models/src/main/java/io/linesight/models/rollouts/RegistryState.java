package io.linesight.models.rollouts;

import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The registry at one moment. Immutable; the Avro records in it are shared and not to be changed.
 *
 * @param versions by version, those that lie in the models topic
 * @param channels by name, those that anything was ever decided for
 * @param statuses the latest of every instance about every version, in the order they came
 */
public record RegistryState(
        Map<String, PublishedVersion> versions, Map<String, ChannelState> channels, List<ModelStatus> statuses) {
    static final RegistryState EMPTY = new RegistryState(Map.of(), Map.of(), List.of());

    public RegistryState {
        versions = java.util.Collections.unmodifiableMap(new TreeMap<>(versions));
        channels = java.util.Collections.unmodifiableMap(new TreeMap<>(channels));
        statuses = List.copyOf(statuses);
    }

    /** The channel; without a decision in it where nothing was ever decided. */
    public ChannelState channel(String name) {
        return channels.getOrDefault(name, ChannelState.empty(name));
    }

    public Optional<PublishedVersion> version(@Nullable String version) {
        return version == null ? Optional.empty() : Optional.ofNullable(versions.get(version));
    }

    /** The newest status of every instance, by instance. */
    public Map<String, ModelStatus> latestStatus() {
        Map<String, ModelStatus> out = new TreeMap<>();
        statuses.forEach(s -> out.merge(s.getInstance(), s, (a, b) -> b.getAt().isBefore(a.getAt()) ? a : b));
        return out;
    }

    /**
     * Why a decision cannot be carried out here, although it counts: it names a version that is not in the registry or
     * whose manifest is not trusted here, or a newer program wrote it. Whether a record counts must be the same for
     * everybody and for ever; this may differ from place to place and change, so it never touches the history. Whoever
     * reads it keeps its champion, or starts with the previous one.
     */
    public Optional<String> objection(Rollout rollout) {
        if (rollout.getMode() == RolloutMode.UNKNOWN)
            return Optional.of("its mode is not known to this program, a newer one wrote it; update this one");
        Optional<String> champion = objection("champion", rollout.getChampion());
        return champion.isPresent() ? champion : objection("challenger", rollout.getChallenger());
    }

    private Optional<String> objection(String role, @Nullable String version) {
        if (version == null) return Optional.empty();
        PublishedVersion v = versions.get(version);
        if (v == null)
            return Optional.of(
                    "its " + role + " " + version + " is not in the registry; publish it again, or decide otherwise");
        return v.verification().accepted()
                ? Optional.empty()
                : Optional.of("its " + role + " " + version + " is not trusted here: "
                        + v.verification().message());
    }

    /** Which aliases of which channels name this version, for instance {@code line: champion}. */
    public List<String> aliases(String version) {
        List<String> out = new ArrayList<>();
        channels.values().forEach(c -> c.inForce().ifPresent(r -> {
            if (Objects.equals(version, r.getChampion())) out.add(c.channel() + ": champion");
            if (Objects.equals(version, r.getChallenger())) out.add(c.channel() + ": challenger");
            if (Objects.equals(version, r.getPrevious())) out.add(c.channel() + ": previous");
        }));
        return out;
    }

    /** Manifests, newest first. */
    public List<ModelVersion> newestFirst() {
        return versions.values().stream()
                .map(PublishedVersion::manifest)
                .sorted(Comparator.comparing(ModelVersion::getCreatedAt)
                        .thenComparing(ModelVersion::getVersion)
                        .reversed())
                .toList();
    }
}
