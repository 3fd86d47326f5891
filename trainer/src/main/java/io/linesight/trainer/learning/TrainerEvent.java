package io.linesight.trainer.learning;

/**
 * Something that happened, for logs and for programs that wait for it.
 *
 * @param kind what sort of thing
 * @param run the training run it belongs to; empty for none
 * @param message one line
 */
public record TrainerEvent(Kind kind, String run, String message) {
    public enum Kind {
        /** This trainer is the active one, or stores labels again after waiting. */
        WORKING,
        /** Another trainer is active, or the group is rebalancing. */
        STANDBY,
        /**
         * Labels or a run wait for something outside: space on the disk, Kafka, the registry, the sink of challengers.
         * Nothing is lost; work resumes by itself, and the message says when.
         */
        WAITING,
        /** Labels were stored. */
        LABELS,
        /** A run starts, or resumes after an interruption. */
        RUN_STARTED,
        /** A stage of a run is done. */
        STAGE_DONE,
        /** The gate has judged a challenger. */
        VERDICT,
        /** A run is over and its challenger handed over. */
        RUN_FINISHED,
        /** A run was given up; the message says why and what comes next. */
        RUN_FAILED
    }
}
