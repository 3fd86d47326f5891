package io.linesight.notify;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.notify.Sink.DeliveryException;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serde;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class NotifierIT {
    private Map<String, String> settings;
    private Topics topics;

    /** Takes alerts unless it is away; refuses those whose id contains REFUSED. */
    private static final class Recorder implements Sink {
        final List<String> taken = new CopyOnWriteArrayList<>();
        final AtomicBoolean away = new AtomicBoolean();

        @Override
        public String name() {
            return "recorder";
        }

        @Override
        public void deliver(Notification n) throws DeliveryException {
            if (away.get()) throw DeliveryException.passing("it is away", null);
            if (n.id().contains("REFUSED")) throw DeliveryException.forGood("it does not like it");
            taken.add(n.id());
        }

        @Override
        public void close() {}
    }

    @BeforeAll
    void open() {
        settings = Map.of(
                "bootstrap.servers",
                SharedPlatform.kafka().bootstrapServers(),
                "schema.registry.url",
                SharedPlatform.registry().url(),
                Topics.PREFIX_CONFIG,
                "notify",
                Topics.PARTITIONS_CONFIG,
                "2");
        topics = Topics.from(settings);
        try (Admin admin = Admin.create(ClientSettings.forAdmin(settings))) {
            TopicAdmin.ensure(admin, topics.all());
        }
    }

    @Test
    void shouldLoseNothingAndKeepTheOrderOverAnOutageAndARestart() throws Exception {
        Recorder sink = new Recorder();
        List<String> sent = new ArrayList<>();
        for (int i = 0; i < 20; i++) sent.add(send(0, Alerts.of("cam-a", i, AlertChange.OPENED)));
        try (Notifier n = start(sink, "outage")) {
            until("the first", () -> sink.taken.size() >= 20);
            sink.away.set(true);
            for (int i = 20; i < 40; i++) sent.add(send(0, Alerts.of("cam-a", i, AlertChange.OPENED)));
            until("it waits", () -> n.counts().waiting() == 1 && n.counts().retries() >= 2);
            sink.away.set(false);
            until("all", () -> sink.taken.size() >= 40);
            assertThat(sink.taken).isEqualTo(sent);
            assertThat(n.counts().deadLetters()).isZero();
            sink.away.set(true);
            sent.add(send(0, Alerts.of("cam-a", 40, AlertChange.CLEARED)));
            until("it waits again", () -> n.counts().waiting() == 1);
        }
        sink.away.set(false);
        try (Notifier n = start(sink, "outage")) {
            until("what was left", () -> sink.taken.size() >= 41);
            assertThat(sink.taken).as("in order, none twice").isEqualTo(sent);
        }
    }

    @Test
    void shouldPutAsideWhatCannotBeDeliveredAndGoOn() throws Exception {
        Recorder sink = new Recorder();
        String first = send(1, Alerts.of("cam-b", 1, AlertChange.OPENED));
        send(1, Alerts.of("REFUSED", 2, AlertChange.OPENED));
        sendRaw(1, new byte[] {9, 9});
        send(1, Alerts.of("cam-b", 3, AlertChange.COUNTED));
        String last = send(1, Alerts.of("cam-b", 4, AlertChange.CLEARED));
        try (Notifier n = start(sink, "refusal")) {
            until("the last", () -> sink.taken.contains(last));
            assertThat(sink.taken.stream().filter(id -> id.contains("cam-b"))).containsExactly(first, last);
            assertThat(n.counts().filtered()).isPositive();
            assertThat(n.counts().deadLetters()).isEqualTo(2);
        }
        assertThat(deadLetters())
                .extracting(DeadLetterReason::getCode)
                .containsExactlyInAnyOrder(DeadLetterCode.NOT_DELIVERED, DeadLetterCode.NOT_CONFLUENT_WIRE);
        assertThat(deadLetters())
                .anySatisfy(r -> assertThat(r.getMessage()).contains("recorder refused it: it does not like it"));
    }

    private Notifier start(Sink sink, String group) {
        return Notifier.start(
                settings, sink, new Notifier.Options(AlertFilter.all(), group, true, Duration.ofHours(1)));
    }

    private String send(int partition, Alert alert) {
        try (Serde<Alert> serde = SerdeFactory.create(Alert.class, settings, false)) {
            sendRaw(partition, serde.serializer().serialize(topics.alerts().name(), alert));
        }
        return Notification.of(alert).id();
    }

    private void sendRaw(int partition, byte[] value) {
        try (KafkaProducer<byte[], byte[]> producer = ClientSettings.openProducer(ClientSettings.forWriter(settings))) {
            producer.send(new ProducerRecord<>(
                    topics.alerts().name(), partition, "k".getBytes(StandardCharsets.UTF_8), value));
        }
    }

    private List<DeadLetterReason> deadLetters() {
        List<DeadLetterReason> out = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(ClientSettings.forReader(settings))) {
            RangeReader reader = new RangeReader(consumer, Duration.ofSeconds(60));
            reader.<RuntimeException>read(
                    reader.ranges(List.of(topics.deadLetter().name())),
                    record -> out.add(DeadLetterHeaders.read(record.headers()).orElseThrow()));
        }
        return out;
    }

    private static void until(String what, java.util.function.BooleanSupplier condition) {
        Awaitility.await(what)
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofMillis(50))
                .until(condition::getAsBoolean);
    }
}
