package io.linesight.streams.monitoring;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;

/**
 * Memory, collections, threads, processor and uptime of this process. Closing stops listening to the collector; the
 * meters stay.
 */
public final class JvmMetrics implements AutoCloseable {

    private final JvmGcMetrics collector = new JvmGcMetrics();

    private JvmMetrics() {}

    public static JvmMetrics bindTo(MeterRegistry registry) {
        JvmMetrics metrics = new JvmMetrics();
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        metrics.collector.bindTo(registry);
        return metrics;
    }

    @Override
    public void close() {
        collector.close();
    }
}
