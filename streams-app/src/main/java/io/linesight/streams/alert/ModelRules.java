package io.linesight.streams.alert;

import io.linesight.models.rollouts.ChannelState;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.streams.alert.CameraState.Behind;
import io.linesight.streams.alert.CameraState.LiveAlert;
import io.linesight.streams.alert.CameraState.ModelWatch;
import io.linesight.streams.config.AlertSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the rollouts of a channel and the words of its instances do to the alerts about models.
 *
 * <p>They belong to no camera, and all tasks see the same registry, so one task alone makes them: that of partition 0,
 * where actions without a camera arrive too. The registry is followed and not a source of the topology, because it may
 * be missing where a fixed checkpoint serves. What was alarmed is part of the state, so a restart alarms for nothing
 * twice.
 *
 * <p>Nobody can tell a killed instance from one that hangs by what it wrote before. An instance is behind when it has
 * heard of the decision in force and does not serve its champion; what says nothing at all is for the metrics.
 */
final class ModelRules {
    private static final int MAX_INSTANCES = 1_000;
    private static final int MAX_GUARD_ALERTS = 50;

    private final AlertSettings limits;
    private final AlertPolicies policies;

    ModelRules(AlertSettings limits, AlertPolicies policies) {
        this.limits = limits;
        this.policies = policies;
    }

    /** @return whether anything changed */
    boolean apply(Turn turn, AlertEvent.Models seen) {
        Rollout inForce = seen.channel().inForce().orElse(null);
        if (inForce == null) return false;
        boolean changed = watchGuards(turn, seen.channel(), inForce.getRevision());
        return watchInstances(turn, inForce, seen.statuses()) || changed;
    }

    // --- guards

    private boolean watchGuards(Turn turn, ChannelState channel, long revision) {
        ModelWatch watch = turn.state.models;
        if (watch == null || watch.revision > revision) {
            // Of what was decided before the first start, or before the topic was made again, only the last hour
            // alarms.
            long since = turn.now - AlertTopology.FIRST_LOOK_BACK.toNanos() / 1_000;
            watch = new ModelWatch();
            watch.revision = channel.decisions().stream()
                    .filter(r -> AlertRecords.micros(r.getAt()) < since)
                    .mapToLong(Rollout::getRevision)
                    .max()
                    .orElse(0);
            turn.state.models = watch;
        } else if (watch.revision == revision) {
            return false;
        }
        Rollout before = null;
        for (Rollout r : channel.decisions()) {
            if (r.getRevision() > watch.revision) decided(turn, r, before);
            before = r;
        }
        watch.revision = revision;
        return true;
    }

    private void decided(Turn turn, Rollout r, @Nullable Rollout before) {
        boolean guard = r.getAutomatic()
                && (r.getAction() == RolloutAction.WITHDRAW || r.getAction() == RolloutAction.ROLLBACK);
        if (guard) openGuard(turn, r, before);
        if (r.getAutomatic()) return;
        // Somebody has looked at it and decided.
        boolean latched = policies.of(turn.state.camera, null).latched();
        for (LiveAlert a : List.copyOf(turn.state.alerts))
            if (a.condition.equals(Conditions.GUARD_TRIPPED) && a.active) turn.clear(a, latched, turn.now);
    }

    private static void openGuard(Turn turn, Rollout r, @Nullable Rollout before) {
        makeRoom(turn);
        boolean withdrawn = r.getAction() == RolloutAction.WITHDRAW;
        String version = before == null ? null : withdrawn ? before.getChallenger() : before.getChampion();
        LiveAlert a = alert(Conditions.GUARD_TRIPPED, AlertSeverity.HIGH, version);
        a.details.put("channel", r.getChannel());
        a.details.put("revision", "" + r.getRevision());
        a.details.put("version", text(version));
        a.details.put("action", withdrawn ? "withdrawn" : "rolled back");
        a.details.put("by", r.getBy());
        a.details.put("why", r.getReason());
        turn.openAs(a, r.getChannel() + "-" + r.getRevision(), turn.now);
    }

    private static void makeRoom(Turn turn) {
        List<LiveAlert> guards = turn.state.alerts.stream()
                .filter(a -> a.condition.equals(Conditions.GUARD_TRIPPED))
                .toList();
        if (guards.size() >= MAX_GUARD_ALERTS)
            turn.close(
                    guards.get(0),
                    turn.now,
                    Turn.Author.program("there are more than " + MAX_GUARD_ALERTS + " of them"));
    }

    private static LiveAlert alert(String condition, AlertSeverity severity, @Nullable String version) {
        LiveAlert a = new LiveAlert();
        a.kind = AlertKind.MODEL;
        a.condition = condition;
        a.severity = severity;
        a.model = version;
        return a;
    }

    // --- instances

    private boolean watchInstances(Turn turn, Rollout inForce, List<ModelStatus> statuses) {
        ModelWatch watch = turn.state.models;
        if (watch == null || limits.modelBehind().isZero()) return false;
        Map<String, ModelStatus> behind = behind(inForce, statuses);
        boolean changed = watch.behind.keySet().stream().anyMatch(i -> !behind.containsKey(i));
        for (String instance : List.copyOf(watch.behind.keySet()))
            if (!behind.containsKey(instance)) catchUp(turn, watch, instance);
        for (Map.Entry<String, ModelStatus> e : behind.entrySet())
            changed |= fallBack(turn, watch, inForce, e.getKey(), e.getValue());
        return changed;
    }

    /** Instances that heard of the decision and serve another champion, with what they say of the one decided. */
    private static Map<String, ModelStatus> behind(Rollout inForce, List<ModelStatus> statuses) {
        Map<String, ModelStatus> out = new TreeMap<>();
        if (inForce.getChampion() == null) return out;
        Map<String, List<ModelStatus>> byInstance = new LinkedHashMap<>();
        for (ModelStatus s : statuses)
            if (s.getChannel().equals(inForce.getChannel()))
                byInstance
                        .computeIfAbsent(s.getInstance(), i -> new ArrayList<>())
                        .add(s);
        byInstance.forEach((instance, all) -> {
            ModelStatus last = lastWord(inForce, all);
            if (last != null) out.put(instance, last);
        });
        return out;
    }

    /** Null where the instance serves the champion, has stopped, or says nothing since the decision. */
    private static @Nullable ModelStatus lastWord(Rollout inForce, List<ModelStatus> all) {
        boolean running = false;
        boolean heard = false;
        ModelStatus last = all.get(all.size() - 1);
        for (ModelStatus s : all) {
            boolean wanted = s.getVersion().equals(inForce.getChampion());
            if (wanted && s.getState() == ModelState.ACTIVE && s.getRole() == ModelRole.CHAMPION) return null;
            if (wanted) last = s;
            running |= s.getState() == ModelState.ACTIVE || s.getState() == ModelState.LOADING;
            heard |= s.getRolloutRevision() >= inForce.getRevision();
        }
        return running && heard ? last : null;
    }

    private boolean fallBack(Turn turn, ModelWatch watch, Rollout inForce, String instance, ModelStatus last) {
        Behind b = watch.behind.get(instance);
        boolean changed = false;
        LiveAlert alert = find(turn, instance);
        if (b == null || b.revision != inForce.getRevision()) {
            if (b == null && watch.behind.size() >= MAX_INSTANCES) return false;
            b = new Behind();
            b.since = turn.now;
            b.revision = inForce.getRevision();
            b.alarmed = alert != null && alert.active;
            watch.behind.put(instance, b);
            changed = true;
        }
        if (b.since > turn.now) {
            b.since = turn.now;
            changed = true;
        }
        if (b.alarmed) return describe(alert, inForce, instance, last) || changed;
        if (turn.now - b.since < limits.modelBehind().toNanos() / 1_000) return changed;
        b.alarmed = true;
        if (alert != null) {
            describe(alert, inForce, instance, last);
            turn.reopen(alert, turn.now);
            return true;
        }
        LiveAlert a = alert(Conditions.INSTANCE_BEHIND, AlertSeverity.MEDIUM, inForce.getChampion());
        describe(a, inForce, instance, last);
        turn.openAs(a, instance + "-" + inForce.getRevision() + "-" + b.since / 1_000_000, turn.now);
        return true;
    }

    private void catchUp(Turn turn, ModelWatch watch, String instance) {
        watch.behind.remove(instance);
        LiveAlert alert = find(turn, instance);
        if (alert != null && alert.active)
            turn.clear(alert, policies.of(turn.state.camera, null).latched(), turn.now);
    }

    private static @Nullable LiveAlert find(Turn turn, String instance) {
        for (LiveAlert a : turn.state.alerts)
            if (a.condition.equals(Conditions.INSTANCE_BEHIND) && instance.equals(a.details.get("instance"))) return a;
        return null;
    }

    /** @return whether it says something else now; false where the alert was closed */
    private static boolean describe(@Nullable LiveAlert a, Rollout inForce, String instance, ModelStatus last) {
        if (a == null) return false;
        Map<String, String> details = new TreeMap<>();
        details.put("instance", instance);
        details.put("channel", inForce.getChannel());
        details.put("revision", "" + inForce.getRevision());
        details.put("champion", text(inForce.getChampion()));
        details.put("version", last.getVersion());
        details.put("state", last.getState().name());
        details.put("why", text(last.getReason()));
        if (a.details.equals(details)) return false;
        a.details.clear();
        a.details.putAll(details);
        a.model = inForce.getChampion();
        a.newerCounts = true;
        return true;
    }

    // --- words

    /** One sentence for people. */
    static String message(LiveAlert a) {
        Map<String, String> d = a.details;
        String why = d.getOrDefault("why", "");
        String reason = why.isEmpty() ? "." : ": " + why + (why.endsWith(".") ? "" : ".");
        if (a.condition.equals(Conditions.GUARD_TRIPPED))
            return "Model " + d.get("version") + " of channel " + d.get("channel") + " was " + d.get("action")
                    + " by a guard" + reason;
        String instance = "Instance " + d.get("instance");
        String champion = d.get("champion") + ", the champion of channel " + d.get("channel");
        if (!a.active) return instance + " is no longer behind with " + champion + ".";
        return instance + " does not serve " + champion + "; last it said that " + d.get("version") + " is "
                + d.get("state") + reason;
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }
}
