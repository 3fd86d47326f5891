package io.linesight.streams.alert;

import io.linesight.models.rollouts.RegistryState;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.streams.config.AlertSettings;
import io.linesight.streams.drift.DriftStore;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Carries {@link AlertRules} out for the cameras of one partition: reads results and actions, keeps the state of each
 * camera in the store, forwards alerts. A stream thread's.
 */
final class AlertProcessor implements Processor<byte[], byte[], byte[], AlertProcessor.Routed> {

    static final String STORE = "cameras";
    static final String DRIFT_STORE = "drift";
    private static final Logger LOG = LoggerFactory.getLogger(AlertProcessor.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    /** Ticks that are further apart: the clock jumped, or this thread stood still. */
    private static final long JUMP_MICROS = 10_000_000;
    /** A camera whose tick changed nothing is not looked at again at once. */
    private static final long MIN_PAUSE_MICROS = 5_000_000;
    /** So that no tick keeps results waiting. */
    private static final int TICKS_AT_ONCE = 2_000;
    /** How often models are looked at where nothing of them changed: instances get later. */
    private static final long MODELS_MICROS = 5_000_000;
    /** The stream thread waits so long for the registry; then the transaction is given up and the record read again. */
    private static final Duration REGISTRY_TIMEOUT = Duration.ofSeconds(15);

    /** What all tasks of the app share; thread-safe. */
    record Shared(
            String resultsTopic,
            String alertsTopic,
            AlertSettings settings,
            AlertRules rules,
            RecordDecoder<InspectionResult> results,
            RecordDecoder<AlertAction> actions,
            Serializer<Alert> alerts,
            FrameBacklog backlog,
            String channel,
            Supplier<Optional<RegistryState>> registry,
            AlertMetrics metrics) {}

    /** Bytes of an alert, and the camera whose partition they belong to. */
    record Routed(String camera, byte[] bytes) {}

    private final Shared shared;
    private final CameraBook book = new CameraBook();
    private ProcessorContext<byte[], Routed> context;
    private KeyValueStore<String, byte[]> store;
    private DriftStore drift;
    private long lastTick;
    private long quietSince;
    private @Nullable RegistryState lookedAt;
    private long modelsDue;

    AlertProcessor(Shared shared) {
        this.shared = shared;
    }

    @Override
    public void init(ProcessorContext<byte[], Routed> processorContext) {
        context = processorContext;
        store = processorContext.getStateStore(STORE);
        drift = driftStore(processorContext.getStateStore(DRIFT_STORE));
        long now = now();
        lastTick = now;
        quietSince = now;
        lookedAt = null;
        // Also called when a task resumes or is revived: then the store is as it was committed.
        book.clear();
        try (KeyValueIterator<String, byte[]> all = store.all()) {
            while (all.hasNext()) {
                KeyValue<String, byte[]> entry = all.next();
                CameraState state = decode(entry.key, entry.value);
                book.put(state, shared.rules.due(state, now));
            }
        }
        shared.metrics.holds(this, book.held());
        processorContext.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, ignored -> tick());
    }

    private static DriftStore driftStore(KeyValueStore<String, byte[]> kept) {
        return new DriftStore() {
            @Override
            public byte @Nullable [] get(String key) {
                return kept.get(key);
            }

            @Override
            public void put(String key, byte[] value) {
                kept.put(key, value);
            }

            @Override
            public void delete(String key) {
                kept.delete(key);
            }
        };
    }

    private long now() {
        return context.currentSystemTimeMs() * 1_000;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        RecordMetadata metadata = context.recordMetadata()
                .orElseThrow(() -> new IllegalStateException("a record without topic, partition and offset"));
        ConsumerRecord<byte[], byte[]> read = consumed(record, metadata);
        if (metadata.topic().equals(shared.resultsTopic)) {
            read(shared.results, read).ifPresent(r -> handle(r.getCameraId(), new AlertEvent.Frame(r)));
        } else {
            read(shared.actions, read).ifPresent(a -> handle(a.getCameraId(), new AlertEvent.Action(a)));
        }
    }

    private static ConsumerRecord<byte[], byte[]> consumed(Record<byte[], byte[]> record, RecordMetadata metadata) {
        return new ConsumerRecord<>(
                metadata.topic(),
                metadata.partition(),
                metadata.offset(),
                record.timestamp(),
                TimestampType.CREATE_TIME,
                0,
                0,
                record.key(),
                record.value(),
                record.headers(),
                Optional.empty());
    }

    /**
     * A record that can never be read is passed over.
     *
     * @throws RegistryException when the registry does not answer: the record is read again then
     */
    private <T extends SpecificRecord> Optional<T> read(
            RecordDecoder<T> decoder, ConsumerRecord<byte[], byte[]> record) {
        long deadline = System.nanoTime() + REGISTRY_TIMEOUT.toNanos();
        String why;
        try {
            T value = decoder.awaitRegistry(record, () -> System.nanoTime() - deadline > 0);
            if (value != null) return Optional.of(value);
            why = "it has no value";
        } catch (BadRecordException e) {
            why = e.getMessage();
        } catch (RegistryException e) {
            if (e.mayPass()) throw e;
            why = e.getMessage();
        }
        shared.metrics.unreadable();
        LOG.warn(
                "Passed over the record at {}-{}-{}, which no alert can be made of: {}",
                record.topic(),
                record.partition(),
                record.offset(),
                why);
        return Optional.empty();
    }

    private void handle(String camera, AlertEvent event) {
        byte @Nullable [] bytes = store.get(camera);
        CameraState state = decode(camera, bytes);
        if (bytes == null && event instanceof AlertEvent.Frame) makeRoom();
        AlertRules.Outcome outcome = apply(state, event);
        if (!outcome.known()) {
            shared.metrics.repeated();
            return;
        }
        // Somebody's action on a camera that was never seen leaves nothing behind, but for a maintenance.
        boolean worthKeeping = bytes != null || event instanceof AlertEvent.Frame || state.maintenance != null;
        if (worthKeeping) keep(state, shared.rules.due(state, now()));
    }

    /** A state that cannot be read would stop its partition for good: the camera starts over, and the log says so. */
    private CameraState decode(String camera, byte @Nullable [] bytes) {
        CameraState state = new CameraState();
        try {
            if (bytes != null) state = StateCodec.read(bytes);
        } catch (UncheckedIOException e) {
            shared.metrics.unreadable();
            LOG.error("Camera {} starts over without the alerts it had", camera, e);
        }
        state.camera = camera;
        return state;
    }

    private void makeRoom() {
        while (book.size() >= shared.settings.maxCameras()) {
            String stalest = book.stalest();
            if (stalest == null) return;
            forget(
                    stalest,
                    new AlertEvent.Forget("there are more than " + shared.settings.maxCameras()
                            + " cameras in its partition, and it was seen least recently"));
        }
    }

    private void forget(String camera, AlertEvent event) {
        byte @Nullable [] bytes = store.get(camera);
        if (bytes != null) apply(decode(camera, bytes), event);
        store.delete(camera);
        book.remove(camera);
        shared.metrics.holds(this, book.held());
    }

    private AlertRules.Outcome apply(CameraState state, AlertEvent event) {
        AlertRules.Outcome outcome = shared.rules.apply(state, drift, event, now());
        for (Alert alert : outcome.alerts()) forward(alert);
        return outcome;
    }

    private void keep(CameraState state, long due) {
        store.put(state.camera, StateCodec.write(state));
        book.put(state, due);
        shared.metrics.holds(this, book.held());
    }

    private void tick() {
        long now = now();
        if (now < lastTick || now - lastTick > JUMP_MICROS || shared.backlog.framesWait()) quietSince = now;
        lastTick = now;
        for (String camera : book.due(now, TICKS_AT_ONCE)) tick(camera, now);
        if (context.taskId().partition() == AlertTopology.partition(CameraState.NO_CAMERA, 1)) lookAtModels(now);
    }

    /** Every task could; see {@link ModelRules} why one does. */
    private void lookAtModels(long now) {
        RegistryState registry = shared.registry.get().orElse(null);
        boolean due = now >= modelsDue || now < modelsDue - MODELS_MICROS;
        if (registry == null || registry == lookedAt && !due) return;
        lookedAt = registry;
        modelsDue = now + MODELS_MICROS;
        CameraState state = decode(CameraState.NO_CAMERA, store.get(CameraState.NO_CAMERA));
        AlertRules.Outcome outcome =
                apply(state, new AlertEvent.Models(registry.channel(shared.channel), registry.statuses()));
        if (outcome.known()) keep(state, shared.rules.due(state, now));
    }

    private void tick(String camera, long now) {
        byte @Nullable [] bytes = store.get(camera);
        if (bytes == null) {
            book.remove(camera);
            return;
        }
        CameraState state = decode(camera, bytes);
        AlertRules.Outcome outcome = apply(state, new AlertEvent.Tick(quietSince));
        if (outcome.forgotten()) {
            store.delete(camera);
            book.remove(camera);
            shared.metrics.holds(this, book.held());
        } else {
            keep(state, Math.max(shared.rules.due(state, now), now + MIN_PAUSE_MICROS));
        }
    }

    private void forward(Alert alert) {
        byte[] key = alert.getAlertId().getBytes(StandardCharsets.UTF_8);
        byte[] value = shared.alerts.serialize(shared.alertsTopic, alert);
        context.forward(new Record<>(
                key,
                new Routed(alert.getCameraId(), value),
                Math.max(0, alert.getAt().toEpochMilli())));
        shared.metrics.changed(alert);
        LOG.atLevel(alert.getChange() == AlertChange.COUNTED ? Level.DEBUG : Level.INFO)
                .log(
                        "{} {} at camera {}: {}",
                        alert.getAlertId(),
                        alert.getChange(),
                        alert.getCameraId(),
                        alert.getReason().isEmpty() ? alert.getMessage() : alert.getReason());
    }

    @Override
    public void close() {
        shared.metrics.released(this);
    }
}
