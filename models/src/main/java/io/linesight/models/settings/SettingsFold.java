package io.linesight.models.settings;

import io.linesight.schemas.ProductSettings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Folds the records of the settings topic into a state. One thread.
 *
 * <p>Whether a record counts depends on key, channel, product and revisions alone, so that every reader counts the
 * same. Whether this program can do what a counting record says is another matter: where it cannot, the last settings
 * that it can carry out stay.
 */
final class SettingsFold {
    private final String channel;
    private final Map<String, List<SettingsEntry>> history = new HashMap<>();
    private final Map<String, Long> inForce = new HashMap<>();
    /** Records since the one in force that cannot be read: each of them may have come into force elsewhere. */
    private final Map<String, Long> unreadable = new HashMap<>();

    private long end;

    SettingsFold(String channel) {
        this.channel = channel;
    }

    /**
     * Takes the next record.
     *
     * @param key of the record; null where it has none
     * @param settings null where the record is empty or cannot be read
     * @param problem why it cannot be read; null where it is only empty
     */
    void read(long offset, @Nullable String key, @Nullable ProductSettings settings, @Nullable String problem) {
        if (offset < end) return;
        end = offset + 1;
        if (key == null || !key.startsWith(channel + "/")) return;
        String product = key.substring(channel.length() + 1);
        List<SettingsEntry> entries = history.computeIfAbsent(product, p -> new ArrayList<>());
        if (settings == null) {
            unreadable.merge(product, 1L, Long::sum);
            String why = problem == null ? "it is empty" : problem;
            entries.add(new SettingsEntry(offset, Optional.empty(), false, "it cannot be read: " + why));
            return;
        }
        String rejection = rejection(product, settings);
        boolean counted = rejection.isEmpty();
        String objection = counted ? String.join("; ", SettingsRules.problems(settings)) : rejection;
        entries.add(new SettingsEntry(offset, Optional.of(settings), counted, objection));
        if (counted) {
            inForce.put(product, settings.getRevision());
            unreadable.remove(product);
        }
    }

    private String rejection(String product, ProductSettings s) {
        if (!s.getChannel().equals(channel) || !s.getProduct().equals(product))
            return "it was written under the key '" + channel + "/" + product + "', but is about product '"
                    + s.getProduct() + "' of channel '" + s.getChannel() + "'";
        if (s.getRevision() != s.getBasedOn() + 1)
            return "it calls itself revision " + s.getRevision() + ", but was based on " + s.getBasedOn();
        long now = inForce.getOrDefault(product, 0L);
        if (s.getBasedOn() < now)
            return "it was based on revision " + s.getBasedOn() + ", but " + now
                    + " was in force by then: somebody else was faster";
        if (s.getBasedOn() > now + unreadable.getOrDefault(product, 0L))
            return "it was based on revision " + s.getBasedOn() + ", which was never in force; " + now + " was";
        return "";
    }

    SettingsState snapshot() {
        return new SettingsState(channel, end, history);
    }
}
