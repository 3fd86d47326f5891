package io.linesight.streams.monitoring;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where an app's meters go.
 *
 * @param registry receives the meters
 * @param prometheus what {@code /metrics} prints; null when the meters go elsewhere and no port is served
 */
public record AppMeters(MeterRegistry registry, @Nullable PrometheusMeterRegistry prometheus) {

    /**
     * @param given the caller's registry; null for a Prometheus registry of the app's own
     * @param served whether {@code /metrics} is served, which takes a Prometheus registry beside the caller's
     */
    public static AppMeters of(@Nullable MeterRegistry given, boolean served) {
        if (given instanceof PrometheusMeterRegistry prometheus) return new AppMeters(prometheus, prometheus);
        if (given != null && !served) return new AppMeters(given, null);
        PrometheusMeterRegistry own = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        return new AppMeters(given == null ? own : new CompositeMeterRegistry(Clock.SYSTEM, List.of(given, own)), own);
    }
}
