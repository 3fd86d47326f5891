package io.linesight.trainer.learning;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Whether this trainer is the active one of its consumer group. Every time it becomes active the lease gets a new
 * number, so that a run of an earlier lease knows that it is over.
 *
 * <p>Threads: the loop thread acquires, releases and answers; any thread may ask.
 */
final class Lease {
    private static final long CONFIRM_SECONDS = 60;

    private final ConcurrentLinkedQueue<Question> questions = new ConcurrentLinkedQueue<>();
    /** 0 while another trainer is active. */
    private volatile long number;

    private long last;

    private record Question(long lease, CompletableFuture<Boolean> answer) {}

    /** Whether the broker accepts this member's generation. */
    enum Acceptance {
        ACCEPTED,
        REJECTED,
        /** In the middle of a rebalance nobody can tell. */
        UNKNOWN
    }

    void acquire() {
        number = ++last;
    }

    void release() {
        number = 0;
    }

    boolean isHeld() {
        return number != 0;
    }

    /** Number of the lease that is held; 0 for none. */
    long number() {
        return number;
    }

    boolean isCurrent(long lease) {
        return lease != 0 && lease == number;
    }

    /** Asks the broker, on the loop thread, whether this lease is still valid; waits for the answer. */
    boolean confirm(long lease) {
        Question question = new Question(lease, new CompletableFuture<>());
        questions.add(question);
        try {
            return question.answer.get(CONFIRM_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }

    /**
     * Answers all questions.
     *
     * @param commit asks the broker; called once for every question about the current lease
     */
    void answer(Supplier<Acceptance> commit) {
        List<Question> undecided = new ArrayList<>();
        for (Question question; (question = questions.poll()) != null; ) {
            Acceptance acceptance = isCurrent(question.lease) ? commit.get() : Acceptance.REJECTED;
            if (acceptance == Acceptance.UNKNOWN) undecided.add(question);
            else question.answer.complete(acceptance == Acceptance.ACCEPTED);
        }
        questions.addAll(undecided);
    }

    /** Releases the lease and answers all questions with no. */
    void close() {
        release();
        for (Question question; (question = questions.poll()) != null; ) question.answer.complete(false);
    }
}
