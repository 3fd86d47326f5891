package io.linesight.streams.serving;

/**
 * Asks for a decision on behalf of a guard. Called from the lifecycle's thread; may block and may fail, it is tried
 * again then.
 */
@FunctionalInterface
public interface RolloutDecision {

    /** What to ask for. */
    enum Action {
        /** The challenger is to be taken back; the champion stays. */
        WITHDRAW,
        /** The champion is to be replaced by the one before it. */
        ROLLBACK
    }

    /**
     * @param basedOn revision in which the guard tripped; when another one is in force meanwhile nothing is to be done,
     *     since of two decisions at once the first wins
     * @param version the version not to be used any more
     * @param reason for people: which limit, and the figures
     */
    void ask(Action action, long basedOn, String version, String reason) throws Exception;
}
