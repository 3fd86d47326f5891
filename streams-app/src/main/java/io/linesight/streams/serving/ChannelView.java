package io.linesight.streams.serving;

import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is known about the channel at one moment; immutable.
 *
 * @param rollout decision in force; null while there has never been one
 * @param champions the versions that decisions made champion lately, the newest first
 * @param manifests of the versions that matter, where they are known
 */
record ChannelView(@Nullable Rollout rollout, List<String> champions, Map<String, ModelVersion> manifests) {

    /** Max former champions that a start tries when the one in force is rejected. */
    static final int MAX_STAND_INS = 5;

    /** Nothing is known. */
    static final ChannelView EMPTY = new ChannelView(null, List.of(), Map.of());

    ChannelView {
        champions = List.copyOf(champions);
        manifests = Map.copyOf(manifests);
    }

    /** Reads what the feed knows now; does not block. */
    static ChannelView of(RolloutFeed feed) {
        Rollout rollout = feed.current().orElse(null);
        List<String> champions =
                feed.champions().stream().limit(MAX_STAND_INS + 1).toList();
        Set<String> versions = new LinkedHashSet<>(champions);
        if (rollout != null) {
            versions.add(rollout.getChampion());
            versions.add(rollout.getChallenger());
        }
        versions.remove(null);
        Map<String, ModelVersion> manifests = new HashMap<>();
        for (String version : versions) feed.version(version).ifPresent(m -> manifests.put(version, m));
        return new ChannelView(rollout, champions, manifests);
    }

    /** Revision of the decision in force; 0 for none. */
    long revision() {
        return rollout == null ? 0 : rollout.getRevision();
    }

    /** The champion that is decided for; null when the checkpoint file is to serve. */
    @Nullable
    String champion() {
        return rollout == null ? null : rollout.getChampion();
    }

    /** The challenger that is decided for; null when none is to be used. */
    @Nullable
    String challenger() {
        if (rollout == null) return null;
        boolean used = rollout.getMode() == RolloutMode.SHADOW || rollout.getMode() == RolloutMode.CANARY;
        String challenger = rollout.getChallenger();
        return used && challenger != null && !challenger.equals(rollout.getChampion()) ? challenger : null;
    }

    /** The manifest of a version; null when it is unknown, or not read yet. */
    @Nullable
    ModelVersion manifest(String version) {
        return manifests.get(version);
    }

    /**
     * Whether a model is what a decision calls {@code version}. The checkpoint file may be the one that is published;
     * then there is nothing to load.
     *
     * @param version null for the checkpoint file
     */
    boolean isModel(@Nullable HeldModel model, @Nullable String version) {
        if (model == null) return false;
        if (version == null) return model.fromFile();
        if (!model.version().equals(version)) return false;
        if (!model.fromFile()) return true;
        ModelVersion manifest = manifest(version);
        return manifest != null && manifest.getSha256().equalsIgnoreCase(model.sha256());
    }
}
