package io.linesight.app.cli;

import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.monitoring.JvmMetrics;
import io.linesight.streams.monitoring.MetricsServer;
import io.linesight.trainer.feedback.FetchOutcome;
import io.linesight.trainer.learning.TrainerService;
import io.linesight.trainer.learning.TrainerStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Meters of a training service, its {@code /metrics} and its probes. Every tag has few values, known in advance. Open
 * after the service and close before it.
 */
public final class TrainerMetrics implements AutoCloseable {
    private static final String PREFIX = "linesight.trainer.";
    private static final String[] LABELS = {"normal", "anomalous", "retracted", "refused", "contradicted", "superseded"
    };
    private static final String[] FRAMES = {"notYet", "expired", "notAFrame", "neverCame"};
    private static final String[] STAGES = {"FETCH", "TRAIN", "CALIBRATE", "GATE", "OFFER"};

    /** One status serves a whole scrape. */
    private static final long MAX_AGE_NANOS = 250_000_000;

    private final TrainerService service;
    private @Nullable TrainerStatus cached;
    private long cachedAt;
    private final MeterRegistry registry;
    private final JvmMetrics jvm;
    private final MetricsServer server;

    private TrainerMetrics(int port, TrainerService service) {
        this.service = service;
        PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry = prometheus;
        register();
        jvm = JvmMetrics.bindTo(prometheus);
        try {
            server = new MetricsServer(port, prometheus, this::whyNotLive, this::whyNotReady);
        } catch (RuntimeException e) {
            jvm.close();
            throw e;
        }
    }

    /**
     * @param port 0 for any free one
     * @throws java.io.UncheckedIOException when the port is taken
     */
    public static TrainerMetrics serve(int port, TrainerService service) {
        return new TrainerMetrics(port, service);
    }

    private Optional<String> whyNotLive() {
        return service.failure().map(e -> "the trainer stopped: " + e.getMessage());
    }

    private Optional<String> whyNotReady() {
        Optional<String> dead = whyNotLive();
        if (dead.isPresent()) return dead;
        return status().ready() ? Optional.empty() : Optional.of("the trainer joins its group, or is stopping");
    }

    private synchronized TrainerStatus status() {
        if (cached == null || System.nanoTime() - cachedAt > MAX_AGE_NANOS) {
            cached = service.status();
            cachedAt = System.nanoTime();
        }
        return cached;
    }

    private void register() {
        gauge(
                InspectionMetrics.LIVE,
                "1 while the trainer does not need a restart",
                s -> whyNotLive().isEmpty() ? 1 : 0);
        gauge(
                InspectionMetrics.READY,
                "1 while the trainer reads labels or stands by",
                s -> whyNotReady().isEmpty() ? 1 : 0);
        registerRuns();
        registerStore();
    }

    private void registerRuns() {
        gauge(PREFIX + "working", "1 for the active trainer of its group", s -> s.working() ? 1 : 0);
        gauge(PREFIX + "waiting", "1 while labels or a run wait for something outside", s -> s.waiting() ? 1 : 0);
        gauge(PREFIX + "running", "1 while a run is in progress", s -> s.stage().isEmpty() ? 0 : 1);
        for (String stage : STAGES) {
            Gauge.builder(PREFIX + "stage", this, t -> t.status().stage().equals(stage) ? 1 : 0)
                    .tag("stage", stage)
                    .description("1 for the stage of the run in progress")
                    .register(registry);
        }
        gauge(PREFIX + "step", "Newest training step of the run in progress", TrainerStatus::step);
        gauge(PREFIX + "loss", "Loss of the newest training step", TrainerStatus::loss);
        for (String outcome : new String[] {"started", "finished", "failed"})
            count("runs", "Training runs", "outcome", outcome, s -> s.runs().get(outcome));
        for (String verdict : new String[] {"passed", "not_passed"})
            count("gate", "Decisions of the gate", "verdict", verdict, s -> s.verdicts()
                    .get(verdict));
    }

    private void registerStore() {
        gauge(PREFIX + "store.bytes", "Images in the dataset store", TrainerStatus::storeBytes);
        gauge(PREFIX + "store.max.bytes", "Limit of the dataset store", TrainerStatus::storeMaxBytes);
        gauge(PREFIX + "labels.pending", "Labels that wait for their frames", TrainerStatus::pendingLabels);
        for (String kind : LABELS)
            count("labels", "Labels by what became of them", "kind", kind, s -> s.labels()
                    .getOrDefault("labels." + kind, 0L));
        for (String what : FRAMES) {
            count(
                    "label.frames",
                    "Frames of labels that could not be fetched",
                    "outcome",
                    what.toLowerCase(Locale.ROOT),
                    s -> s.labels().getOrDefault("frames." + what, 0L));
        }
        for (FetchOutcome o : FetchOutcome.values()) {
            count("frames", "Frames requested from Kafka", "outcome", o.name().toLowerCase(Locale.ROOT), s -> s.frames()
                    .getOrDefault(o, 0L));
        }
    }

    private void gauge(String name, String description, ToDoubleFunction<TrainerStatus> value) {
        Gauge.builder(name, this, t -> value.applyAsDouble(t.status()))
                .description(description)
                .register(registry);
    }

    private void count(
            String name, String description, String tag, String value, ToDoubleFunction<TrainerStatus> count) {
        FunctionCounter.builder(PREFIX + name, this, t -> count.applyAsDouble(t.status()))
                .tag(tag, value)
                .description(description)
                .register(registry);
    }

    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.close();
        jvm.close();
        registry.close();
    }
}
