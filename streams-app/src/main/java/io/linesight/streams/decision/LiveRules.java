package io.linesight.streams.decision;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.ThresholdKeep;
import io.linesight.schemas.ThresholdSetting;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What people have set for a product comes first, then what they have set for all products, then the configuration,
 * then the checkpoint.
 *
 * <p>A threshold holds as it is with the model that it was set for. With another model, whose raw scores may mean
 * something else, it holds as people wanted: the raw value, or the share of good parts that it was expected to reject,
 * by the new model's own distribution of normal scores. Where that is not known, the new model's threshold decides,
 * with a warning and a metric.
 *
 * <p>Thread-safe.
 */
public final class LiveRules implements DecisionRules {
    private static final Logger LOG = LoggerFactory.getLogger(LiveRules.class);
    /** Rules kept of one state; more than one model and product in service is rare, and versions come and go. */
    private static final int MAX_KEPT = 10_000;

    private final VerdictRule configured;
    private final Supplier<SettingsState> settings;
    private volatile Kept kept;

    private record Key(String model, String product) {}

    /** @param carried whether the threshold, if there is one, could be carried to the model */
    private record Found(DecisionRule rule, boolean carried) {}

    /** Rules of one state of the settings. */
    private record Kept(SettingsState state, Map<Key, Found> rules) {}

    /**
     * @param configured limits of the review band by configuration
     * @param settings the newest state, the same object while nothing changes
     */
    public LiveRules(VerdictRule configured, Supplier<SettingsState> settings) {
        this.configured = configured;
        this.settings = settings;
        kept = new Kept(settings.get(), new ConcurrentHashMap<>());
    }

    @Override
    public DecisionRule of(CheckpointInfo model, @Nullable String product) {
        SettingsState now = settings.get();
        Kept k = kept;
        if (k.state != now || k.rules.size() > MAX_KEPT) {
            k = new Kept(now, new ConcurrentHashMap<>());
            kept = k;
        }
        // Names of products are not ours to bound: those without settings share one rule.
        String name = Objects.requireNonNullElse(product, "");
        Key key = new Key(model.version(), now.history().containsKey(name) ? name : SettingsState.ALL);
        Found found = k.rules.get(key);
        if (found == null) {
            found = find(now, model, key.product);
            if (k.rules.putIfAbsent(key, found) == null && !found.carried) warn(now, model, key.product);
        }
        return found.rule;
    }

    /** Models and products whose threshold, set by people, could not be carried to the model. */
    public int notCarried() {
        return (int) kept.rules.values().stream().filter(f -> !f.carried).count();
    }

    private Found find(SettingsState now, CheckpointInfo model, String product) {
        ProductSettings s = now.of(product).orElse(null);
        if (s == null) return new Found(new DecisionRule(configured, null, now.end()), true);
        VerdictRule band = new VerdictRule(
                s.getReviewLow() == null ? configured.low() : s.getReviewLow(),
                s.getReviewHigh() == null ? configured.high() : s.getReviewHigh());
        Double threshold = s.getThreshold() == null ? null : carried(s.getThreshold(), model, product);
        return new Found(new DecisionRule(band, threshold, now.end()), s.getThreshold() == null || threshold != null);
    }

    /** Null where it cannot be carried to this model. */
    private static @Nullable Double carried(ThresholdSetting t, CheckpointInfo model, String product) {
        if (t.getModelVersion().equals(model.version()) || t.getKeep() == ThresholdKeep.RAW_VALUE) return t.getRaw();
        ScoreQuantiles normals = model.calibration().forProduct(product).normals();
        Double rate = t.getFalseRejectRate();
        return normals == null || rate == null ? null : (Double) normals.scoreAt(rate);
    }

    private static void warn(SettingsState now, CheckpointInfo model, String product) {
        LOG.warn(
                "The threshold of product '{}', channel '{}', was set for model {}; model {} does not say how its "
                        + "scores of good parts are distributed, so its own threshold decides. Set one for it "
                        + "('linesight settings set'), or let 'linesight calibrate' make it say",
                product,
                now.channel(),
                now.of(product).map(s -> s.getThreshold().getModelVersion()).orElse(""),
                model.version());
    }
}
