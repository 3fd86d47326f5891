package io.linesight.app.cli.notify;

import io.linesight.notify.opcua.OpcUaNotifier;
import io.linesight.notify.opcua.OpcUaNotifier.Counts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.function.ToLongFunction;

/** Meters of an OPC UA server. */
final class OpcUaMeters implements MeterBinder {
    private static final String PREFIX = "linesight.notify.opcua.";
    private final OpcUaNotifier notifier;

    OpcUaMeters(OpcUaNotifier notifier) {
        this.notifier = notifier;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        counter(registry, "alerts", "Changes of alerts that were shown", Counts::alerts);
        counter(registry, "results", "Results that were read", Counts::results);
        counter(registry, "rejected", "Records that nobody can read", Counts::rejected);
        counter(registry, "omitted", "Records without room among cameras, products or alarms", Counts::omitted);
        counter(registry, "actions", "Acknowledgements and comments that were written", Counts::actions);
        counter(registry, "refused.actions", "Of these, those that the line refused", Counts::refused);
        counter(registry, "refused.logins", "Log-ins with a wrong user or password", Counts::refusedLogIns);
        gauge(registry, "sources", "Cameras and products that are shown", Counts::sources);
        gauge(registry, "alarms", "Open alerts that are shown", Counts::alarms);
        gauge(registry, "sessions", "Sessions of clients", Counts::sessions);
        gauge(registry, "up", "1 while Kafka and the registry answer", c -> c.fresh() ? 1 : 0);
    }

    private void counter(MeterRegistry registry, String name, String doc, ToLongFunction<Counts> count) {
        FunctionCounter.builder(PREFIX + name, notifier, n -> count.applyAsLong(n.counts()))
                .description(doc)
                .register(registry);
    }

    private void gauge(MeterRegistry registry, String name, String doc, ToLongFunction<Counts> value) {
        Gauge.builder(PREFIX + name, notifier, n -> value.applyAsLong(n.counts()))
                .description(doc)
                .strongReference(true)
                .register(registry);
    }
}
