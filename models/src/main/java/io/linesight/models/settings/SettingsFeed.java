package io.linesight.models.settings;

import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.clients.TopicFollower;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
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
    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(15);

    private final SettingsFold fold;
    private final RecordDecoder<ProductSettings> decoder;
    private final boolean patient;
    private @Nullable TopicFollower follower;
    private volatile SettingsState state;
    private volatile boolean closed;

    /** @param patient whether it waits for the registry as long as it takes */
    private SettingsFeed(String channel, Map<String, String> serdes, boolean patient) {
        fold = new SettingsFold(channel);
        state = SettingsState.empty(channel);
        decoder = RecordDecoder.of(ProductSettings.class, serdes);
        this.patient = patient;
    }

    /**
     * Reads what there is now.
     *
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     * @throws org.apache.kafka.common.KafkaException when the broker does not answer or the topic does not exist
     * @throws RegistryException when the schema registry does not answer
     */
    public static SettingsState readAll(
            String channel, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        SettingsFeed feed = new SettingsFeed(channel, serdes, false);
        try (feed) {
            feed.readAll(clients, topic);
            return feed.state;
        }
    }

    /** As {@link #readAll}, and follows what is written from then on. */
    public static SettingsFeed open(String channel, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        SettingsFeed feed = new SettingsFeed(channel, serdes, true);
        try {
            // First the place from which it follows, then all before it: nothing lies between, and the fold passes over
            // what it has read.
            TopicCursor cursor = TopicCursor.atEnd(ClientSettings.forReader(clients), List.of(topic));
            feed.readAll(clients, topic);
            feed.follower = TopicFollower.start("linesight-settings", cursor, record -> {
                SettingsState before = feed.state;
                feed.take(record);
                feed.show();
                feed.report(before);
            });
            return feed;
        } catch (RuntimeException e) {
            feed.close();
            throw e;
        }
    }

    private void readAll(Map<String, ?> clients, String topic) {
        Map<String, Object> configs = ClientSettings.forReader(clients);
        configs.put("auto.offset.reset", "earliest");
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(configs)) {
            RangeReader reader = new RangeReader(consumer, STALL_TIMEOUT);
            reader.<RuntimeException>read(reader.ranges(List.of(topic)), record -> {
                take(record);
                return true;
            });
        }
        show();
        report(SettingsState.empty(state.channel()));
    }

    private void show() {
        synchronized (fold) {
            state = fold.snapshot();
        }
    }

    /** Says what changed, and what does not apply although it is the newest word. */
    private void report(SettingsState before) {
        if (!patient) return;
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

    private void take(ConsumerRecord<byte[], byte[]> record) {
        String key = record.key() == null ? null : new String(record.key(), StandardCharsets.UTF_8);
        ProductSettings value = null;
        String why = "it is empty";
        try {
            value = patient ? decoder.awaitRegistry(record, () -> closed) : decoder.await(record);
        } catch (BadRecordException e) {
            why = String.valueOf(e.getMessage());
        } catch (RegistryException e) {
            if (closed) return;
            if (e.mayPass()) throw e;
            why = String.valueOf(e.getMessage());
        }
        synchronized (fold) {
            fold.read(record.offset(), key, value, why);
        }
    }

    /** The newest state. */
    public SettingsState state() {
        return state;
    }

    /** What ended the following; then the state stays as it is until a restart. */
    public Optional<Throwable> failure() {
        return follower == null ? Optional.empty() : follower.failure();
    }

    @Override
    public void close() {
        closed = true;
        if (follower != null) follower.close();
        decoder.close();
    }
}
