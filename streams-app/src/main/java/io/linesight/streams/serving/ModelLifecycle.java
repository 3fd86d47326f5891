package io.linesight.streams.serving;

import io.linesight.mmad.score.Scorer;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.clients.DaemonThreads;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one instance follow the decisions of its channel: loads what they name, swaps it in between batches, and
 * reports what it did.
 *
 * <p>{@link ServingReconciler} decides what to do; this class keeps the state and carries the actions out. All loading
 * is on one thread of its own; the newest decision wins, and a load that it no longer names is cancelled at its next
 * step. A version that cannot be served is REJECTED with a reason and the model in service stays; what may pass (a
 * store that does not answer) is retried with growing backoff, everything else when a new decision names it again. In
 * memory are at most two models and the one being loaded: champion and challenger, or, for a while after a promotion,
 * the champion and the one before it, to which {@link #distrust} can return at once.
 *
 * <p>Rolling: with a stagger, an instance waits {@code rank * stagger} from the decision before it swaps its champion,
 * so that instances swap one after another. The rank is the number at the end of the instance's name ({@code line-3}:
 * 3), modulo 64, and without one a hash of the name modulo 8; two instances may then swap together. A rollback does not
 * wait, nor does a starting instance.
 *
 * <p>Life: construct, {@link #start}, {@link #stop}, {@link #close}. Thread-safe.
 */
public final class ModelLifecycle implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ModelLifecycle.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
    private static final long MAX_WAIT_MILLIS = 60_000;
    private static final String STOPPED = "the instance stopped";

    /**
     * Who this instance is.
     *
     * @param name the same after a restart, different from every other instance of the channel
     * @param channel whose decisions it follows
     * @param stagger pause between the swaps of two instances; zero for none
     * @param probation how long the champion before stays in memory after a promotion; zero for not at all
     */
    public record Identity(String name, String channel, Duration stagger, Duration probation) {}

    /**
     * Whom the lifecycle calls; all from its own thread, but {@code events}.
     *
     * @param statuses told every change of state
     * @param decision asked when a guard tripped
     * @param events counts what happens
     */
    public record Callbacks(StatusPublisher statuses, RolloutDecision decision, ModelEvents events) {}

    private final RolloutFeed feed;
    private final ModelLoader loader;
    private final @Nullable Supplier<Scorer> file;
    private final RolloutDecision decision;
    private final ModelEvents events;
    private final StatusReporter reporter;
    private final ServingReconciler reconciler;
    private final Supplier<Moment> clock;
    private final LoadedModels models = new LoadedModels();
    private final ModelSlot championSlot = new ModelSlot();
    private final ModelSlot challengerSlot = new ModelSlot();
    private final Thread worker;
    private final CompletableFuture<Void> started = new CompletableFuture<>();

    private volatile ServingPlan plan = new ServingPlan(null, null, null);
    private volatile boolean stopping;
    private volatile RolloutFeed.@Nullable Subscription subscription;

    // Guarded by this.
    private ServingState state = ServingState.starting(0);
    private boolean dirty = true;
    private long wakeAt = Long.MAX_VALUE;
    private final Deque<Action.Deferred> pending = new ArrayDeque<>();

    /**
     * @param feed must have read what there was when {@link #start} is called
     * @param file opens the checkpoint that serves while no decision names a champion; null when there is none. What it
     *     opens is closed here
     */
    public ModelLifecycle(
            Identity identity,
            RolloutFeed feed,
            ModelLoader loader,
            @Nullable Supplier<Scorer> file,
            Callbacks callbacks) {
        this(identity, feed, loader, file, callbacks, Moment::now);
    }

    ModelLifecycle(
            Identity identity,
            RolloutFeed feed,
            ModelLoader loader,
            @Nullable Supplier<Scorer> file,
            Callbacks callbacks,
            Supplier<Moment> clock) {
        this.feed = Objects.requireNonNull(feed, "feed");
        this.loader = Objects.requireNonNull(loader, "loader");
        this.file = file;
        this.decision = Objects.requireNonNull(callbacks.decision, "decision");
        this.events = Objects.requireNonNull(callbacks.events, "events");
        this.clock = clock;
        reporter = new StatusReporter(identity, Objects.requireNonNull(callbacks.statuses, "statuses"));
        reconciler = new ServingReconciler(identity, file != null);
        worker = DaemonThreads.create("linesight-models", this::run);
    }

    /** What the champion's batcher scores with. */
    public ServingModel championModel() {
        return championSlot;
    }

    ModelSlot championSlot() {
        return championSlot;
    }

    /** What the challenger's batcher scores with; the champion where there is no challenger. */
    public ServingModel challengerModel() {
        return challengerSlot.orElse(championSlot);
    }

    /** What this instance does now. */
    public ServingPlan plan() {
        return plan;
    }

    /** Inference time per frame of the champion in its warm-up; 0 before the start. */
    public synchronized long frameNanos() {
        HeldModel champion = state.champion();
        return champion == null ? 0 : models.get(champion).frameNanos();
    }

    /** The device that the champion runs on; empty text before the start. */
    public synchronized String device() {
        HeldModel champion = state.champion();
        return champion == null ? "" : models.get(champion).device();
    }

    /**
     * Loads the champion and returns when it is ready for frames; a challenger follows in the background.
     *
     * @param timeout how long a champion that is not available is retried; a load in progress is not cut short
     * @throws IllegalStateException saying why there is no model to serve; everything is closed then
     */
    public void start(Duration timeout) {
        synchronized (this) {
            state = ServingState.starting(clock.get().plus(timeout));
        }
        subscription = feed.listen(this::wake);
        worker.start();
        try {
            started.get();
        } catch (ExecutionException e) {
            close(Duration.ofSeconds(10));
            Throwable cause = e.getCause();
            String message = cause.getMessage();
            throw new IllegalStateException(message != null ? message : cause.toString(), cause);
        } catch (InterruptedException e) {
            close(Duration.ofSeconds(10));
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the model was loaded", e);
        }
    }

    /** Has the worker look again; returns at once. */
    synchronized void wake() {
        dirty = true;
        notifyAll();
    }

    /** A batcher has begun to score with another model; see {@code BatchListener.onModel}. Returns at once. */
    public synchronized void firstBatch(String version, long pauseNanos) {
        HeldModel champion = state.champion();
        if (champion == null || !champion.version().equals(version) || stopping) return;
        pending.add(new Action.Report(
                version, champion, ModelRole.CHAMPION, ModelState.ACTIVE, null, plan.revision(), pauseNanos / 1000));
        notifyAll();
    }

    /**
     * Takes a model out of service at once, because a guard tripped: a challenger decides and scores no more; a
     * champion gives way to the one before it, if that is still in memory, and keeps serving otherwise. Then asks for
     * the decision that makes it so everywhere.
     *
     * @param revision the decision under which the figures were gathered
     * @return false when that decision or that model is no longer in force, so that there is nothing to do
     */
    public synchronized boolean distrust(long revision, String version, String reason) {
        if (stopping) return false;
        Step step = reconciler.distrust(state, revision, version, reason);
        if (step == null) return false;
        apply(step);
        wake();
        return true;
    }

    // --- the worker

    private void run() {
        try {
            while (awaitWork()) runOnce();
            started.completeExceptionally(new IllegalStateException("the app was stopped while its model was loaded"));
        } catch (Throwable e) {
            started.completeExceptionally(e);
        } finally {
            carryOutReports();
        }
    }

    private synchronized boolean awaitWork() {
        while (!stopping && !dirty && pending.isEmpty()) {
            long left = wakeAt - clock.get().nanos();
            if (left <= 0) break;
            try {
                wait(Math.min(left / 1_000_000 + 1, MAX_WAIT_MILLIS));
            } catch (InterruptedException e) {
                LOG.debug("Spurious interrupt of the models' thread");
            }
        }
        dirty = false;
        return !stopping;
    }

    private void runOnce() {
        try {
            carryOutPending();
            ChannelView view = ChannelView.of(feed);
            advance(s -> reconciler.reconcile(s, view, clock.get()));
            carryOutPending();
            if (hasChampion()) started.complete(null);
        } catch (RuntimeException | Error e) {
            if (!started.isDone()) throw e;
            LOG.error(
                    "Following the rollout failed. The model in service stays; retrying in {} s",
                    ServingReconciler.FIRST_RETRY.toSeconds(),
                    e);
            synchronized (this) {
                wakeAt = clock.get().plus(ServingReconciler.FIRST_RETRY);
            }
        }
    }

    private synchronized boolean hasChampion() {
        return state.champion() != null;
    }

    /**
     * Replaces the state by what comes after it, unless the instance stops.
     *
     * @return false when it stops
     */
    private synchronized boolean advance(Function<ServingState, Step> next) {
        if (stopping) return false;
        Step step = next.apply(state);
        apply(step);
        wakeAt = step.wakeAt();
        return true;
    }

    /** INVARIANT: the slots change together with the state, under one lock. */
    private void apply(Step step) {
        state = step.state();
        for (Action action : step.actions()) {
            if (action instanceof Action.Immediate immediate) carryOut(immediate);
            else pending.add((Action.Deferred) action);
        }
        // Last: the plan is read without the lock, and what it names has to be in its slot.
        ServingPlan next = state.plan();
        if (!next.equals(plan)) plan = next;
    }

    private void carryOut(Action.Immediate action) {
        if (action instanceof Action.PutChampion put) {
            championSlot.swap(models.get(put.model()));
            String version = put.model().version();
            events.serving(ModelRole.CHAMPION, version);
            HeldModel replaced = put.replaced();
            if (replaced != null) events.swapped();
            LOG.info("Model {} decides now{}", version, replaced == null ? "" : " in place of " + replaced.version());
        } else if (action instanceof Action.PutChallenger put) {
            challengerSlot.swap(models.get(put.model()));
            events.serving(ModelRole.CHALLENGER, put.model().version());
            LOG.info("Model {} is the challenger now", put.model().version());
        } else if (action instanceof Action.ClearChallenger) {
            challengerSlot.clear();
            events.serving(ModelRole.CHALLENGER, null);
        } else if (action instanceof Action.Withdraw withdraw) {
            events.rejected();
            events.withdrawn();
            LOG.error("Model {} is not used any more: {}", withdraw.version(), withdraw.reason());
        }
    }

    private void carryOutPending() {
        for (Action.Deferred next; (next = poll()) != null; ) {
            if (next instanceof Action.Load load) load(load);
            else if (next instanceof Action.AskDecision ask) ask(ask.request());
            else if (next instanceof Action.FailStart fail)
                throw new IllegalStateException(fail.message(), fail.cause());
            else report(next);
        }
    }

    /** At the end nothing is loaded or asked any more. */
    private void carryOutReports() {
        for (Action.Deferred next; (next = poll()) != null; ) report(next);
    }

    private synchronized Action.@Nullable Deferred poll() {
        return pending.poll();
    }

    private void report(Action.Deferred action) {
        if (action instanceof Action.Report report) {
            publish(report);
        } else if (action instanceof Action.Release release) {
            release(release);
        } else if (action instanceof Action.Reject reject) {
            reportRejection(reject);
        } else if (action instanceof Action.AwaitChampion await) {
            LOG.warn("Champion {} is not available yet; retrying: {}", await.version(), await.reason());
        } else if (action instanceof Action.StandIn standIn) {
            LOG.error(
                    "Champion {} is rejected; {}, the one before it, serves in its place",
                    standIn.rejected(),
                    standIn.version());
        }
    }

    private void reportRejection(Action.Reject reject) {
        events.rejected();
        LOG.error(
                "Rejected model {}: {}.{}",
                reject.version(),
                reject.reason(),
                reject.serving() == null ? "" : " " + reject.serving() + " keeps serving",
                reject.cause());
        publish(new Action.Report(
                reject.version(), null, reject.role(), ModelState.REJECTED, reject.reason(), reject.revision(), 0));
    }

    private void publish(Action.Report report) {
        reporter.publish(report, clock.get().time());
    }

    private void release(Action.Release release) {
        models.release(release.model());
        publish(Action.Report.of(
                release.model(), ModelRole.NONE, release.state(), release.reason(), release.revision()));
    }

    private void ask(GuardRequest request) {
        if (stopping) return;
        try {
            decision.ask(request.action(), request.revision(), request.version(), request.reason());
            advance(s -> reconciler.asked(s, request));
        } catch (Exception e) {
            LOG.warn(
                    "The decision to {} {} could not be written. This instance does without the model; asking again "
                            + "in {} s: {}",
                    request.action(),
                    request.version(),
                    ServingReconciler.FIRST_RETRY.toSeconds(),
                    e.toString());
            advance(s -> reconciler.askFailed(s, clock.get()));
        }
        wake();
    }

    // --- loading

    private void load(Action.Load load) {
        if (!isWanted(load)) {
            wake();
            return;
        }
        if (load.version() != null)
            publish(new Action.Report(load.version(), null, load.role(), ModelState.LOADING, null, load.revision(), 0));
        awaitClosed();
        long start = clock.get().nanos();
        try {
            ModelVersion manifest = load.manifest();
            LoadedModel model = manifest == null
                    ? loader.loadFile(Objects.requireNonNull(file))
                    : loader.load(manifest, () -> !isWanted(load));
            accept(load, model, (clock.get().nanos() - start) / 1_000_000);
        } catch (ModelRejectedException e) {
            ChannelView view = ChannelView.of(feed);
            if (!advance(s -> reconciler.rejected(s, load, Rejection.of(e), view, clock.get()))) retire(load, STOPPED);
        } catch (CancellationException e) {
            retire(load, e.getMessage());
        }
        wake();
    }

    /** Ends what LOADING began for a version that never got into memory. */
    private void retire(Action.Load load, String reason) {
        if (load.version() == null) return;
        publish(new Action.Report(
                load.version(), null, ModelRole.NONE, ModelState.RETIRED, reason, load.revision(), 0));
    }

    private boolean isWanted(Action.Load load) {
        if (stopping) return false;
        ChannelView view = ChannelView.of(feed);
        synchronized (this) {
            return reconciler.isWanted(state, load, view);
        }
    }

    private void accept(Action.Load load, LoadedModel loaded, long loadMillis) {
        ChannelView view = ChannelView.of(feed);
        HeldModel model = models.add(loaded, load.version() == null, loadMillis);
        synchronized (this) {
            if (!stopping) {
                advance(s -> reconciler.loaded(s, load, model, view, clock.get()));
                return;
            }
        }
        release(new Action.Release(model, ModelState.RETIRED, STOPPED, load.revision()));
    }

    /** Two models in service and one being loaded are the limit, so what was swapped out has to be gone first. */
    private void awaitClosed() {
        try {
            models.released().get(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn(
                    "A model that was swapped out still scores its last batch after {} s; the next one is loaded "
                            + "beside it",
                    CLOSE_TIMEOUT.toSeconds());
        } catch (InterruptedException | ExecutionException e) {
            LOG.debug("Spurious interrupt of the models' thread");
        }
    }

    // --- the end

    /** No further swaps; the models in service stay for the frames that are still to be scored. Returns at once. */
    public synchronized void stop() {
        stopping = true;
        notifyAll();
    }

    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    /**
     * Closes every model after its last batch; call when the batchers are done. Idempotent.
     *
     * @return true when all are closed; false when a load or a batch outlasted the timeout, whose model is closed at
     *     its end
     */
    public boolean close(Duration timeout) {
        stop();
        RolloutFeed.Subscription listening = subscription;
        if (listening != null) listening.close();
        long deadline = System.nanoTime() + timeout.toNanos();
        boolean interrupted = false;
        try {
            if (Thread.currentThread() != worker) worker.join(Math.max(1, timeout.toMillis()));
        } catch (InterruptedException e) {
            interrupted = true;
        }
        releaseModels();
        boolean done = !worker.isAlive();
        try {
            models.released().get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            done = false;
            LOG.warn("A model is still busy; it is closed at the end of its batch, or with the process");
        } catch (InterruptedException e) {
            interrupted = true;
            done = false;
        }
        if (interrupted) Thread.currentThread().interrupt();
        return done;
    }

    private void releaseModels() {
        carryOutReports();
        List<HeldModel> held;
        synchronized (this) {
            championSlot.close();
            challengerSlot.close();
            held = state.models();
            state = state.withoutModels();
        }
        for (HeldModel model : held) release(new Action.Release(model, ModelState.RETIRED, STOPPED, plan.revision()));
    }
}
