package io.linesight.app.cli.notify;

import io.linesight.notify.Notifier;
import io.linesight.notify.Notifier.Counts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.function.ToLongFunction;

/** Meters of a notifier. */
final class NotifyMeters implements MeterBinder {
    private static final String PREFIX = "linesight.notify.";
    private final Notifier notifier;

    NotifyMeters(Notifier notifier) {
        this.notifier = notifier;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        counter(registry, "delivered", "Changes of alerts that the receiver has taken", Counts::delivered);
        counter(registry, "filtered", "Changes of alerts that the receiver does not want", Counts::filtered);
        counter(registry, "retries", "Deliveries that failed and are tried again", Counts::retries);
        counter(registry, "dead.letters", "Changes of alerts that were put aside", Counts::deadLetters);
        Gauge.builder(PREFIX + "waiting", notifier, n -> n.counts().waiting())
                .description("Partitions that wait for the receiver")
                .strongReference(true)
                .register(registry);
    }

    private void counter(MeterRegistry registry, String name, String doc, ToLongFunction<Counts> count) {
        FunctionCounter.builder(PREFIX + name, notifier, n -> count.applyAsLong(n.counts()))
                .description(doc)
                .register(registry);
    }
}
