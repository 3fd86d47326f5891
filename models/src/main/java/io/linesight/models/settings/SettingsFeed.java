package io.linesight.models.settings;

import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.serde.RecordFeed;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the live settings of a channel.
 *
 * <p>While the broker or the schema registry is unavailable the last state stays, and reading goes on by itself. A
 * record that cannot be read is in the history, and the settings before it stay.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it.
 */
public final class SettingsFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SettingsFeed.class);

    private final SettingsFold fold;
    private final RecordFeed<ProductSettings> records;
    private volatile SettingsState state;
    /** While the topic is read for the first time, its past is no news. */
    private boolean reading = true;

    private SettingsFeed(String channel, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        fold = new SettingsFold(channel);
        state = SettingsState.empty(channel);
        records = RecordFeed.open("linesight-settings", ProductSettings.class, clients, serdes, topic, this::take);
        synchronized (fold) {
            reading = false;
            show();
        }
    }

    /**
     * Reads what there is now.
     *
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     * @throws org.apache.kafka.common.KafkaException when broker or registry do not answer or the topic does not exist
     */
    public static SettingsState readAll(
            String channel, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        SettingsFold fold = new SettingsFold(channel);
        RecordFeed.readAll(ProductSettings.class, clients, serdes, topic, fold::read);
        return fold.snapshot();
    }

    /** As {@link #readAll}, and follows what is written from then on. */
    public static SettingsFeed open(String channel, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        return new SettingsFeed(channel, clients, serdes, topic);
    }

    private void take(long offset, @Nullable String key, @Nullable ProductSettings value, @Nullable String problem) {
        synchronized (fold) {
            fold.read(offset, key, value, problem);
            if (!reading) show();
        }
    }

    private void show() {
        SettingsState before = state;
        state = fold.snapshot();
        report(before);
    }

    /** Says what changed, and what does not apply although it is the newest word. */
    private void report(SettingsState before) {
        SettingsState now = state;
        for (String product : now.products()) {
            if (now.revision(product) != before.revision(product)) {
                ProductSettings s = now.inForce(product).orElseThrow();
                LOG.info(
                        "Settings of product '{}', channel '{}', are at revision {}: set by {}{}",
                        product,
                        now.channel(),
                        s.getRevision(),
                        s.getBy(),
                        s.getReason().isEmpty() ? "" : ", " + s.getReason());
            }
            String problem = now.problem(product).orElse("");
            if (!problem.isEmpty() && !problem.equals(before.problem(product).orElse("")))
                LOG.warn(
                        "The newest settings of product '{}', channel '{}', are not applied: {}. {}",
                        product,
                        now.channel(),
                        problem,
                        now.applied(product)
                                .map(s -> "Revision " + s.getRevision() + " stays")
                                .orElse("The checkpoint's own stay"));
        }
    }

    /** The newest state. */
    public SettingsState state() {
        return state;
    }

    /** What ended the following; then the state stays as it is until a restart. */
    public Optional<Throwable> failure() {
        return records.failure();
    }

    @Override
    public void close() {
        records.close();
    }
}
