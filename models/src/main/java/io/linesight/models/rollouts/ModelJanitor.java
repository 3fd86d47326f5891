package io.linesight.models.rollouts;

import io.linesight.models.storage.AbandonedUpload;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Removes unused versions: manifest first, so that no instance starts to fetch, then the bytes, unless a version that
 * stays has the same. Run it from one place at a time. Owns nothing.
 */
public final class ModelJanitor {
    private final ModelRegistry registry;
    private final ModelRegistryView view;
    private final CheckpointStores stores;
    private final Duration timeout;
    private final Clock clock;

    public ModelJanitor(ModelRegistry registry, ModelRegistryView view, CheckpointStores stores, Duration timeout) {
        this(registry, view, stores, timeout, Clock.systemUTC());
    }

    ModelJanitor(
            ModelRegistry registry, ModelRegistryView view, CheckpointStores stores, Duration timeout, Clock clock) {
        this.registry = registry;
        this.view = view;
        this.stores = stores;
        this.timeout = timeout;
        this.clock = clock;
    }

    /**
     * One version and whether it was removed.
     *
     * @param removed whether the manifest was removed, or would be
     * @param bytes that were given back, or would be; 0 where a version that stays has the same
     * @param why for people
     */
    public record Outcome(ModelVersion manifest, boolean removed, long bytes, String why) {}

    /**
     * Removes versions that no alias of any channel names, that no instance has in use, that are older than
     * {@code minimumAge} and not among the newest {@code keepPerChannel} of their channel.
     *
     * @param dryRun report what would be removed, and remove nothing
     * @return every version, newest first
     * @throws CheckpointStoreException UNREACHABLE if broker or registry are unavailable. What was removed before stays
     *     removed; calling again continues
     */
    public List<Outcome> collect(int keepPerChannel, Duration minimumAge, boolean dryRun)
            throws CheckpointStoreException, InterruptedException {
        if (keepPerChannel < 0) throw new IllegalArgumentException("keepPerChannel is " + keepPerChannel);
        catchUp();
        RegistryState state = view.state();
        Instant before = clock.instant().minus(minimumAge);
        List<Outcome> out = new ArrayList<>();
        List<ModelVersion> doomed = new ArrayList<>();
        Map<String, Integer> ranks = new HashMap<>();
        for (ModelVersion m : state.newestFirst()) {
            int rank = ranks.merge(m.getChannel(), 1, Integer::sum);
            String needed = needed(state, m, before);
            if (needed == null && rank <= keepPerChannel)
                needed = "among the newest " + keepPerChannel + " of its channel";
            if (needed == null && m.getCreatedAt().isAfter(before)) needed = "not old enough";
            if (needed != null) out.add(new Outcome(m, false, 0, needed));
            else doomed.add(m);
        }
        Set<String> kept = out.stream().map(o -> o.manifest().getSha256()).collect(Collectors.toSet());
        for (int i = 0; i < doomed.size(); i++) {
            ModelVersion m = doomed.get(i);
            out.add(dryRun ? preview(m, isShared(m, kept, doomed.subList(i + 1, doomed.size()))) : remove(m, before));
        }
        return out;
    }

    /** Of doomed versions with the same content, the last one takes the bytes with it. */
    private static boolean isShared(ModelVersion m, Set<String> kept, List<ModelVersion> later) {
        return kept.contains(m.getSha256())
                || later.stream().anyMatch(other -> other.getSha256().equals(m.getSha256()));
    }

    private static Outcome preview(ModelVersion m, boolean shared) {
        return shared
                ? new Outcome(m, true, 0, "would be removed; another version has the same bytes, they would stay")
                : new Outcome(m, true, m.getBytes(), "would be removed");
    }

    /** Why it must stay whatever its age; null if it need not. */
    private static @Nullable String needed(RegistryState state, ModelVersion m, Instant before) {
        List<String> aliases = state.aliases(m.getVersion());
        if (!aliases.isEmpty()) return "named by " + String.join(", ", aliases);
        for (ModelStatus s : state.statuses()) {
            boolean inUse = s.getState() == ModelState.LOADING
                    || s.getState() == ModelState.WARM
                    || s.getState() == ModelState.ACTIVE;
            // A killed instance never reports that it stopped, so an old status does not count.
            if (inUse && s.getVersion().equals(m.getVersion()) && s.getAt().isAfter(before))
                return "in use by " + s.getInstance();
        }
        return null;
    }

    private Outcome remove(ModelVersion m, Instant before) throws CheckpointStoreException, InterruptedException {
        registry.remove(m.getVersion());
        catchUp();
        RegistryState state = view.state();
        String needed = needed(state, m, before);
        if (needed != null) {
            // Somebody chose it while we were at it; its bytes are still there.
            registry.publish(m);
            return new Outcome(m, false, 0, needed + " since a moment ago");
        }
        for (ModelStatus s : state.statuses()) {
            if (s.getVersion().equals(m.getVersion())) registry.forget(s);
        }
        if (state.versions().values().stream()
                .anyMatch(v -> v.manifest().getSha256().equals(m.getSha256())))
            return new Outcome(m, true, 0, "removed; another version has the same bytes, they stay");
        try {
            stores.delete(m);
        } catch (CheckpointStoreException e) {
            return new Outcome(m, true, 0, "removed, but its bytes are still there: " + e.getMessage());
        }
        catchUp();
        String hurt = view.state().versions().values().stream()
                .map(PublishedVersion::manifest)
                .filter(v -> v.getSha256().equals(m.getSha256()))
                .map(ModelVersion::getVersion)
                .collect(Collectors.joining(", "));
        return new Outcome(
                m,
                true,
                m.getBytes(),
                hurt.isEmpty()
                        ? "removed"
                        : "removed, but " + hurt
                                + " with the same bytes was published at this very moment: publish it again");
    }

    /**
     * Removes what uploads that were cut off left in Kafka. Reads the whole chunk topic.
     *
     * @param minimumAge of the newest chunk; an upload that is in progress must not be caught, so never less than the
     *     longest upload takes
     */
    public List<AbandonedUpload> collectUploads(Duration minimumAge, boolean dryRun)
            throws CheckpointStoreException, InterruptedException {
        catchUp();
        Set<String> named = view.state().versions().values().stream()
                .map(v -> v.manifest().getSha256())
                .collect(Collectors.toCollection(TreeSet::new));
        List<AbandonedUpload> found =
                stores.abandonedUploads(named, clock.instant().minus(minimumAge));
        if (dryRun || found.isEmpty()) return found;
        catchUp(); // reading took a while
        view.state().versions().values().forEach(v -> named.add(v.manifest().getSha256()));
        List<AbandonedUpload> removed = new ArrayList<>();
        for (AbandonedUpload u : found) {
            if (named.contains(u.sha256())) continue;
            stores.delete(u);
            removed.add(u);
        }
        return removed;
    }

    private void catchUp() throws CheckpointStoreException, InterruptedException {
        if (!view.awaitCaughtUp(timeout)) {
            throw new CheckpointStoreException(
                    Reason.UNREACHABLE,
                    "which versions are needed cannot be seen: " + view.obstacle()
                            + "; nothing more was removed. Try again when that is fixed");
        }
    }
}
