package io.linesight.streams.serving;

import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.streams.support.TestModels;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Plays a channel, a store and a clock to the reconciler, and writes down what it wants done. Commands are separated by
 * semicolons, or by {@code &} where the reconciler sees only what comes of both:
 *
 * <ul>
 *   <li>{@code promote v1}, {@code rollback v1}, {@code shadow v1 v2}, {@code canary v1 v2}, {@code unname}: a decision
 *   <li>{@code publish v1}, {@code delete v1}: its manifest comes or goes; all are there at first
 *   <li>{@code ok}, {@code bad}, {@code away}: the load succeeds, fails for good, fails for now; {@code cancel}: it
 *       finds that it is not wanted
 *   <li>{@code distrust v1}: a guard trips; {@code mute}: decisions cannot be written; {@code unmute}
 *   <li>{@code +5s}: time passes; {@code wake}: it passes until the reconciler asked to be woken
 * </ul>
 */
final class ReconcilerScript {

    private final ServingReconciler reconciler;
    private final List<String> trace = new ArrayList<>();
    private final Map<String, ModelVersion> deleted = new HashMap<>();
    private final TestModels models = new TestModels();
    private ServingState state;
    private Action.Load loading;
    private boolean mute;
    private boolean ended;
    private long nanos;
    private long wakeAt;
    private long nextId;
    private long decidedAt;
    private long decidedRevision;

    ReconcilerScript(ModelLifecycle.Identity identity, boolean hasFile, Duration startTimeout) {
        reconciler = new ServingReconciler(identity, hasFile);
        state = ServingState.starting(startTimeout.toNanos());
        for (int i = 1; i <= 9; i++) models.publish("v" + i);
    }

    /** What the reconciler wanted done, reports left out. */
    List<String> trace() {
        return trace;
    }

    ServingState state() {
        return state;
    }

    ReconcilerScript run(String script) {
        for (String commands : script.split(";")) {
            for (String command : commands.split("&")) obey(command.trim().split(" +"));
            pass();
        }
        return this;
    }

    private void obey(String... words) {
        switch (words[0]) {
            case "promote" -> models.promote(words[1]);
            case "rollback" -> models.decide(RolloutAction.ROLLBACK, RolloutMode.ACTIVE, words[1], null);
            case "unname" -> models.decide(RolloutAction.ROLLBACK, RolloutMode.ACTIVE, null, null);
            case "shadow" -> models.shadow(words[1], words[2]);
            case "canary" -> models.canary(words[1], words[2]);
            case "publish" -> models.versions.put(words[1], deleted.remove(words[1]));
            case "delete" -> deleted.put(words[1], models.versions.remove(words[1]));
            case "ok" -> succeed();
            case "bad" -> fail(new Rejection("it is bad", false, null));
            case "away" -> fail(new Rejection("the store is away", true, null));
            case "cancel" -> cancel();
            case "distrust" -> distrust(words[1]);
            case "mute" -> mute = true;
            case "unmute" -> mute = false;
            case "start" -> {}
            case "wake" -> {
                trace.add("after " + (wakeAt - nanos) / 1_000_000 + " ms");
                nanos = wakeAt;
            }
            default ->
                nanos += Duration.parse("PT" + words[0].substring(1).toUpperCase())
                        .toNanos();
        }
    }

    private Moment now() {
        return new Moment(
                nanos,
                models.current().map(Rollout::getAt).orElse(Instant.EPOCH).plusNanos(sinceDecision()));
    }

    private long sinceDecision() {
        long revision = models.current().map(Rollout::getRevision).orElse(0L);
        if (revision != decidedRevision) {
            decidedRevision = revision;
            decidedAt = nanos;
        }
        return nanos - decidedAt;
    }

    private void pass() {
        Moment now = now();
        while (loading == null && !ended) {
            ChannelView view = ChannelView.of(models);
            Step step = reconciler.reconcile(state, view, now);
            boolean settled = step.actions().isEmpty();
            carryOut(step);
            wakeAt = step.wakeAt();
            if (settled) return;
        }
    }

    private void carryOut(Step step) {
        state = step.state();
        for (Action action : step.actions()) carryOut(action);
    }

    private void carryOut(Action action) {
        if (action instanceof Action.Load load) {
            trace.add("load " + load.name() + (load.role() == ModelRole.CHALLENGER ? " as challenger" : ""));
            loading = load;
        } else if (action instanceof Action.PutChampion put) {
            trace.add("champion " + put.model().version());
        } else if (action instanceof Action.PutChallenger put) {
            trace.add("challenger " + put.model().version());
        } else if (action instanceof Action.ClearChallenger) {
            trace.add("no challenger");
        } else if (action instanceof Action.Withdraw withdraw) {
            trace.add("withdraw " + withdraw.version());
        } else if (action instanceof Action.Release release) {
            trace.add("release " + release.model().version());
        } else if (action instanceof Action.Reject reject) {
            trace.add("reject " + reject.version());
        } else if (action instanceof Action.AwaitChampion await) {
            trace.add("await " + await.version());
        } else if (action instanceof Action.StandIn standIn) {
            trace.add(standIn.version() + " stands in for " + standIn.rejected());
        } else if (action instanceof Action.FailStart) {
            trace.add("fail");
            ended = true;
        } else if (action instanceof Action.AskDecision ask) {
            answer(ask.request());
        }
    }

    private void answer(GuardRequest request) {
        trace.add("ask " + request.action() + " " + request.version());
        carryOut(mute ? reconciler.askFailed(state, now()) : reconciler.asked(state, request));
    }

    private void succeed() {
        Action.Load load = Objects.requireNonNull(loading);
        loading = null;
        String version = load.version() == null ? "file" : load.version();
        ModelVersion manifest = load.manifest();
        String sha = manifest == null ? "00" : manifest.getSha256();
        HeldModel model = new HeldModel(nextId++, version, sha, load.version() == null, "cpu", 1);
        carryOut(reconciler.loaded(state, load, model, ChannelView.of(models), now()));
    }

    private void fail(Rejection why) {
        Action.Load load = Objects.requireNonNull(loading);
        loading = null;
        carryOut(reconciler.rejected(state, load, why, ChannelView.of(models), now()));
    }

    private void cancel() {
        Action.Load load = Objects.requireNonNull(loading);
        loading = null;
        if (reconciler.isWanted(state, load, ChannelView.of(models)))
            throw new AssertionError(load.name() + " is still wanted");
    }

    private void distrust(String version) {
        Step step = reconciler.distrust(state, state.plan().revision(), version, "guard: too many errors");
        if (step == null) trace.add("nothing to distrust");
        else carryOut(step);
    }
}
