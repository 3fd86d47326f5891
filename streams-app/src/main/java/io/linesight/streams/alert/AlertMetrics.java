package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;

/**
 * Meters of the alerts app. Counted when a record is forwarded, so after a crash the changes of the aborted transaction
 * count again; the topic does not have them twice. Thread-safe.
 */
public final class AlertMetrics {

    public static final String CHANGES = "linesight.alerts.changes";
    public static final String ACTIVE = "linesight.alerts.active";
    public static final String UNACKNOWLEDGED = "linesight.alerts.unacknowledged";
    public static final String CAMERAS = "linesight.alerts.cameras";
    public static final String UNREADABLE = "linesight.alerts.unreadable";
    public static final String REPEATED = "linesight.alerts.repeated";
    public static final String THREADS_REPLACED = "linesight.alerts.threads.replaced";
    public static final String UP = "linesight.alerts.up";

    /**
     * What a task holds.
     *
     * @param active alerts whose condition holds
     * @param unacknowledged alerts that wait for somebody
     */
    record Held(int cameras, int active, int unacknowledged) {}

    private final MeterRegistry registry;
    private final Map<AlertKind, Map<AlertChange, Counter>> changes = new EnumMap<>(AlertKind.class);
    private final Counter unreadable;
    private final Counter repeated;
    private final Counter threadsReplaced;
    private final Map<Object, Held> tasks = new ConcurrentHashMap<>();

    /** @param up whether alerts are made now */
    AlertMetrics(MeterRegistry registry, BooleanSupplier up) {
        this.registry = registry;
        for (AlertKind kind : AlertKind.values()) {
            Map<AlertChange, Counter> ofKind = new EnumMap<>(AlertChange.class);
            for (AlertChange change : AlertChange.values())
                ofKind.put(change, counter(CHANGES, "Changes of alerts", "kind", kind.name(), "change", change.name()));
            changes.put(kind, ofKind);
        }
        unreadable = counter(UNREADABLE, "Results and actions that could not be read and were passed over");
        repeated = counter(REPEATED, "Results and actions that had been read before");
        threadsReplaced = counter(THREADS_REPLACED, "Stream threads of the alerts that failed and were replaced");
        gauge(ACTIVE, "Alerts of this instance's cameras whose condition holds", Held::active);
        gauge(UNACKNOWLEDGED, "Alerts of this instance's cameras that wait for somebody", Held::unacknowledged);
        gauge(CAMERAS, "Cameras whose alerts this instance keeps", Held::cameras);
        Gauge.builder(UP, () -> up.getAsBoolean() ? 1 : 0)
                .description("1 while this instance makes alerts")
                .strongReference(true)
                .register(registry);
    }

    private Counter counter(String name, String description, String... tags) {
        return Counter.builder(name).description(description).tags(tags).register(registry);
    }

    private void gauge(String name, String description, ToIntFunction<Held> value) {
        Gauge.builder(name, () -> tasks.values().stream().mapToInt(value).sum())
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    void changed(Alert alert) {
        changes.get(alert.getKind()).get(alert.getChange()).increment();
    }

    void unreadable() {
        unreadable.increment();
    }

    void repeated() {
        repeated.increment();
    }

    void threadReplaced() {
        threadsReplaced.increment();
    }

    void holds(Object task, Held held) {
        tasks.put(task, held);
    }

    void released(Object task) {
        tasks.remove(task);
    }
}
