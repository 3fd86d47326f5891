package io.linesight.models.rollouts;

import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What may be decided about a channel, as pure functions of what is known: the record to write next, or why not.
 *
 * <table>
 * <caption>What each does</caption>
 * <tr><th>promote</th><td>the version becomes champion, the champion previous; no challenger any more</td></tr>
 * <tr><th>rollback</th><td>previous becomes champion again; previous then is what lay before it, so a second rollback goes further back</td></tr>
 * <tr><th>shadow, canary</th><td>the version becomes challenger, in place of one that is there</td></tr>
 * <tr><th>withdraw</th><td>no challenger any more</td></tr>
 * <tr><th>pin, unpin</th><td>nothing but rollback and unpin by a person is possible; possible again</td></tr>
 * </table>
 *
 * <p>A version is only named when it is in the registry, its manifest is trusted here, it was made for this channel and
 * did not fail its gate; a person may force the last two with a reason. Programs need a gate that was passed.
 */
public final class RolloutRules {
    private final RegistryState known;
    private final ChannelState channel;
    private final Author author;
    private final boolean force;

    private RolloutRules(RegistryState known, String channel, Author author, boolean force) {
        this.known = known;
        this.channel = known.channel(channel);
        this.author = author;
        this.force = force;
    }

    public static Decision promote(RegistryState known, String channel, String version, Author author, boolean force) {
        return new RolloutRules(known, channel, author, force).promote(version);
    }

    public static Decision rollback(RegistryState known, String channel, Author author) {
        return new RolloutRules(known, channel, author, false).rollback();
    }

    /** @param percent share of the frames that both score, more than 0 and at most 100 */
    public static Decision shadow(
            RegistryState known, String channel, String version, double percent, Author author, boolean force) {
        return new RolloutRules(known, channel, author, force).shadow(version, percent);
    }

    /**
     * @param cameras whose frames the challenger decides
     * @param products whose frames it decides
     * @param percent share of the cameras, 0 to 100, whose frames it decides besides
     */
    public static Decision canary(
            RegistryState known,
            String channel,
            String version,
            List<String> cameras,
            List<String> products,
            double percent,
            Author author,
            boolean force) {
        return new RolloutRules(known, channel, author, force).canary(version, cameras, products, percent);
    }

    public static Decision withdraw(RegistryState known, String channel, Author author) {
        return new RolloutRules(known, channel, author, false).withdraw();
    }

    public static Decision pin(RegistryState known, String channel, Author author) {
        return new RolloutRules(known, channel, author, false).pin();
    }

    public static Decision unpin(RegistryState known, String channel, Author author) {
        return new RolloutRules(known, channel, author, false).unpin();
    }

    private Decision promote(String version) {
        Optional<String> rejection = pinned().or(() -> unfit(version));
        if (rejection.isPresent()) return new Decision.Rejected(rejection.get());
        Rollout now = channel.inForce().orElse(null);
        String champion = now == null ? null : now.getChampion();
        if (version.equals(champion))
            return new Decision.Rejected(version + " is the champion of '" + name() + "' already"
                    + (now.getChallenger() == null ? "" : "; 'withdraw' ends the trial of " + now.getChallenger()));
        return next(RolloutAction.PROMOTE, active().setChampion(version).setPrevious(champion));
    }

    private Decision rollback() {
        Rollout now = channel.inForce().orElse(null);
        if (author.automatic() && now != null && now.getPinned()) return new Decision.Rejected(pinned().orElseThrow());
        if (now == null || now.getPrevious() == null) {
            return new Decision.Rejected(
                    "the channel '" + name() + "' has no previous champion to go back to; promote a version instead");
        }
        Optional<String> rejection = unknown(now.getPrevious());
        if (rejection.isPresent()) return new Decision.Rejected(rejection.get());
        return next(
                RolloutAction.ROLLBACK, active().setChampion(now.getPrevious()).setPrevious(beforePrevious(now)));
    }

    /** What the target of a rollback had replaced itself, if that is still there. */
    private @Nullable String beforePrevious(Rollout now) {
        List<Rollout> decisions = channel.decisions();
        for (int i = decisions.size() - 1; i >= 0; i--) {
            Rollout d = decisions.get(i);
            if (Objects.equals(d.getChampion(), now.getPrevious())) {
                String before = d.getPrevious();
                return before == null
                                || before.equals(now.getChampion())
                                || unknown(before).isPresent()
                        ? null
                        : before;
            }
        }
        return null;
    }

    private Decision shadow(String version, double percent) {
        Optional<String> rejection = challenger(version);
        if (rejection.isPresent()) return new Decision.Rejected(rejection.get());
        if (!(percent > 0 && percent <= 100))
            return new Decision.Rejected(
                    "a shadow scores a share of the frames: more than 0 and at most 100 percent, not " + percent);
        return next(
                RolloutAction.SHADOW,
                active().setMode(RolloutMode.SHADOW).setChallenger(version).setPercent(percent));
    }

    private Decision canary(String version, List<String> cameras, List<String> products, double percent) {
        Optional<String> rejection = challenger(version);
        if (rejection.isPresent()) return new Decision.Rejected(rejection.get());
        if (!(percent >= 0 && percent <= 100))
            return new Decision.Rejected("a canary takes 0 to 100 percent of the cameras, not " + percent);
        if (cameras.isEmpty() && products.isEmpty() && percent == 0)
            return new Decision.Rejected("a canary needs frames to decide: name cameras, products or a percentage");
        if (cameras.stream().anyMatch(String::isBlank) || products.stream().anyMatch(String::isBlank))
            return new Decision.Rejected("a camera or product of the canary has no name");
        return next(
                RolloutAction.CANARY,
                active().setMode(RolloutMode.CANARY)
                        .setChallenger(version)
                        .setCameras(List.copyOf(cameras))
                        .setProducts(List.copyOf(products))
                        .setPercent(percent));
    }

    private Optional<String> challenger(String version) {
        Rollout now = channel.inForce().orElse(null);
        Optional<String> rejection = pinned();
        if (rejection.isEmpty() && (now == null || now.getChampion() == null))
            rejection = Optional.of(
                    "the channel '" + name() + "' has no champion to compare with; promote a version first");
        if (rejection.isEmpty()) rejection = unfit(version);
        if (rejection.isEmpty() && version.equals(now.getChampion()))
            rejection = Optional.of(
                    version + " is the champion of '" + name() + "' and cannot challenge itself; name another version");
        return rejection;
    }

    private Decision withdraw() {
        Optional<String> rejection = pinned();
        if (rejection.isPresent()) return new Decision.Rejected(rejection.get());
        if (channel.inForce().map(Rollout::getChallenger).isEmpty())
            return new Decision.Rejected("the channel '" + name() + "' has no challenger to withdraw");
        return next(RolloutAction.WITHDRAW, active());
    }

    private Decision pin() {
        Rollout now = channel.inForce().orElse(null);
        if (now == null)
            return new Decision.Rejected("nothing was ever decided for the channel '" + name()
                    + "', so there is nothing to pin; promote a version first");
        if (now.getPinned()) return new Decision.Rejected(pinned().orElseThrow());
        return next(RolloutAction.PIN, Rollout.newBuilder(now).setPinned(true));
    }

    private Decision unpin() {
        Rollout now = channel.inForce().orElse(null);
        if (now == null || !now.getPinned()) return new Decision.Rejected("the channel '" + name() + "' is not pinned");
        if (author.automatic()) return new Decision.Rejected(pinned().orElseThrow());
        return next(RolloutAction.UNPIN, Rollout.newBuilder(now).setPinned(false));
    }

    private Optional<String> pinned() {
        Rollout now = channel.inForce().orElse(null);
        if (now == null || !now.getPinned()) return Optional.empty();
        Rollout pin = now;
        for (Rollout d : channel.decisions()) {
            if (d.getAction() == RolloutAction.PIN) pin = d;
        }
        return Optional.of("the channel '" + name() + "' is pinned by " + pin.getBy() + " since " + pin.getAt()
                + (pin.getReason().isBlank() ? "" : " (" + pin.getReason() + ")")
                + (author.automatic() ? "; automatic changes wait until a person unpins it" : "; 'unpin' it first"));
    }

    private Optional<String> unknown(String version) {
        PublishedVersion v = known.version(version).orElse(null);
        if (v == null)
            return Optional.of("there is no version " + version + " in the registry; 'list' shows those there are");
        if (!v.verification().accepted())
            return Optional.of(version + " is not trusted, every instance would reject it: "
                    + v.verification().message());
        return Optional.empty();
    }

    private Optional<String> unfit(String version) {
        Optional<String> rejection = unknown(version);
        if (rejection.isPresent()) return rejection;
        ModelVersion m = known.version(version).orElseThrow().manifest();
        GateOutcome gate = m.getGate().getOutcome();
        if (force) {
            if (author.automatic()) return Optional.of("only a person can force a decision");
            if (author.reason().isBlank()) return Optional.of("forcing a decision needs a reason, for the history");
            return Optional.empty();
        }
        if (!m.getChannel().equals(name()))
            return Optional.of(version + " was made for the channel '" + m.getChannel() + "', not for '" + name()
                    + "'; a person can force it with a reason");
        if (gate == GateOutcome.FAILED) {
            return Optional.of(version + " failed its gate"
                    + (m.getGate().getReason().isBlank()
                            ? ""
                            : ": " + m.getGate().getReason())
                    + "; train a better one. A person can force it with a reason");
        }
        if (author.automatic() && gate != GateOutcome.PASSED)
            return Optional.of(version + " has not passed a gate (" + gate + "), so only a person can roll it out");
        return Optional.empty();
    }

    /** What is in force, with the champion alone. */
    private Rollout.Builder active() {
        Rollout.Builder b = channel.inForce().map(Rollout::newBuilder).orElseGet(Rollout::newBuilder);
        return b.setMode(RolloutMode.ACTIVE)
                .setChallenger(null)
                .setCameras(List.of())
                .setProducts(List.of())
                .setPercent(0);
    }

    private Decision next(RolloutAction action, Rollout.Builder b) {
        return new Decision.Next(b.setChannel(name())
                .setRevision(channel.revision() + 1)
                .setBasedOn(channel.revision())
                .setAction(action)
                .setBy(author.by())
                .setAutomatic(author.automatic())
                .setReason(author.reason())
                .setAt(author.at())
                .build());
    }

    private String name() {
        return channel.channel();
    }
}
