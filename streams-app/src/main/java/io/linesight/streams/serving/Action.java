package io.linesight.streams.serving;

import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelVersion;
import org.jspecify.annotations.Nullable;

/** What the reconciler wants done. */
sealed interface Action {

    /** Done at once, together with the change of state; never blocks. */
    sealed interface Immediate extends Action {}

    /** Done by the worker, in the order given; may block. */
    sealed interface Deferred extends Action {}

    /**
     * The model decides from the next batch on.
     *
     * @param replaced the champion before; null at the start
     */
    record PutChampion(HeldModel model, @Nullable HeldModel replaced) implements Immediate {}

    /** The model scores what is meant for the challenger from the next batch on. */
    record PutChallenger(HeldModel model) implements Immediate {}

    /** Nothing more is meant for the challenger. */
    record ClearChallenger() implements Immediate {}

    /** A guard has taken a version out of service. */
    record Withdraw(String version, String reason) implements Immediate {}

    /**
     * Reports a model as LOADING and loads it, if it is still wanted. The reconciler is told the outcome.
     *
     * @param version to load; null for the checkpoint file
     * @param manifest of the version; null for the checkpoint file, or where there is none
     * @param role that the model is for
     * @param revision decision that asks for it; 0 for none
     */
    record Load(@Nullable String version, @Nullable ModelVersion manifest, ModelRole role, long revision)
            implements Deferred {

        /** For people, and as a key: the version, or what a checkpoint file is called. */
        String name() {
            return version == null ? CHECKPOINT_FILE : version;
        }
    }

    /** Gives a model back: it is closed after its last batch. The state and the reason are reported. */
    record Release(HeldModel model, ModelState state, String reason, long revision) implements Deferred {}

    /**
     * Publishes what a version does here.
     *
     * @param model null when it is not in memory
     */
    record Report(
            String version,
            @Nullable HeldModel model,
            ModelRole role,
            ModelState state,
            @Nullable String reason,
            long revision,
            long pauseMicros)
            implements Deferred {

        static Report of(HeldModel model, ModelRole role, ModelState state, @Nullable String reason, long revision) {
            return new Report(model.version(), model, role, state, reason, revision, 0);
        }
    }

    /**
     * A model cannot be served: counted, logged and reported.
     *
     * @param version as {@link Load#name}
     * @param serving version that keeps serving; null when none serves
     */
    record Reject(
            String version,
            ModelRole role,
            String reason,
            long revision,
            @Nullable String serving,
            @Nullable Throwable cause)
            implements Deferred {

        static Reject of(Load load, String reason, @Nullable String serving, @Nullable Throwable cause) {
            return new Reject(load.name(), load.role(), reason, load.revision(), serving, cause);
        }
    }

    /** The champion cannot be had yet; it is retried soon. */
    record AwaitChampion(String version, String reason) implements Deferred {}

    /** A former champion serves in place of one that was rejected at the start. */
    record StandIn(String version, String rejected) implements Deferred {}

    /** Asks for a decision; the answer is told to the reconciler. */
    record AskDecision(GuardRequest request) implements Deferred {}

    /** There is no model to start with. */
    record FailStart(String message, @Nullable Throwable cause) implements Deferred {}

    String CHECKPOINT_FILE = "checkpoint file";
}
