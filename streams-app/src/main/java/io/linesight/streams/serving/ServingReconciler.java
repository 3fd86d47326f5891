package io.linesight.streams.serving;

import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.clients.Backoff;
import io.linesight.streams.serving.ServingState.Distrusted;
import io.linesight.streams.serving.ServingState.Failure;
import io.linesight.streams.serving.ServingState.StartUp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Decides what an instance does so that it serves what its channel decided. Pure: the same state, view and moment give
 * the same step; nothing here waits, reads a clock or touches a model.
 *
 * <p>A pass asks for one load at most, as its last action. {@link #loaded} or {@link #rejected} takes its outcome, and
 * the pass after that looks at the newest decision again, so the newest decision always wins.
 */
final class ServingReconciler {

    static final Duration FIRST_RETRY = Duration.ofSeconds(5);
    static final Duration START_RETRY = Duration.ofMillis(500);
    /** Manifests and decisions are on different topics, so a decision may be read first. */
    static final Duration MANIFEST_TIMEOUT = Duration.ofSeconds(10);

    private static final Backoff RETRY = Backoff.exponential(FIRST_RETRY, Duration.ofMinutes(5));
    private static final Duration MANIFEST_POLL = Duration.ofSeconds(1);
    private static final Pattern ORDINAL = Pattern.compile("(\\d{1,9})$");

    private final ModelLifecycle.Identity identity;
    private final boolean hasFile;

    /** @param hasFile whether there is a checkpoint file to serve while no decision names a champion */
    ServingReconciler(ModelLifecycle.Identity identity, boolean hasFile) {
        this.identity = identity;
        this.hasFile = hasFile;
    }

    /** Compares what is served with what is decided. */
    Step reconcile(ServingState state, ChannelView view, Moment now) {
        Pass pass = new Pass(state, view, now);
        if (state.isStarting()) {
            findFirstChampion(pass);
        } else {
            askForDecision(pass);
            if (view.rollout() != null) follow(pass);
        }
        return pass.step();
    }

    // --- events

    /** A load has succeeded. */
    Step loaded(ServingState state, Action.Load load, HeldModel model, ChannelView view, Moment now) {
        Pass pass = new Pass(state, view, now);
        pass.failures.remove(load.name());
        pass.add(Action.Report.of(model, load.role(), ModelState.WARM, null, load.revision()));
        if (!isWanted(state, load, view)) release(pass, model);
        else if (state.startUp() != null) begin(pass, state.startUp(), model);
        else if (Objects.equals(load.version(), view.champion())) pass.ready = model;
        else if (pass.challenger != null || isDistrusted(pass, model.version())) release(pass, model);
        else putChallenger(pass, model);
        return pass.step();
    }

    /** A load has failed. */
    Step rejected(ServingState state, Action.Load load, Rejection why, ChannelView view, Moment now) {
        Pass pass = new Pass(state, view, now);
        reject(pass, load, why);
        return pass.step();
    }

    /** A guard tripped; null when its decision or its model is no longer in force, so that there is nothing to do. */
    @Nullable
    Step distrust(ServingState state, long revision, String version, String reason) {
        if (state.plan().revision() != revision) return null;
        Pass pass = new Pass(state);
        if (isVersion(state.challenger(), version)) withdrawChallenger(pass, revision, reason);
        else if (isVersion(state.champion(), version)) withdrawChampion(pass, revision, reason);
        else return null;
        pass.add(new Action.Withdraw(version, reason));
        pass.distrusted = new Distrusted(version, revision);
        return pass.step();
    }

    /** A decision that was asked for is written, or was found to be no longer called for. */
    Step asked(ServingState state, GuardRequest request) {
        Pass pass = new Pass(state);
        pass.requests.remove(request);
        pass.requestAt = 0;
        return pass.step();
    }

    /** A decision that was asked for could not be written. */
    Step askFailed(ServingState state, Moment now) {
        Pass pass = new Pass(state);
        pass.requestAt = now.plus(FIRST_RETRY);
        return pass.step();
    }

    /**
     * Whether the newest decision still needs what a load is about. A champion that has become the challenger is loaded
     * again: the decision that is followed until the next pass knows no challenger of that version.
     */
    boolean isWanted(ServingState state, Action.Load load, ChannelView view) {
        StartUp startUp = state.startUp();
        if (startUp != null && startUp.rejection() != null) return startUp.revision() == view.revision();
        String version = load.version();
        return Objects.equals(version, view.champion())
                || load.role() == ModelRole.CHALLENGER && Objects.equals(version, view.challenger());
    }

    // --- start

    private void findFirstChampion(Pass pass) {
        StartUp startUp = Objects.requireNonNull(pass.startUp);
        if (startUp.rejection() != null && startUp.revision() != pass.view.revision()) {
            startUp = new StartUp(startUp.deadline(), null, 0, List.of());
            pass.startUp = startUp;
        }
        if (startUp.rejection() == null) load(pass, pass.view.champion(), ModelRole.CHAMPION);
        else tryStandIn(pass, startUp);
    }

    /** The newest champion before the one that is rejected, or the checkpoint file where there is none. */
    private void tryStandIn(Pass pass, StartUp startUp) {
        List<String> tried = startUp.tried();
        for (String version : pass.view.champions()) {
            if (tried.size() >= ChannelView.MAX_STAND_INS) break;
            if (version.equals(pass.view.champion()) || tried.contains(version)) continue;
            load(pass, version, ModelRole.CHAMPION);
            return;
        }
        if (hasFile && !tried.contains(Action.CHECKPOINT_FILE)) load(pass, null, ModelRole.CHAMPION);
        else pass.add(failStart(pass, pass.view.champion(), Objects.requireNonNull(startUp.rejection())));
    }

    private void begin(Pass pass, StartUp startUp, HeldModel model) {
        pass.startUp = null;
        install(pass, model);
        String decided = pass.view.champion();
        if (startUp.rejection() != null && decided != null) pass.add(new Action.StandIn(model.version(), decided));
    }

    private void rejectAtStart(Pass pass, StartUp startUp, Action.Load load, Rejection why) {
        if (startUp.rejection() != null) {
            pass.add(Action.Reject.of(load, why.reason(), null, why.cause()));
            List<String> tried = new ArrayList<>(startUp.tried());
            tried.add(load.name());
            pass.startUp = new StartUp(startUp.deadline(), startUp.rejection(), startUp.revision(), tried);
            findFirstChampion(pass);
        } else if (load.revision() != pass.view.revision()) {
            // The next pass tries what the newer decision names.
            pass.add(Action.Reject.of(load, why.reason(), null, why.cause()));
        } else if (why.retriable() && pass.now.nanos() < startUp.deadline()) {
            long retryAt = pass.now.plus(START_RETRY);
            pass.failures.put(load.name(), new Failure(load.revision(), 1, retryAt, false));
            pass.wakeAt(retryAt);
            pass.add(new Action.AwaitChampion(load.name(), why.reason()));
        } else {
            rejectFirstChampion(pass, startUp, load, why);
        }
    }

    private void rejectFirstChampion(Pass pass, StartUp startUp, Action.Load load, Rejection why) {
        if (load.version() != null) pass.add(Action.Reject.of(load, why.reason(), null, why.cause()));
        if (load.version() == null || why.retriable()) {
            pass.add(failStart(pass, load.version(), why));
            return;
        }
        pass.failures.put(load.name(), new Failure(load.revision(), 1, 0, true));
        pass.startUp = new StartUp(startUp.deadline(), why, load.revision(), List.of());
        findFirstChampion(pass);
    }

    private Action failStart(Pass pass, @Nullable String version, Rejection why) {
        String message = hasFile && pass.view.rollout() == null
                ? why.reason()
                : "the champion " + (version == null ? "checkpoint" : version) + " of channel " + identity.channel()
                        + " cannot be served: " + why.reason() + ". Publish it again or roll back, then start again";
        return new Action.FailStart(message, why.cause());
    }

    // --- following

    private void follow(Pass pass) {
        dropUnneeded(pass);
        pass.rollout = pass.view.rollout();
        if (settleChampion(pass)) settleChallenger(pass);
        if (pass.spare != null) pass.wakeAt(pass.spareUntil);
    }

    /** Gives back what the decision does not name. */
    private void dropUnneeded(Pass pass) {
        String wantedChallenger = pass.view.challenger();
        HeldModel challenger = pass.challenger;
        if (challenger != null && (wantedChallenger == null || !pass.view.isModel(challenger, wantedChallenger))) {
            pass.add(new Action.ClearChallenger());
            pass.challenger = null;
            // It may be on its way to become champion; until then nobody is to use it.
            if (pass.ready == null && pass.view.isModel(challenger, pass.view.champion())) pass.ready = challenger;
            else release(pass, challenger);
        }
        HeldModel ready = pass.ready;
        if (ready != null && !pass.view.isModel(ready, pass.view.champion())) {
            pass.ready = null;
            release(pass, ready);
        }
        HeldModel spare = pass.spare;
        if (spare == null) return;
        boolean needed = pass.view.isModel(spare, pass.view.champion())
                || wantedChallenger != null && pass.view.isModel(spare, wantedChallenger);
        boolean expired = pass.now.nanos() >= pass.spareUntil;
        if (needed) {
            if (expired) pass.spareUntil = pass.now.plus(FIRST_RETRY);
        } else if (wantedChallenger != null || expired) {
            pass.spare = null;
            release(pass, spare);
        }
    }

    private static void release(Pass pass, HeldModel model) {
        Rollout rollout = pass.view.rollout();
        String reason = rollout == null
                ? "no decision needs it"
                : "revision " + rollout.getRevision() + " (" + rollout.getAction() + " by " + rollout.getBy()
                        + ") does not need it";
        pass.add(new Action.Release(model, ModelState.RETIRED, reason, pass.view.revision()));
    }

    /** @return false while the champion is not the wanted one and the challenger has to wait */
    private boolean settleChampion(Pass pass) {
        String wanted = pass.view.champion();
        if (wanted == null && !hasFile || pass.view.isModel(pass.champion, wanted)) return true;
        if (wanted != null && isDistrusted(pass, wanted)) return true;
        HeldModel candidate = pass.ready;
        if (candidate == null && pass.view.isModel(pass.spare, wanted)) {
            candidate = pass.spare;
            pass.spare = null;
            pass.ready = candidate;
        }
        if (candidate == null) return !load(pass, wanted, ModelRole.CHAMPION);
        Duration turn = untilTurn(pass, Objects.requireNonNull(pass.view.rollout()));
        if (turn.isNegative() || turn.isZero()) {
            install(pass, candidate);
            return true;
        }
        pass.wakeAt(pass.now.plus(turn));
        return false;
    }

    private void settleChallenger(Pass pass) {
        String wanted = pass.view.challenger();
        if (wanted == null || pass.challenger != null || isDistrusted(pass, wanted)) return;
        HeldModel spare = pass.spare;
        if (spare != null && pass.view.isModel(spare, wanted)) {
            pass.spare = null;
            putChallenger(pass, spare);
        } else {
            load(pass, wanted, ModelRole.CHALLENGER);
        }
    }

    private void install(Pass pass, HeldModel next) {
        HeldModel old = pass.champion;
        pass.champion = next;
        pass.ready = null;
        pass.rollout = pass.view.rollout();
        long revision = pass.view.revision();
        pass.add(new Action.PutChampion(next, old));
        pass.add(Action.Report.of(next, ModelRole.CHAMPION, ModelState.ACTIVE, null, revision));
        if (old == null) return;
        if (!startsProbation(pass)) {
            pass.add(new Action.Release(old, ModelState.RETIRED, "replaced by " + next.version(), revision));
            return;
        }
        // Of a promotion whose probation was not over: to return to it would leave out the champion just replaced.
        HeldModel before = pass.spare;
        if (before != null)
            pass.add(new Action.Release(
                    before, ModelState.RETIRED, "replaced by " + old.version() + " before", revision));
        pass.spare = old;
        pass.spareUntil = pass.now.plus(identity.probation());
        String reason = "kept for a rollback during the probation of " + next.version();
        pass.add(Action.Report.of(old, ModelRole.NONE, ModelState.WARM, reason, revision));
    }

    /** Whether the champion before is kept in memory: at most two models are, and a challenger would be the third. */
    private boolean startsProbation(Pass pass) {
        Rollout rollout = pass.view.rollout();
        return pass.challenger == null
                && pass.view.challenger() == null
                && !identity.probation().isZero()
                && rollout != null
                && rollout.getAction() == RolloutAction.PROMOTE;
    }

    private static void putChallenger(Pass pass, HeldModel model) {
        pass.challenger = model;
        pass.add(new Action.PutChallenger(model));
        pass.add(Action.Report.of(model, ModelRole.CHALLENGER, ModelState.ACTIVE, null, pass.view.revision()));
    }

    /** Instances swap one after another; a rollback does not wait. */
    private Duration untilTurn(Pass pass, Rollout rollout) {
        if (identity.stagger().isZero() || rollout.getAction() == RolloutAction.ROLLBACK) return Duration.ZERO;
        Duration delay = identity.stagger().multipliedBy(rank(identity.name()));
        Duration left = Duration.between(pass.now.time(), rollout.getAt().plus(delay));
        // Clocks differ: never longer than the delay itself.
        return left.compareTo(delay) < 0 ? left : delay;
    }

    /** Place of an instance among the others, from its name alone. */
    static int rank(String name) {
        Matcher ordinal = ORDINAL.matcher(name);
        return ordinal.find() ? Integer.parseInt(ordinal.group(1)) % 64 : Math.floorMod(name.hashCode(), 8);
    }

    // --- loading

    /**
     * Asks for a load unless it is known that it would fail.
     *
     * @param version null for the checkpoint file
     * @return whether the model is on its way
     */
    private boolean load(Pass pass, @Nullable String version, ModelRole role) {
        ModelVersion manifest = version == null ? null : pass.view.manifest(version);
        Action.Load load = new Action.Load(version, manifest, role, pass.view.revision());
        if (isBlocked(pass, load.name())) return false;
        if (version == null && !hasFile) {
            String reason = "no decision of channel " + identity.channel()
                    + " names a champion, and no checkpoint file is configured";
            reject(pass, load, new Rejection(reason, false, null));
            return false;
        }
        if (version != null) {
            if (manifest == null) return awaitManifest(pass, load, version);
            pass.missingSince.remove(version);
        }
        pass.add(load);
        return true;
    }

    private boolean awaitManifest(Pass pass, Action.Load load, String version) {
        long since = pass.missingSince.computeIfAbsent(version, v -> pass.now.nanos());
        if (pass.startUp == null && pass.now.nanos() - since < MANIFEST_TIMEOUT.toNanos()) {
            pass.wakeAt(pass.now.plus(MANIFEST_POLL));
            return true;
        }
        String reason = "there is no manifest of it: it was never published, or has been deleted";
        reject(pass, load, new Rejection(reason, true, null));
        return false;
    }

    private static boolean isBlocked(Pass pass, String name) {
        Failure failure = pass.failures.get(name);
        if (failure == null || failure.revision() != pass.view.revision()) return false;
        if (failure.permanent()) return true;
        if (pass.now.nanos() >= failure.retryAt()) return false;
        pass.wakeAt(failure.retryAt());
        return true;
    }

    private void reject(Pass pass, Action.Load load, Rejection why) {
        if (pass.startUp != null) {
            rejectAtStart(pass, pass.startUp, load, why);
            return;
        }
        pass.failures.values().removeIf(f -> f.revision() != load.revision());
        Failure before = pass.failures.get(load.name());
        int times = before == null ? 1 : before.times() + 1;
        Duration pause = RETRY.delay(times);
        long retryAt = pass.now.plus(pause);
        pass.failures.put(load.name(), new Failure(load.revision(), times, retryAt, !why.retriable()));
        if (why.retriable()) pass.wakeAt(retryAt);
        String reason =
                why.retriable() ? why.reason() + "; it is retried in " + pause.toSeconds() + " s" : why.reason();
        String serving = pass.champion == null ? null : pass.champion.version();
        pass.add(Action.Reject.of(load, reason, serving, why.cause()));
    }

    // --- guards

    private static void withdrawChallenger(Pass pass, long revision, String reason) {
        HeldModel out = Objects.requireNonNull(pass.challenger);
        pass.challenger = null;
        pass.add(new Action.ClearChallenger());
        pass.add(new Action.Release(out, ModelState.REJECTED, reason, revision));
        pass.requests.add(new GuardRequest(RolloutDecision.Action.WITHDRAW, revision, out.version(), reason));
    }

    /** Without a spare it keeps serving until the decision that is asked for. */
    private static void withdrawChampion(Pass pass, long revision, String reason) {
        HeldModel out = Objects.requireNonNull(pass.champion);
        HeldModel back = pass.spare;
        if (back != null) {
            pass.spare = null;
            pass.champion = back;
            pass.add(new Action.PutChampion(back, out));
            pass.add(new Action.Release(out, ModelState.REJECTED, reason, revision));
            String why = "in place of " + out.version();
            pass.add(Action.Report.of(back, ModelRole.CHAMPION, ModelState.ACTIVE, why, revision));
        }
        pass.requests.add(new GuardRequest(RolloutDecision.Action.ROLLBACK, revision, out.version(), reason));
    }

    private static boolean isVersion(@Nullable HeldModel model, String version) {
        return model != null && model.version().equals(version);
    }

    private static boolean isDistrusted(Pass pass, String version) {
        return new Distrusted(version, pass.view.revision()).equals(pass.distrusted);
    }

    private static void askForDecision(Pass pass) {
        // Of two decisions at once the first wins: a request about another revision is void.
        pass.requests.removeIf(r -> r.revision() != pass.view.revision());
        if (pass.requests.isEmpty()) return;
        if (pass.now.nanos() >= pass.requestAt) pass.add(new Action.AskDecision(pass.requests.get(0)));
        else pass.wakeAt(pass.requestAt);
    }
}
