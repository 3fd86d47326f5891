package io.linesight.models.settings;

import io.linesight.models.rollouts.Author;
import io.linesight.models.settings.SettingsException.Kind;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.clients.BrokerFault;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.SerdeFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serde;
import org.jspecify.annotations.Nullable;

/**
 * Where people set things: reads the newest settings, checks the change, writes it, and sees who won. Thread-safe; to
 * be closed.
 */
public final class SettingsDesk implements AutoCloseable {
    private final String channel;
    private final Map<String, ?> clients;
    private final Map<String, String> serdes;
    private final String topic;
    private final Serde<ProductSettings> serde;
    private final KafkaProducer<byte[], byte[]> producer;

    /**
     * Connects to nothing yet.
     *
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     */
    public SettingsDesk(String channel, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        this.channel = channel;
        this.clients = clients;
        this.serdes = serdes;
        this.topic = topic;
        serde = SerdeFactory.create(ProductSettings.class, serdes, false);
        producer = ClientSettings.openProducer(ClientSettings.forWriter(clients));
    }

    /** The newest state. @throws SettingsException when broker or registry do not tell */
    public SettingsState read() throws SettingsException {
        try {
            return SettingsFeed.readAll(channel, clients, serdes, topic);
        } catch (KafkaException e) {
            throw new SettingsException(
                    Kind.UNAVAILABLE,
                    "the settings cannot be read: " + e.getMessage()
                            + ". 'linesight topics' makes a topic that is missing. Nothing was done",
                    e);
        }
    }

    /**
     * Changes a product's settings.
     *
     * @param product its name, or {@link SettingsState#ALL}
     * @param basedOn revision that the person saw; null for the newest
     * @param change is given what applies now, and changes it
     * @return what is in force now
     * @throws SettingsException if it did not come into force, or perhaps did not
     */
    public ProductSettings change(
            String product, @Nullable Long basedOn, Consumer<ProductSettings.Builder> change, Author author)
            throws SettingsException, InterruptedException {
        SettingsState known = read();
        long revision = known.revision(product);
        if (basedOn != null && basedOn != revision) throw overtaken(known, product, basedOn);
        ProductSettings next = next(known, product, change, author);
        List<String> problems = SettingsRules.problems(next);
        if (!problems.isEmpty())
            throw new SettingsException(Kind.REJECTED, String.join("; ", problems) + ". Nothing was done", null);
        long offset = write(next);
        ensureInForce(product, offset, next);
        return next;
    }

    private ProductSettings next(
            SettingsState known, String product, Consumer<ProductSettings.Builder> change, Author author) {
        ProductSettings.Builder b = known.applied(product)
                .map(ProductSettings::newBuilder)
                .orElseGet(ProductSettings::newBuilder)
                .setChannel(channel)
                .setProduct(product);
        change.accept(b);
        return b.setChannel(channel)
                .setProduct(product)
                .setBasedOn(known.revision(product))
                .setRevision(known.revision(product) + 1)
                .setBy(author.by())
                .setReason(author.reason())
                .setAt(author.at())
                .build();
    }

    private static SettingsException overtaken(SettingsState known, String product, long basedOn) {
        Optional<ProductSettings> now = known.inForce(product);
        return new SettingsException(
                Kind.OVERTAKEN,
                now.isEmpty()
                        ? "product '" + product + "' has no settings, so revision " + basedOn
                                + " cannot be what you saw. Nothing was done"
                        : "revision " + now.get().getRevision() + " is in force, set by "
                                + now.get().getBy() + ", not " + basedOn
                                + ". Look at it and decide again. Nothing was done",
                null);
    }

    private long write(ProductSettings next) throws SettingsException, InterruptedException {
        byte[] key = (next.getChannel() + "/" + next.getProduct()).getBytes(StandardCharsets.UTF_8);
        try {
            byte[] value = serde.serializer().serialize(topic, next);
            return producer.send(new ProducerRecord<>(topic, 0, key, value))
                    .get()
                    .offset();
        } catch (RegistryException | SerializationException e) {
            throw new SettingsException(Kind.UNAVAILABLE, "nothing was set: " + e.getMessage() + ". Try again", e);
        } catch (ExecutionException e) {
            throw new SettingsException(
                    Kind.UNCERTAIN,
                    BrokerFault.explain(String.valueOf(clients.get("bootstrap.servers")), e)
                            + ". Look at the history first: it may have been written",
                    e);
        }
    }

    private void ensureInForce(String product, long offset, ProductSettings next) throws SettingsException {
        SettingsState now;
        try {
            now = read();
        } catch (SettingsException e) {
            throw new SettingsException(
                    Kind.UNCERTAIN,
                    "it was written, but whether it came into force cannot be seen: " + e.getMessage(),
                    e);
        }
        if (now.history(product).stream().anyMatch(entry -> entry.offset() == offset && entry.counted())) return;
        String winner = now.history(product).stream()
                .filter(SettingsEntry::counted)
                .flatMap(entry -> entry.settings().stream())
                .filter(s -> s.getRevision() == next.getRevision())
                .map(ProductSettings::getBy)
                .findFirst()
                .orElse("somebody else");
        throw new SettingsException(
                Kind.OVERTAKEN,
                winner + " set something for product '" + product
                        + "' at the same moment and was first; look at it and decide again",
                null);
    }

    @Override
    public void close() {
        producer.close(java.time.Duration.ofSeconds(5));
        serde.close();
    }
}
