package io.linesight.streams.serving;

import io.linesight.schemas.Rollout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an instance serves and has tried; immutable. Times are readings of the monotonic clock ({@link Moment#nanos}).
 *
 * @param champion decides; null before the start
 * @param challenger scores beside the champion, or decides selected frames
 * @param spare the champion before, kept during the probation of its successor
 * @param spareUntil when the spare is no longer needed
 * @param ready loaded, and waiting for its turn to become champion
 * @param rollout decision that is followed
 * @param failures why a version is not tried at the moment, by its name
 * @param missingSince since when the manifest of a version is awaited
 * @param distrusted what a guard took out of service
 * @param requests decisions to ask for, the oldest first
 * @param requestAt when the next one may be asked for; 0 for now
 * @param startUp null once the first champion serves
 */
record ServingState(
        @Nullable HeldModel champion,
        @Nullable HeldModel challenger,
        @Nullable HeldModel spare,
        long spareUntil,
        @Nullable HeldModel ready,
        @Nullable Rollout rollout,
        Map<String, Failure> failures,
        Map<String, Long> missingSince,
        @Nullable Distrusted distrusted,
        List<GuardRequest> requests,
        long requestAt,
        @Nullable StartUp startUp) {

    /**
     * A version that could not be served under a decision.
     *
     * @param times attempts so far
     * @param retryAt earliest next attempt; meaningless for a permanent failure
     * @param permanent not to be tried again under this decision
     */
    record Failure(long revision, int times, long retryAt, boolean permanent) {}

    /** A version that is not to be used under a decision. */
    record Distrusted(String version, long revision) {}

    /**
     * The search for the first champion.
     *
     * @param deadline until when a champion that is not available is retried
     * @param rejection why the decided champion is not served; null while it is tried
     * @param revision decision that the rejection belongs to
     * @param tried names of the stand-ins that were rejected as well
     */
    record StartUp(long deadline, @Nullable Rejection rejection, long revision, List<String> tried) {
        StartUp {
            tried = List.copyOf(tried);
        }
    }

    ServingState {
        failures = Map.copyOf(failures);
        missingSince = Map.copyOf(missingSince);
        requests = List.copyOf(requests);
    }

    /** Nothing in memory; a champion is searched until the deadline. */
    static ServingState starting(long deadline) {
        StartUp startUp = new StartUp(deadline, null, 0, List.of());
        return new ServingState(null, null, null, 0, null, null, Map.of(), Map.of(), null, List.of(), 0, startUp);
    }

    boolean isStarting() {
        return startUp != null;
    }

    /** The part that others see. */
    ServingPlan plan() {
        return new ServingPlan(
                rollout,
                champion == null ? null : champion.version(),
                challenger == null ? null : challenger.version());
    }

    /** Every model that is in memory on behalf of this instance. */
    List<HeldModel> models() {
        List<HeldModel> models = new ArrayList<>(4);
        for (HeldModel model : new HeldModel[] {champion, challenger, spare, ready})
            if (model != null) models.add(model);
        return models;
    }

    /** The same without any model. */
    ServingState withoutModels() {
        return new ServingState(
                null, null, null, 0, null, rollout, failures, missingSince, distrusted, requests, requestAt, startUp);
    }
}
