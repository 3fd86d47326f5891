package io.linesight.demo.line;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.FollowedChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;

/**
 * Broker, registry, topics and the inspection app in this process. For demonstrations and for replaying folders on one
 * machine.
 *
 * <p>Closing stops everything in reverse order; the data stay in the folder.
 */
public final class LocalLine implements AutoCloseable {
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Map<String, String> settings = new HashMap<>();
    private final Topics topics;
    private FollowedChannel followed;
    private InspectionApp app;

    private LocalLine(Topics topics) {
        this.topics = topics;
    }

    /**
     * Starts everything and returns when the app is ready to score.
     *
     * @param folder for the broker's data and the app's state
     * @param model checkpoint
     * @param port of the broker; 0 for any free one
     * @param registryPort of the registry; 0 for any free one
     * @param appSettings further settings of the inspection app; it follows rollouts when they say whose checkpoints
     *     count
     * @param progress told what happens, one line at a time
     * @throws RuntimeException with a message for people when something does not start; nothing is left running then
     */
    public static LocalLine start(
            Path folder,
            Path model,
            int port,
            int registryPort,
            Map<String, String> appSettings,
            Consumer<String> progress) {
        Map<String, String> all = new HashMap<>(appSettings);
        all.putIfAbsent(Topics.REPLICATION_CONFIG, "1");
        LocalLine line = new LocalLine(Topics.from(all));
        try {
            line.launch(folder, model, port, registryPort, appSettings, progress);
            return line;
        } catch (RuntimeException | Error e) {
            line.close();
            throw e;
        }
    }

    private void launch(
            Path folder,
            Path model,
            int port,
            int registryPort,
            Map<String, String> appSettings,
            Consumer<String> progress) {
        long t = System.nanoTime();
        EmbeddedKafka kafka = EmbeddedKafka.in(folder.resolve("kafka"))
                .port(port)
                .sizeLimits(topics.limits())
                .start();
        open.push(kafka);
        progress.accept(said("broker " + kafka.bootstrapServers(), t));
        t = System.nanoTime();
        EmbeddedRegistry registry = EmbeddedRegistry.start(kafka.bootstrapServers(), registryPort);
        open.push(registry);
        settings.put("bootstrap.servers", kafka.bootstrapServers());
        settings.put("schema.registry.url", registry.url());
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", (Object) kafka.bootstrapServers()))) {
            TopicAdmin.ensure(admin, topics.all());
        }
        progress.accept(said(
                "registry " + registry.url() + ", topics "
                        + String.join(
                                ", ", topics.all().stream().map(TopicSpec::name).toList()),
                t));
        t = System.nanoTime();
        Map<String, String> config = new HashMap<>(appSettings);
        config.putAll(settings);
        config.put(InspectionConfig.CHECKPOINT, model.toString());
        config.put(InspectionConfig.STATE_DIR, folder.resolve("streams").toString());
        InspectionConfig inspection = InspectionConfig.of(config);
        if (inspection.models().follow()) {
            followed = follow(config, inspection.models());
            open.push(followed);
        }
        app = new InspectionApp(inspection, null, null, followed == null ? null : followed.control());
        open.push(app);
        app.start();
        progress.accept(said("inspection app", t));
    }

    private static FollowedChannel follow(Map<String, String> config, InspectionConfig.Models models) {
        try {
            return FollowedChannel.open(config, models.channel(), models.instance());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the line was started", e);
        }
    }

    private static String said(String what, long since) {
        return String.format("%s (%.1f s)", what, (System.nanoTime() - since) / 1e9);
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
                org.slf4j.LoggerFactory.getLogger(LocalLine.class).warn("Did not stop cleanly: {}", e.toString());
            }
        }
    }
}
