package io.linesight.demo.story;

import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.schemas.Rollout;
import io.linesight.streams.routing.FollowedChannel;
import java.util.List;

/** The person who decides which model runs, always with a reason. One thread. */
final class Engineer {
    static final String NAME = "engineer";

    private final FollowedChannel followed;
    private final String channel;

    Engineer(FollowedChannel followed, String channel) {
        this.followed = followed;
        this.channel = channel;
    }

    private interface Rule {
        Decision decide(RegistryState state, Author author);
    }

    /** The decision in force. */
    Rollout current() {
        return followed.view().state().channel(channel).inForce().orElseThrow();
    }

    Rollout promote(String version, String reason) throws RolloutException, InterruptedException {
        return decide((state, author) -> RolloutRules.promote(state, channel, version, author, false), reason);
    }

    /** Lets the challenger decide the frames of one camera. */
    Rollout startCanary(String version, String camera, String reason) throws RolloutException, InterruptedException {
        return decide(
                (state, author) ->
                        RolloutRules.canary(state, channel, version, List.of(camera), List.of(), 0, author, false),
                reason);
    }

    /** Takes the challenger back. */
    Rollout withdraw(String reason) throws RolloutException, InterruptedException {
        return decide((state, author) -> RolloutRules.withdraw(state, channel, author), reason);
    }

    private Rollout decide(Rule rule, String reason) throws RolloutException, InterruptedException {
        Author author = Author.person(NAME, reason);
        return followed.decide(state -> rule.decide(state, author));
    }
}
