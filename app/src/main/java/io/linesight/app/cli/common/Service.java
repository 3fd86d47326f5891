package io.linesight.app.cli.common;

import io.linesight.streams.monitoring.JvmMetrics;
import io.linesight.streams.monitoring.MetricsServer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** Runs something until somebody stops it or it fails, with metrics and probes beside it. */
public final class Service {
    private Service() {}

    /**
     * Waits for the end.
     *
     * @param metricsPort of /metrics, /live and /ready; 0 for any free one, negative for none
     * @param failure what ended the work by itself
     * @return exit code
     * @throws UserError when the work has ended by itself
     */
    public static int run(CommandSpec spec, int metricsPort, MeterBinder meters, Supplier<Optional<Throwable>> failure)
            throws InterruptedException {
        Logs.service();
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        meters.bindTo(registry);
        CountDownLatch stop = new CountDownLatch(1);
        Supplier<Optional<String>> ended = () -> failure.get().map(e -> "it stopped: " + e.getMessage());
        try (StopSignal signal = new StopSignal(stop::countDown);
                JvmMetrics jvm = JvmMetrics.bindTo(registry);
                MetricsServer server = serve(metricsPort, registry, ended)) {
            if (server != null)
                spec.commandLine().getOut().println("Metrics at http://localhost:" + server.port() + "/metrics");
            spec.commandLine().getOut().flush();
            while (!signal.asked() && ended.get().isEmpty()) stop.await(500, TimeUnit.MILLISECONDS);
        }
        if (failure.get().isPresent())
            throw new UserError(
                    ended.get().orElseThrow() + "; start it again",
                    failure.get().get());
        return 0;
    }

    private static @Nullable MetricsServer serve(
            int port, PrometheusMeterRegistry registry, Supplier<Optional<String>> ended) {
        return port < 0 ? null : new MetricsServer(port, registry, ended, ended);
    }
}
