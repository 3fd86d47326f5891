package io.linesight.trainer.learning;

/**
 * Something that happened, for people and for whoever waits for it.
 *
 * @param kind what sort of thing
 * @param run the training run it belongs to; empty for none
 * @param message one line
 */
public record TrainerEvent(Kind kind, String run, String message) {
    public enum Kind {
        /** This trainer is the one that works, or takes labels in again after waiting. */
        WORKING,
        /** Another one works, or nobody can tell at the moment. */
        STANDBY,
        /**
         * Labels or a run wait for something outside: room on the disk, Kafka, the registry, whoever takes challengers.
         * Nothing is lost, the message says when it goes on, and it does so by itself.
         */
        WAITING,
        /** Labels were taken in. */
        LABELS,
        /** A run begins, or goes on after a restart or a rest. */
        RUN_STARTED,
        /** A stage of a run is done. */
        STAGE_DONE,
        /** The gate has spoken. */
        VERDICT,
        /** A run is over and its challenger handed over. */
        RUN_FINISHED,
        /** A run was given up; the message says why and what comes next. */
        RUN_FAILED
    }
}
