package io.linesight.models.settings;

import io.linesight.schemas.ProductSettings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The live settings of a channel at one moment. Immutable but for the records in it, which are not to be changed.
 *
 * @param channel its name
 * @param end offset behind the last record of the topic that was read, whatever it was about: it names this state
 * @param history all that was ever written, oldest first, by product
 */
public record SettingsState(String channel, long end, Map<String, List<SettingsEntry>> history) {
    /** Stands for all products that have no settings of their own. */
    public static final String ALL = "*";

    public SettingsState {
        Map<String, List<SettingsEntry>> copy = new HashMap<>();
        history.forEach((product, entries) -> copy.put(product, List.copyOf(entries)));
        history = Map.copyOf(copy);
    }

    static SettingsState empty(String channel) {
        return new SettingsState(channel, 0, Map.of());
    }

    /** Products with a history, {@value #ALL} among them where it has one. */
    public List<String> products() {
        return List.copyOf(new TreeSet<>(history.keySet()));
    }

    /** All that was ever written for a product, oldest first. */
    public List<SettingsEntry> history(String product) {
        return history.getOrDefault(product, List.of());
    }

    /** The newest settings of a product that came into force, whether or not they can be applied. */
    public Optional<ProductSettings> inForce(String product) {
        return newest(product, SettingsEntry::counted);
    }

    /** Those that apply: the newest that came into force and that this program can read and carry out. */
    public Optional<ProductSettings> applied(String product) {
        return newest(product, SettingsEntry::usable);
    }

    private Optional<ProductSettings> newest(String product, java.util.function.Predicate<SettingsEntry> which) {
        List<SettingsEntry> entries = history(product);
        for (int i = entries.size() - 1; i >= 0; i--)
            if (which.test(entries.get(i))) return entries.get(i).settings();
        return Optional.empty();
    }

    /** Why the newest word on a product is not what applies; empty where it is. */
    public Optional<String> problem(String product) {
        List<SettingsEntry> entries = history(product);
        for (int i = entries.size() - 1; i >= 0; i--) {
            SettingsEntry e = entries.get(i);
            if (e.usable()) return Optional.empty();
            if (e.counted() || e.settings().isEmpty()) return Optional.of(e.problem());
        }
        return Optional.empty();
    }

    /** Of the settings in force; 0 before the first. */
    public long revision(String product) {
        return inForce(product).map(ProductSettings::getRevision).orElse(0L);
    }

    /**
     * What applies to a frame's product: its own settings, and where they say nothing those for all products. A
     * threshold is never taken from those for all.
     *
     * @param product null for a frame without one
     * @return empty where nothing applies; not to be written
     */
    public Optional<ProductSettings> of(@Nullable String product) {
        String name = Objects.requireNonNullElse(product, "");
        Optional<ProductSettings> own = name.equals(ALL) ? Optional.empty() : applied(name);
        Optional<ProductSettings> all = applied(ALL);
        if (all.isEmpty()) return own;
        ProductSettings base = all.get();
        if (own.isEmpty())
            return Optional.of(
                    ProductSettings.newBuilder(base).setThreshold(null).build());
        ProductSettings mine = own.get();
        ProductSettings.Builder merged = ProductSettings.newBuilder(mine);
        if (mine.getReviewLow() == null) merged.setReviewLow(base.getReviewLow());
        if (mine.getReviewHigh() == null) merged.setReviewHigh(base.getReviewHigh());
        List<io.linesight.schemas.AlertPolicySetting> policies = new ArrayList<>(mine.getAlerts());
        policies.addAll(base.getAlerts());
        return Optional.of(merged.setAlerts(policies).build());
    }
}
