package io.linesight.streams.routing;

import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.CanarySelector;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.ModelRegistry;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.rollouts.RolloutWriter;
import io.linesight.models.rollouts.ShadowSampler;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.signing.Verification;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.streams.serving.ModelRejectedException;
import io.linesight.streams.serving.RolloutDecision.Action;
import io.linesight.streams.serving.RolloutFeed;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Joins an inspection app to a rollout channel of the model registry: the decisions it follows, the store it fetches
 * from, the keys it trusts, and the decisions its guards ask for.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it, after the app that {@link #control} was given to.
 */
public final class FollowedChannel implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FollowedChannel.class);
    private final String channel;
    private final String instance;
    private final TrustedKeys trusted;
    private final ModelRegistry registry;
    private final ModelRegistryView view;
    private final CheckpointStores stores;
    private final RolloutWriter writer;

    private FollowedChannel(ModelsConfig config, TrustedKeys trusted, String channel, String instance) {
        this.channel = channel;
        this.instance = instance;
        this.trusted = trusted;
        registry = ModelRegistry.open(config);
        try {
            view = ModelRegistryView.open(config, trusted);
        } catch (RuntimeException e) {
            registry.close();
            throw e;
        }
        stores = CheckpointStores.open(config);
        writer = new RolloutWriter(registry, view, config.timeout());
    }

    /**
     * Connects, and returns when all that was decided so far has been read, so that an app started next comes up on the
     * right model.
     *
     * @param settings of the inspection app; those of Kafka's clients may have their prefix {@code kafka.}
     * @param channel to follow
     * @param instance in whose name guards decide
     * @throws IllegalArgumentException when a setting is wrong, or does not say whose checkpoints count
     * @throws IOException naming a key that cannot be read
     * @throws KafkaException with a message for people when broker or registry do not answer or a topic is missing;
     *     nothing stays open
     */
    public static FollowedChannel open(Map<String, ?> settings, String channel, String instance)
            throws IOException, InterruptedException {
        ModelsConfig config = ModelsConfig.of(settings);
        FollowedChannel followed = new FollowedChannel(config, TrustedKeys.of(config), channel, instance);
        boolean read = false;
        try {
            read = followed.view.awaitCaughtUp(config.timeout());
            if (!read) {
                throw new KafkaException("what was decided for channel '" + channel + "' could not be read within "
                        + config.timeout().toSeconds() + " s: " + followed.view.obstacle()
                        + ". Fix that, then start again");
            }
            return followed;
        } finally {
            if (!read) followed.close();
        }
    }

    /** What is known of checkpoints and decisions. */
    public ModelRegistryView view() {
        return view;
    }

    /** For an app; to be closed before this. */
    public ModelControl control() {
        return new ModelControl(
                new Feed(),
                (version, directory) -> stores.fetch(version, directory),
                this::check,
                (rollout, camera, product, frame) -> CanarySelector.selects(rollout, camera, product),
                (rollout, camera, product, frame) -> ShadowSampler.samples(rollout, camera, frame.getOffset()),
                this::ask);
    }

    /**
     * Takes one decision about the channel.
     *
     * @param rule one of {@link RolloutRules}, given the newest state
     * @throws RolloutException if it did not come into force, or perhaps did not
     */
    public Rollout decide(Function<RegistryState, Decision> rule) throws RolloutException, InterruptedException {
        return writer.decide(channel, rule);
    }

    private final class Feed implements RolloutFeed {
        @Override
        public Optional<Rollout> current() {
            return view.state().channel(channel).inForce();
        }

        @Override
        public List<String> champions() {
            LinkedHashSet<String> out = new LinkedHashSet<>();
            List<Rollout> decisions = view.state().channel(channel).decisions();
            for (int i = decisions.size() - 1; i >= 0; i--)
                if (decisions.get(i).getChampion() != null)
                    out.add(decisions.get(i).getChampion());
            return List.copyOf(out);
        }

        @Override
        public Optional<ModelVersion> version(String version) {
            return view.state().version(version).map(PublishedVersion::manifest);
        }

        @Override
        public Subscription listen(Runnable changed) {
            ModelRegistryView.Subscription s = view.listen(state -> changed.run());
            return s::close;
        }
    }

    private void check(ModelVersion version) throws ModelRejectedException {
        Verification v = trusted.verify(version);
        if (!v.accepted()) throw new ModelRejectedException(v.message());
    }

    /** A guard's decision. Whether it is still called for is looked at in the newest state, by the rule. */
    private void ask(Action action, long basedOn, String version, String reason) throws Exception {
        try {
            Rollout r = decide(known -> guarded(known, action, basedOn, Author.program(instance + ", guard", reason)));
            LOG.warn(
                    "Decided for channel '{}': {} {} ({}); revision {}",
                    channel,
                    action,
                    version,
                    reason,
                    r.getRevision());
        } catch (RolloutException e) {
            switch (e.kind()) {
                case REJECTED, OVERTAKEN ->
                    LOG.warn("The decision to {} {} is not taken: {}", action, version, e.getMessage());
                default -> throw e;
            }
        }
    }

    private Decision guarded(RegistryState known, Action action, long basedOn, Author author) {
        long now = known.channel(channel).revision();
        if (now != basedOn)
            return new Decision.Rejected("revision " + now + " is in force meanwhile instead of " + basedOn);
        return action == Action.WITHDRAW
                ? RolloutRules.withdraw(known, channel, author)
                : RolloutRules.rollback(known, channel, author);
    }

    @Override
    public void close() {
        view.close();
        stores.close();
        registry.close();
    }
}
