package io.linesight.demo.line;

import io.linesight.embedded.EmbeddedPlatform;
import io.linesight.mmad.io.NativeLibraries;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.alert.AlertMetrics;
import io.linesight.streams.alert.AlertPolicy;
import io.linesight.streams.alert.AlertsApp;
import io.linesight.streams.alert.LiveAlertPolicies;
import io.linesight.streams.alert.ServedModels;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.RolloutSettings;
import io.linesight.streams.routing.FollowedChannel;
import io.linesight.streams.routing.ModelControl;
import io.micrometer.core.instrument.Gauge;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Broker, registry, topics and the inspection app in this process. For demonstrations and for replaying folders on one
 * machine.
 *
 * <p>Closing stops everything in reverse order; the data stay in the folder.
 */
public final class LocalLine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalLine.class);
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

    private final LineOptions options;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Map<String, String> settings = new HashMap<>();
    private final Topics topics;
    private @Nullable FollowedChannel followed;
    private InspectionApp app;

    private LocalLine(LineOptions options, Topics topics) {
        this.options = options;
        this.topics = topics;
    }

    /**
     * Starts everything and returns when the app is ready to score.
     *
     * @param progress given one line of text for each part that has started
     * @throws RuntimeException with a message for people when something does not start; nothing is left running then
     */
    public static LocalLine start(LineOptions options, Consumer<String> progress) {
        NativeLibraries.prepareCompression(LocalLine.class.getClassLoader());
        Map<String, String> all = new HashMap<>(options.app());
        all.putIfAbsent(Topics.REPLICATION_CONFIG, "1");
        LocalLine line = new LocalLine(options, Topics.from(all));
        try {
            line.startCluster(progress);
            line.startApp(progress);
            return line;
        } catch (RuntimeException | Error e) {
            line.close();
            throw e;
        }
    }

    private void startCluster(Consumer<String> progress) {
        long begin = System.nanoTime();
        EmbeddedPlatform platform = EmbeddedPlatform.start(
                options.folder().resolve("kafka"), options.port(), options.registryPort(), topics);
        open.push(platform);
        settings.putAll(platform.settings());
        String names = topics.all().stream().map(TopicSpec::name).collect(Collectors.joining(", "));
        progress.accept(withTime(
                "broker " + platform.bootstrapServers() + ", registry " + platform.registryUrl() + ", topics " + names,
                begin));
    }

    private void startApp(Consumer<String> progress) {
        long begin = System.nanoTime();
        Map<String, String> config = new HashMap<>(options.app());
        config.putAll(settings);
        // The registry in this process has no replica that lags, so a schema that it does not know stays unknown.
        config.putIfAbsent(InspectionConfig.UNKNOWN_SCHEMA_MS, "0");
        config.put(InspectionConfig.CHECKPOINT, options.model().toString());
        config.put(
                InspectionConfig.STATE_DIR, options.folder().resolve("streams").toString());
        InspectionConfig inspection = InspectionConfig.of(config);
        if (inspection.models().follow()) {
            followed = follow(config, inspection.models());
            open.push(followed);
        }
        app = new InspectionApp(inspection, followed == null ? ModelControl.fixed() : followed.control(), null);
        open.push(app);
        app.start();
        AlertsApp alerts = new AlertsApp(
                inspection,
                new LiveAlertPolicies(AlertPolicy.of(inspection.alerts()), app::settings),
                new ServedModels(app::normals, () -> registry(followed)),
                app.meters());
        open.push(alerts);
        alerts.start();
        progress.accept(withTime("inspection app", begin));
    }

    private static Optional<RegistryState> registry(@Nullable FollowedChannel followed) {
        return Optional.ofNullable(followed).map(f -> f.view().state());
    }

    private static FollowedChannel follow(Map<String, String> config, RolloutSettings models) {
        try {
            return FollowedChannel.open(config, models.channel(), models.instance());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the line was starting", e);
        }
    }

    private static String withTime(String what, long begin) {
        return String.format("%s (%.1f s)", what, (System.nanoTime() - begin) / 1e9);
    }

    /**
     * Waits until the app scores.
     *
     * @throws IllegalStateException when it does not within a minute
     */
    public void awaitRunning() throws InterruptedException {
        if (!app.awaitRunning(START_TIMEOUT))
            throw new IllegalStateException("the inspection app did not start to score within "
                    + START_TIMEOUT.toSeconds() + " s; its log is in " + options.folder());
    }

    /** Why the app stopped; empty while it runs. */
    public Optional<String> failure() {
        if (app.state() != InspectionApp.State.FAILED) return Optional.empty();
        return Optional.of("the inspection app stopped: "
                + app.failure().map(Throwable::getMessage).orElse("see the log"));
    }

    /** What clients of this line need: broker and registry. */
    public Map<String, String> settings() {
        return Map.copyOf(settings);
    }

    public Topics topics() {
        return topics;
    }

    /** The rollout channel that the app follows, when it follows one. */
    public Optional<FollowedChannel> followed() {
        return Optional.ofNullable(followed);
    }

    /** Alerts whose condition holds now. */
    public int activeAlerts() {
        Gauge gauge = app.meters().find(AlertMetrics.ACTIVE).gauge();
        return gauge == null ? 0 : (int) gauge.value();
    }

    /** The running app. */
    public InspectionApp app() {
        return app;
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                LOG.warn("Did not stop cleanly: {}", e.toString());
            }
        }
    }
}
