package io.linesight.streams.serving;

import io.linesight.mmad.score.Scorer;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Where a batcher finds its model. Models are swapped between batches: the batch that runs ends with the model it began
 * with, the next one takes the new model, and the old one is closed when its last batch is done. Neither side ever
 * waits for the other.
 *
 * <p>Why no model is ever used after it was closed: the slot holds a reference of its own, and a borrower adds one
 * before it scores. A borrower that read the slot just before a swap may find the reference count at zero; it then
 * reads the slot again. A count never leaves zero. Lock-free and thread-safe; {@code ModelSlotExhaustiveTest} runs
 * every order of steps.
 */
final class ModelSlot implements ServingModel, AutoCloseable {

    /** What the slot holds, compared by identity. */
    private record Content(@Nullable LoadedModel model) {}

    private static final Content EMPTY = new Content(null);
    private static final Content CLOSED = new Content(null);

    private final AtomicReference<Content> content = new AtomicReference<>(EMPTY);
    private final Turn turn;

    /** An empty slot. */
    ModelSlot() {
        this(Turn.NONE);
    }

    ModelSlot(Turn turn) {
        this.turn = turn;
    }

    @Override
    public Lease acquire() {
        Lease lease = tryAcquire();
        if (lease == null)
            throw new IllegalStateException(
                    "there is no model to score with: the app is stopping, and the frames are scored after the "
                            + "next start");
        return lease;
    }

    /** As {@link #acquire}; null when the slot is empty or closed. */
    @Nullable
    Lease tryAcquire() {
        while (true) {
            turn.next(content);
            LoadedModel model = content.get().model;
            if (model == null) return null;
            if (model.tryRetain()) return new HeldLease(model);
        }
    }

    /**
     * Lends this slot's model while it has one and the other's otherwise: frames that were meant for a challenger that
     * has just been withdrawn are scored by the champion.
     */
    public ServingModel orElse(ServingModel other) {
        Objects.requireNonNull(other, "other");
        return () -> {
            Lease own = tryAcquire();
            return own != null ? own : other.acquire();
        };
    }

    /** Version of the model inside. */
    public Optional<String> version() {
        LoadedModel model = content.get().model;
        return model == null ? Optional.empty() : Optional.of(model.version());
    }

    /**
     * Puts a model in; the one inside goes when its last batch is done. The caller holds a reference of the new model
     * during the call and keeps it.
     *
     * @return false when the slot is closed; the model is then not in it
     */
    boolean swap(LoadedModel model) {
        if (!model.tryRetain()) throw new IllegalStateException("model " + model.version() + " is closed already");
        if (replace(new Content(model))) return true;
        model.release();
        return false;
    }

    /** Takes the model out, if there is one. */
    void clear() {
        replace(EMPTY);
    }

    /** Takes the model out for good. Idempotent; a batch that is running keeps its model until it is done. */
    @Override
    public void close() {
        replace(CLOSED);
    }

    private boolean replace(Content next) {
        while (true) {
            turn.next(content);
            Content now = content.get();
            if (now == CLOSED) return false;
            turn.next(content);
            if (content.compareAndSet(now, next)) {
                if (now.model != null) now.model.release();
                return true;
            }
        }
    }

    private static final class HeldLease implements Lease {
        private final LoadedModel model;
        private final AtomicBoolean given = new AtomicBoolean();

        private HeldLease(LoadedModel model) {
            this.model = model;
        }

        @Override
        public Scorer scorer() {
            if (given.get())
                throw new IllegalStateException("this lease of model " + model.version() + " has been given back");
            return model.lent();
        }

        @Override
        public void close() {
            if (given.compareAndSet(false, true)) model.release();
        }
    }
}
