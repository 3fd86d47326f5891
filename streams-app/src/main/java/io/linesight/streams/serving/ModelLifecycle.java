package io.linesight.streams.serving;

import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.Scorer;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.schemas.clients.DaemonThreads;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one instance follow the decisions of its channel: loads what they name, swaps it in between batches, and says
 * what it did.
 *
 * <p>All loading is on one thread of its own; the newest decision wins, and a load that it no longer names is given up
 * at its next step. A version that cannot be served is REJECTED with a reason and the model in service stays; what may
 * pass (a store that does not answer) is tried again with growing pauses, everything else when a new decision names it
 * again. In memory are at most two models and the one being loaded: champion and challenger, or, for a while after a
 * promotion, the champion and the one before it, to which {@link #distrust} can return at once.
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
    private static final Duration FIRST_RETRY = Duration.ofSeconds(5);
    private static final Duration LONGEST_RETRY = Duration.ofMinutes(5);
    /** Manifests and decisions are on different topics, so a decision may be read first. */
    private static final Duration MANIFEST_PATIENCE = Duration.ofSeconds(10);

    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(30);
    /** Most champions of before that a start tries when the one in force is refused. */
    private static final int STAND_INS = 5;

    private static final Pattern ORDINAL = Pattern.compile("(\\d{1,9})$");

    /**
     * Who this instance is.
     *
     * @param name the same after a restart, different from every other instance of the channel
     * @param channel whose decisions it follows
     * @param stagger pause between the swaps of two instances; zero for none
     * @param probation how long the champion before stays in memory after a promotion; zero for not at all
     */
    public record Identity(String name, String channel, Duration stagger, Duration probation) {}

    private static final class Held {
        final LoadedModel model;
        final boolean base;
        final long loadMillis;

        Held(LoadedModel model, boolean base, long loadMillis) {
            this.model = model;
            this.base = base;
            this.loadMillis = loadMillis;
        }

        String version() {
            return model.version();
        }
    }

    /** Why a version is not tried at the moment; {@code retryAt} is {@link Long#MAX_VALUE} for not in this revision. */
    private record Failure(long revision, int times, long retryAt, boolean forever) {}

    private record Ask(RolloutDecision.Action action, long revision, String version, String reason) {}

    private final Identity identity;
    private final RolloutFeed feed;
    private final ModelLoader loader;
    private final Supplier<Scorer> base;
    private final ModelSlot championSlot = new ModelSlot();
    private final ModelSlot challengerSlot = new ModelSlot();
    private final StatusPublisher publisher;
    private final RolloutDecision decision;
    private final ModelEvents events;
    private final Thread worker;
    private final CompletableFuture<Void> started = new CompletableFuture<>();

    private volatile ServingPlan plan = new ServingPlan(null, null, null);
    private volatile boolean stopping;
    private volatile RolloutFeed.Subscription subscription;

    // Guarded by this.
    private Held champion;
    private Held challenger;
    private Held spare;
    private long spareUntil;
    private Held ready;
    private boolean dirty = true;
    private String distrusted;
    private long distrustedIn;
    /** close() has let go of everything; whatever the worker still has in hand is its own to let go of. */
    private boolean released;

    private final Deque<Runnable> reports = new ArrayDeque<>();
    private final Deque<Ask> asks = new ArrayDeque<>();
    private final List<CompletableFuture<Void>> closing = new ArrayList<>();

    // Worker only.
    private final Map<String, Failure> failures = new HashMap<>();
    private final Map<String, Long> missingSince = new HashMap<>();
    private long due;
    private long startDeadline;
    private String standIn;
    private long asksAt;

    /**
     * @param feed must have read what there was when {@link #start} is called
     * @param base opens the checkpoint that is served while no decision names a champion; null when there is none
     * @param publisher told every change of state
     * @param decision asked when a guard tripped
     */
    public ModelLifecycle(
            Identity identity,
            RolloutFeed feed,
            ModelLoader loader,
            Supplier<Scorer> base,
            StatusPublisher publisher,
            RolloutDecision decision,
            ModelEvents events) {
        this.identity = Objects.requireNonNull(identity, "identity");
        this.feed = Objects.requireNonNull(feed, "feed");
        this.loader = Objects.requireNonNull(loader, "loader");
        this.base = base;
        this.publisher = Objects.requireNonNull(publisher, "publisher");
        this.decision = Objects.requireNonNull(decision, "decision");
        this.events = Objects.requireNonNull(events, "events");
        worker = DaemonThreads.create("linesight-models", this::work);
    }

    /** What the champion's batcher scores with. */
    public ModelSlot championSlot() {
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
        return champion == null ? 0 : champion.model.frameNanos();
    }

    /** The device that the champion runs on; empty text before the start. */
    public synchronized String device() {
        return champion == null ? "" : champion.model.device();
    }

    /**
     * Loads the champion and returns when it is ready for frames; a challenger follows in the background.
     *
     * @throws IllegalStateException saying why there is no model to serve; everything is closed then
     */
    public void start(Duration patience) {
        startDeadline = System.nanoTime() + patience.toNanos();
        subscription = feed.listen(this::wake);
        worker.start();
        try {
            started.get(); // the worker gives up at the deadline, between attempts: a load that is under way is not
            // cut short
        } catch (ExecutionException e) {
            close(Duration.ofSeconds(10));
            throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            close(Duration.ofSeconds(10));
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the model was loaded", e);
        }
    }

    private synchronized void wake() {
        dirty = true;
        notifyAll();
    }

    /** A batcher has begun to score with another model; see {@code BatchListener.onModel}. Returns at once. */
    public synchronized void firstBatch(String version, long pauseNanos) {
        if (champion == null || !champion.version().equals(version) || stopping) return;
        Held held = champion;
        long revision = plan.revision();
        reports.add(() -> report(held, ModelRole.CHAMPION, ModelState.ACTIVE, null, revision, pauseNanos / 1000));
        notifyAll();
    }

    /**
     * Takes a model out of service at once, because a guard tripped: a challenger decides and scores no more; a
     * champion gives way to the one before it, if that is still in memory, and goes on otherwise. Then asks for the
     * decision that makes it so everywhere.
     *
     * @param revision the decision under which the figures were gathered
     * @return false when that decision or that model is no longer in force, so that there is nothing to do
     */
    public synchronized boolean distrust(long revision, String version, String reason) {
        ServingPlan now = plan;
        if (stopping || now.revision() != revision) return false;
        if (version.equals(now.challenger())) {
            challengerSlot.clear();
            Held out = challenger;
            challenger = null;
            plan = new ServingPlan(now.rollout(), now.champion(), null);
            events.serving(ModelRole.CHALLENGER, null);
            reports.add(() -> retire(out, ModelState.REJECTED, reason, revision));
            asks.add(new Ask(RolloutDecision.Action.WITHDRAW, revision, version, reason));
        } else if (version.equals(now.champion())) {
            if (spare != null) {
                Held out = champion;
                Held back = spare;
                championSlot.swap(back.model);
                champion = back;
                spare = null;
                plan = new ServingPlan(now.rollout(), back.version(), now.challenger());
                events.serving(ModelRole.CHAMPION, back.version());
                events.swapped();
                reports.add(() -> retire(out, ModelState.REJECTED, reason, revision));
                reports.add(() ->
                        report(back, ModelRole.CHAMPION, ModelState.ACTIVE, "in place of " + version, revision, 0));
            }
            asks.add(new Ask(RolloutDecision.Action.ROLLBACK, revision, version, reason));
        } else {
            return false;
        }
        events.rejected();
        events.withdrawn();
        LOG.error("Model {} is not used any more: {}", version, reason);
        distrusted = version;
        distrustedIn = revision;
        dirty = true;
        notifyAll();
        return true;
    }

    private synchronized boolean distrusts(String version, long revision) {
        return version.equals(distrusted) && revision == distrustedIn;
    }

    private void work() {
        try {
            begin();
            started.complete(null);
            follow();
        } catch (Throwable e) {
            started.completeExceptionally(e);
        } finally {
            drainReports();
            Held late = null;
            synchronized (this) {
                if (released) {
                    late = ready;
                    ready = null;
                }
            }
            if (late != null) retire(late, ModelState.RETIRED, "the instance stopped", plan.revision());
        }
    }

    private void follow() {
        while (awaitWork()) {
            try {
                drainReports();
                ask();
                reconcile();
            } catch (CancellationException e) {
                // Overtaken by a newer decision or by the end: the loop looks again.
            } catch (Throwable e) {
                LOG.error(
                        "Following the rollout failed; the model in service stays, and it is tried again in {} s",
                        FIRST_RETRY.toSeconds(),
                        e);
                dueIn(FIRST_RETRY);
            }
        }
    }

    private synchronized boolean awaitWork() {
        while (!stopping && !dirty && reports.isEmpty()) {
            long left = Long.MAX_VALUE;
            if (due != 0) left = Math.min(left, due - System.nanoTime());
            if (!asks.isEmpty()) left = Math.min(left, asksAt - System.nanoTime());
            if (spare != null) left = Math.min(left, spareUntil - System.nanoTime());
            if (left <= 0) break;
            try {
                wait(Math.max(1, Math.min(left / 1_000_000 + 1, 60_000)));
            } catch (InterruptedException e) {
                LOG.debug("Spurious interrupt of the models' thread");
            }
        }
        dirty = false;
        due = 0;
        return !stopping;
    }

    private void dueIn(Duration pause) {
        dueAt(System.nanoTime() + pause.toNanos());
    }

    private void dueAt(long nanos) {
        due = due == 0 ? nanos : Math.min(due, nanos);
    }

    private void drainReports() {
        while (true) {
            Runnable next;
            synchronized (this) {
                next = reports.poll();
            }
            if (next == null) return;
            next.run();
        }
    }

    private void ask() {
        Ask next;
        synchronized (this) {
            while (!asks.isEmpty()
                    && asks.peek().revision
                            != feed.current().map(Rollout::getRevision).orElse(0L)) asks.poll();
            next = asks.peek();
            if (next == null || System.nanoTime() - asksAt < 0 && asksAt != 0) return;
        }
        try {
            decision.ask(next.action, next.revision, next.version, next.reason);
            synchronized (this) {
                asks.remove(next);
            }
            asksAt = 0;
        } catch (Exception e) {
            asksAt = System.nanoTime() + FIRST_RETRY.toNanos();
            LOG.warn(
                    "The decision to {} {} could not be written; this instance does without the model, and asks again in {} s: {}",
                    next.action,
                    next.version,
                    FIRST_RETRY.toSeconds(),
                    e.toString());
        }
    }

    // --- start

    private void begin() throws Exception {
        while (true) {
            Rollout rollout = feed.current().orElse(null);
            String wanted = rollout == null ? null : rollout.getChampion();
            try {
                Held held = wanted == null ? loadBase(rollout) : load(wanted, ModelRole.CHAMPION, rollout);
                install(held, rollout);
                return;
            } catch (CancellationException e) {
                if (stopping) throw new IllegalStateException("the app was stopped while its model was loaded");
            } catch (ModelRefusedException e) {
                boolean again = e.passing() && System.nanoTime() - startDeadline < 0;
                if (!again) {
                    if (wanted != null)
                        publish(
                                wanted,
                                ModelRole.CHAMPION,
                                ModelState.REJECTED,
                                e.getMessage(),
                                rollout.getRevision(),
                                0,
                                0,
                                "");
                    Held before = wanted == null || e.passing() ? null : before(rollout);
                    if (before == null) {
                        throw new IllegalStateException(
                                "the champion " + (wanted == null ? "checkpoint" : wanted) + " of channel "
                                        + identity.channel + " cannot be served: " + e.getMessage()
                                        + ". Publish it again or roll back, then start again",
                                e);
                    }
                    // What the instances that were running already go on with.
                    events.rejected();
                    failures.put(wanted, new Failure(rollout.getRevision(), 1, Long.MAX_VALUE, true));
                    LOG.error(
                            "The champion {} is refused, {}, the one before it, is served instead: {}",
                            wanted,
                            before.version(),
                            e.getMessage(),
                            e.getCause());
                    install(before, rollout);
                    return;
                }
                LOG.warn("The champion {} cannot be had yet; trying again: {}", wanted, e.getMessage());
                synchronized (this) {
                    if (!stopping) wait(500);
                }
            }
        }
    }

    /**
     * The newest champion before the one that is refused, or the checkpoint file where there was none; null when none
     * can be served.
     */
    private Held before(Rollout rollout) {
        int tried = 0;
        for (String version : feed.champions()) {
            if (version.equals(rollout.getChampion())) continue;
            if (++tried > STAND_INS) break;
            standIn = version;
            try {
                return load(version, ModelRole.CHAMPION, rollout);
            } catch (ModelRefusedException e) {
                LOG.error("{}, a champion before it, cannot be served either: {}", version, e.getMessage());
                publish(
                        version,
                        ModelRole.CHAMPION,
                        ModelState.REJECTED,
                        e.getMessage(),
                        rollout.getRevision(),
                        0,
                        0,
                        "");
            } finally {
                standIn = null;
            }
        }
        if (base == null) return null;
        try {
            return loadBase(rollout);
        } catch (ModelRefusedException e) {
            LOG.error("The checkpoint file cannot be served either: {}", e.getMessage());
            return null;
        }
    }

    private Held loadBase(Rollout rollout) throws ModelRefusedException {
        if (base == null) {
            throw new ModelRefusedException("no decision of channel " + identity.channel
                    + " names a champion, and no checkpoint file is configured");
        }
        awaitClosed();
        long start = System.nanoTime();
        LoadedModel model;
        try {
            model = loader.adopt(base.get());
        } catch (ScoringException e) {
            throw new ModelRefusedException(e.getMessage(), e, false);
        }
        Held held = new Held(model, true, millisSince(start));
        report(held, ModelRole.CHAMPION, ModelState.WARM, null, rollout == null ? 0 : rollout.getRevision(), 0);
        return held;
    }

    // --- following

    private void reconcile() throws ModelRefusedException {
        Rollout rollout = feed.current().orElse(null);
        if (rollout == null) return; // decisions are never taken back; the feed has none yet
        String wantedChampion = rollout.getChampion();
        String wantedChallenger = wantedChallenger(rollout);
        follow(rollout, wantedChampion, wantedChallenger);
        if (!settleChampion(rollout, wantedChampion)) return;
        settleChallenger(rollout, wantedChallenger);
    }

    private static String wantedChallenger(Rollout rollout) {
        boolean used = rollout.getMode() == RolloutMode.SHADOW || rollout.getMode() == RolloutMode.CANARY;
        String challenger = rollout.getChallenger();
        return used && challenger != null && !challenger.equals(rollout.getChampion()) ? challenger : null;
    }

    /** Takes the decision over as far as that needs no loading, and lets go of what it does not name. */
    private void follow(Rollout rollout, String wantedChampion, String wantedChallenger) {
        long revision = rollout.getRevision();
        List<Held> out = new ArrayList<>();
        synchronized (this) {
            if (challenger != null && !challenger.version().equals(wantedChallenger)) {
                challengerSlot.clear();
                // It may be on its way to become champion; until then nobody is to use it.
                if (challenger.version().equals(wantedChampion) && ready == null) ready = challenger;
                else out.add(challenger);
                challenger = null;
                events.serving(ModelRole.CHALLENGER, null);
            }
            if (ready != null && !ready.version().equals(wantedChampion)) {
                out.add(ready);
                ready = null;
            }
            boolean needed = spare != null
                    && (spare.version().equals(wantedChampion)
                            || spare.version().equals(wantedChallenger));
            if (spare != null && !needed && (wantedChallenger != null || System.nanoTime() - spareUntil >= 0)) {
                out.add(spare);
                spare = null;
            }
            if (needed && System.nanoTime() - spareUntil >= 0) spareUntil = System.nanoTime() + FIRST_RETRY.toNanos();
            plan = new ServingPlan(rollout, champion.version(), challenger == null ? null : challenger.version());
        }
        for (Held held : out)
            retire(
                    held,
                    ModelState.RETIRED,
                    "revision " + revision + " (" + rollout.getAction() + " by " + rollout.getBy()
                            + ") does not need it",
                    revision);
    }

    /** @return false while the champion is not the wanted one and the challenger has to wait */
    private boolean settleChampion(Rollout rollout, String wanted) {
        Held candidate;
        synchronized (this) {
            if (wanted == null ? champion.base || base == null : isChampion(wanted)) return true;
            if (wanted != null && distrusts(wanted, rollout.getRevision())) return true;
            candidate = ready != null ? ready : spare != null && spare.version().equals(wanted) ? spare : null;
            if (candidate == spare) spare = null;
            ready = candidate;
        }
        String name = wanted == null ? "checkpoint file" : wanted;
        if (candidate == null) {
            if (blocked(name, rollout)) return true;
            try {
                candidate = wanted == null ? loadBase(rollout) : load(wanted, ModelRole.CHAMPION, rollout);
            } catch (ModelRefusedException e) {
                refused(name, ModelRole.CHAMPION, rollout, e);
                return true;
            }
            if (!keep(candidate)) return false;
        }
        long wait = staggerMillis(rollout);
        if (wait > 0) {
            dueIn(Duration.ofMillis(wait));
            return false;
        }
        install(candidate, rollout);
        return true;
    }

    /** The base checkpoint may be the one that is published; then there is nothing to load. */
    private boolean isChampion(String version) {
        if (!champion.version().equals(version)) return false;
        return !champion.base
                || feed.version(version)
                        .map(v -> v.getSha256()
                                .equalsIgnoreCase(champion.model.info().sha256()))
                        .orElse(false);
    }

    private boolean keep(Held candidate) {
        synchronized (this) {
            if (!stopping) {
                ready = candidate;
                return true;
            }
        }
        retire(candidate, ModelState.RETIRED, "the instance stops", plan.revision());
        return false;
    }

    private void install(Held next, Rollout rollout) {
        Held old;
        Held before = null;
        boolean kept;
        synchronized (this) {
            if (stopping || !championSlot.swap(next.model)) {
                ready = next; // close() lets it go
                return;
            }
            old = champion;
            champion = next;
            ready = null;
            kept = old != null
                    && challenger == null
                    && !identity.probation.isZero()
                    && rollout != null
                    && rollout.getAction() == RolloutAction.PROMOTE
                    && wantedChallenger(rollout) == null;
            if (kept) {
                before = spare; // of a promotion whose probation was not over: to return to it would leave out the
                // champion just replaced
                spare = old;
                spareUntil = System.nanoTime() + identity.probation.toNanos();
            }
            plan = new ServingPlan(rollout, next.version(), challenger == null ? null : challenger.version());
        }
        long revision = plan.revision();
        events.serving(ModelRole.CHAMPION, next.version());
        report(next, ModelRole.CHAMPION, ModelState.ACTIVE, null, revision, 0);
        LOG.info("Model {} decides now{}", next.version(), old == null ? "" : " in place of " + old.version());
        if (old == null) return;
        events.swapped();
        if (before != null) retire(before, ModelState.RETIRED, "replaced by " + old.version() + " before", revision);
        if (kept)
            report(
                    old,
                    ModelRole.NONE,
                    ModelState.WARM,
                    "kept for a rollback during the probation of " + next.version(),
                    revision,
                    0);
        else retire(old, ModelState.RETIRED, "replaced by " + next.version(), revision);
    }

    private void settleChallenger(Rollout rollout, String wanted) {
        if (wanted == null || distrusts(wanted, rollout.getRevision()) || blocked(wanted, rollout)) return;
        Held candidate;
        synchronized (this) {
            if (challenger != null) return;
            candidate = spare != null && spare.version().equals(wanted) ? spare : null;
            if (candidate != null) spare = null;
        }
        if (candidate == null) {
            try {
                candidate = load(wanted, ModelRole.CHALLENGER, rollout);
            } catch (ModelRefusedException e) {
                refused(wanted, ModelRole.CHALLENGER, rollout, e);
                return;
            }
        }
        boolean in;
        synchronized (this) {
            in = !stopping && challengerSlot.swap(candidate.model);
            if (in) {
                challenger = candidate;
                plan = new ServingPlan(rollout, champion.version(), candidate.version());
            }
        }
        if (!in) {
            retire(candidate, ModelState.RETIRED, "the instance stops", rollout.getRevision());
            return;
        }
        events.serving(ModelRole.CHALLENGER, candidate.version());
        report(candidate, ModelRole.CHALLENGER, ModelState.ACTIVE, null, rollout.getRevision(), 0);
        LOG.info("Model {} is the challenger now ({})", candidate.version(), rollout.getMode());
    }

    // --- loading

    private Held load(String version, ModelRole role, Rollout rollout) throws ModelRefusedException {
        ModelVersion manifest = manifest(version);
        awaitClosed();
        long start = System.nanoTime();
        publish(version, role, ModelState.LOADING, null, rollout.getRevision(), 0, 0, "");
        LoadedModel model;
        try {
            model = loader.load(manifest, () -> stopping || !named(version));
        } catch (CancellationException e) {
            publish(version, ModelRole.NONE, ModelState.RETIRED, e.getMessage(), rollout.getRevision(), 0, 0, "");
            throw e;
        }
        Held held = new Held(model, false, millisSince(start));
        failures.remove(version);
        report(held, role, ModelState.WARM, null, rollout.getRevision(), 0);
        return held;
    }

    /** Two models in service and one being loaded are the limit, so what was swapped out has to be gone first. */
    private void awaitClosed() {
        CompletableFuture<?>[] open;
        synchronized (this) {
            closing.removeIf(CompletableFuture::isDone);
            open = closing.toArray(CompletableFuture[]::new);
        }
        try {
            CompletableFuture.allOf(open).get(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn(
                    "A model that was swapped out still scores its last batch after {} s; the next one is loaded beside it",
                    CLOSE_PATIENCE.toSeconds());
        } catch (InterruptedException | ExecutionException e) {
            LOG.debug("Spurious interrupt of the models' thread");
        }
    }

    private ModelVersion manifest(String version) throws ModelRefusedException {
        ModelVersion manifest = feed.version(version).orElse(null);
        if (manifest != null) {
            missingSince.remove(version);
            return manifest;
        }
        long since = missingSince.computeIfAbsent(version, v -> System.nanoTime());
        if (started.isDone() && System.nanoTime() - since < MANIFEST_PATIENCE.toNanos()) {
            dueIn(Duration.ofSeconds(1));
            throw new CancellationException("the manifest of " + version + " has not been read yet");
        }
        throw new ModelRefusedException(
                "there is no manifest of it: it was never published, or has been deleted", null, true);
    }

    /** Whether the newest decision still wants the version. */
    private boolean named(String version) {
        Rollout now = feed.current().orElse(null);
        if (now == null) return false;
        return version.equals(now.getChampion()) || version.equals(wantedChallenger(now)) || version.equals(standIn);
    }

    private boolean blocked(String version, Rollout rollout) {
        Failure failure = failures.get(version);
        if (failure == null || failure.revision != rollout.getRevision()) return false;
        if (failure.forever) return true;
        if (System.nanoTime() - failure.retryAt >= 0) return false;
        dueAt(failure.retryAt);
        return true;
    }

    private void refused(String version, ModelRole role, Rollout rollout, ModelRefusedException e) {
        Failure before = failures.get(version);
        int times = before == null || before.revision != rollout.getRevision() ? 1 : before.times + 1;
        Duration pause = FIRST_RETRY.multipliedBy(1L << Math.min(10, times - 1));
        if (pause.compareTo(LONGEST_RETRY) > 0) pause = LONGEST_RETRY;
        failures.keySet().removeIf(v -> !v.equals(version) && failures.get(v).revision != rollout.getRevision());
        failures.put(
                version, new Failure(rollout.getRevision(), times, System.nanoTime() + pause.toNanos(), !e.passing()));
        String what = e.getMessage() + (e.passing() ? "; it is tried again in " + pause.toSeconds() + " s" : "");
        events.rejected();
        LOG.error("Model {} is refused, {} goes on: {}", version, plan.champion(), what, e.getCause());
        publish(version, role, ModelState.REJECTED, what, rollout.getRevision(), 0, 0, "");
        if (e.passing()) dueIn(pause);
    }

    private long staggerMillis(Rollout rollout) {
        if (identity.stagger.isZero() || rollout.getAction() == RolloutAction.ROLLBACK) return 0;
        long delay = rank(identity.name) * identity.stagger.toMillis();
        // Clocks differ: never longer than the delay itself.
        return Math.min(delay, rollout.getAt().toEpochMilli() + delay - System.currentTimeMillis());
    }

    /** Place of an instance among the others, from its name alone. */
    static int rank(String name) {
        Matcher ordinal = ORDINAL.matcher(name);
        return ordinal.find() ? Integer.parseInt(ordinal.group(1)) % 64 : Math.floorMod(name.hashCode(), 8);
    }

    private static long millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1_000_000;
    }

    // --- saying so

    private void retire(Held held, ModelState state, String reason, long revision) {
        synchronized (this) {
            closing.removeIf(CompletableFuture::isDone);
            closing.add(held.model.closed());
        }
        held.model.release();
        report(held, ModelRole.NONE, state, reason, revision, 0);
    }

    private void report(Held held, ModelRole role, ModelState state, String reason, long revision, long pauseMicros) {
        publish(held.version(), role, state, reason, revision, held.loadMillis, pauseMicros, held.model.device());
    }

    private void publish(
            String version,
            ModelRole role,
            ModelState state,
            String reason,
            long revision,
            long loadMillis,
            long pauseMicros,
            String device) {
        ModelStatus status = ModelStatus.newBuilder()
                .setInstance(identity.name)
                .setChannel(identity.channel)
                .setVersion(version)
                .setRole(role)
                .setState(state)
                .setReason(reason)
                .setRolloutRevision(revision)
                .setLoadMillis(loadMillis)
                .setSwapPauseMicros(pauseMicros)
                .setDevice(device)
                .setAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .build();
        try {
            publisher.publish(status);
        } catch (RuntimeException e) {
            LOG.warn(
                    "The status of model {} ({}) could not be published; the model is not affected: {}",
                    version,
                    state,
                    e.toString());
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
        close(Duration.ofSeconds(30));
    }

    /**
     * Closes every model after its last batch; call when the batchers are done. Idempotent.
     *
     * @return true when all are closed; false when a load or a batch outlasted the patience, whose model is closed at
     *     its end
     */
    public boolean close(Duration patience) {
        stop();
        if (subscription != null) subscription.close();
        long deadline = System.nanoTime() + patience.toNanos();
        boolean interrupted = false;
        try {
            if (Thread.currentThread() != worker) worker.join(Math.max(1, patience.toMillis()));
        } catch (InterruptedException e) {
            interrupted = true;
        }
        drainReports();
        List<Held> out = new ArrayList<>();
        synchronized (this) {
            championSlot.close();
            challengerSlot.close();
            for (Held held : new Held[] {champion, challenger, spare, ready}) if (held != null) out.add(held);
            champion = challenger = spare = ready = null;
            released = true;
        }
        for (Held held : out) retire(held, ModelState.RETIRED, "the instance stopped", plan.revision());
        boolean done = !worker.isAlive();
        CompletableFuture<?>[] open;
        synchronized (this) {
            open = closing.toArray(CompletableFuture[]::new);
        }
        try {
            CompletableFuture.allOf(open).get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
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
}
