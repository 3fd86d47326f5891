package io.linesight.notify.opcua;

import io.linesight.notify.opcua.LineFeed.Listener;
import io.linesight.schemas.Alert;
import io.linesight.schemas.InspectionResult;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.KafkaException;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An OPC UA server that shows the present state of the line: per camera and product the state, the last result and the
 * open alerts, which are alarm conditions of Part 9. Who is logged in by name can acknowledge and comment them; each
 * such call becomes an {@code AlertAction} in that name.
 *
 * <p>It keeps nothing: what it shows is read from the topics again at every start. Several may run side by side.
 *
 * <p>Threads: one reads, one writes, Milo's serve; every method may be called from any. Whoever starts it closes it,
 * and the writer afterwards.
 */
public final class OpcUaNotifier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OpcUaNotifier.class);
    private static final Duration FORGET_EVERY = Duration.ofSeconds(1);
    private static final long STOP_SECONDS = 10;

    /**
     * What happened since the start, and what is shown now.
     *
     * @param alerts changes of alerts that were shown
     * @param results read
     * @param rejected records that nobody can read
     * @param omitted records without room among cameras, products or alarms
     * @param actions acknowledgements and comments that were written
     * @param refused actions that the line refused
     * @param refusedLogIns wrong users or passwords
     * @param sources cameras and products shown
     * @param alarms shown
     * @param sessions of clients
     * @param fresh whether Kafka and the registry answer
     */
    public record Counts(
            long alerts,
            long results,
            long rejected,
            long omitted,
            long actions,
            long refused,
            long refusedLogIns,
            int sources,
            int alarms,
            int sessions,
            boolean fresh) {}

    private final Certificates certificates;
    private final LogIns logIns;
    private final Acknowledger acknowledger;
    private final OpcUaServer server;
    private final LineSpace space;
    private final LineFeed feed;
    private final LineState state;
    private final LongAdder alerts = new LongAdder();
    private final LongAdder results = new LongAdder();
    private volatile long omitted;
    private volatile boolean opened;

    private OpcUaNotifier(Map<String, String> settings, OpcUaConfig config, ActionWriter writer) throws IOException {
        certificates = Certificates.open(config.folder(), Endpoints.applicationUri(config), config.host());
        logIns = new LogIns(config.users(), System::nanoTime);
        acknowledger = new Acknowledger(writer, config.answerTimeout());
        server = Endpoints.server(config, certificates, logIns);
        space = new LineSpace(server, acknowledger);
        state = new LineState(config.maxSources(), config.maxAlarms(), config.forgetAfter());
        feed = new LineFeed(settings, new Shown());
    }

    /**
     * Reads what is there, then opens the server.
     *
     * @param settings of Kafka's clients, topics and the Avro serde
     * @throws IllegalArgumentException naming everything that is wrong with the configuration
     * @throws KafkaException for people, when the topics cannot be read
     * @throws IOException when the folder cannot be used or the address cannot be listened on
     */
    public static OpcUaNotifier start(Map<String, String> settings, OpcUaConfig config, ActionWriter writer)
            throws IOException, InterruptedException {
        List<String> problems = config.problems();
        if (!problems.isEmpty()) throw new IllegalArgumentException(String.join("; ", problems));
        OpcUaNotifier notifier = new OpcUaNotifier(settings, config, writer);
        try {
            notifier.open(config);
            return notifier;
        } catch (RuntimeException | IOException | InterruptedException e) {
            notifier.close();
            throw e;
        }
    }

    private void open(OpcUaConfig config) throws IOException, InterruptedException {
        feed.catchUp();
        space.startup();
        space.showAll(state, Instant.now());
        Refresh.install(server, space);
        opened = true;
        try {
            server.startup().get(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("cannot listen on " + config.bind() + ":" + config.port() + "; is it in use?", e);
        }
        feed.follow();
        LOG.info("OPC UA clients may connect to {}", config.url());
    }

    /** Where it stands. */
    public Counts counts() {
        return new Counts(
                alerts.sum(),
                results.sum(),
                feed.rejected(),
                omitted,
                acknowledger.written(),
                acknowledger.refused(),
                logIns.refused(),
                space.sources(),
                space.alarms(),
                server.getSessionManager().getAllSessions().size(),
                space.isFresh());
    }

    /** What ended it before it was closed. */
    public Optional<Throwable> failure() {
        return feed.failure();
    }

    /** Shows what is read; until the server is open, only the state is kept. */
    private final class Shown implements Listener {
        private final Set<Source> changed = new HashSet<>();
        private long forgot = System.nanoTime();

        @Override
        public void alert(Alert alert) {
            acknowledger.answered(alert);
            if (!state.apply(alert, Instant.now())) return;
            alerts.increment();
            if (opened) space.showAlert(alert, state);
        }

        @Override
        public void result(InspectionResult result) {
            results.increment();
            if (state.apply(result, Instant.now())) changed.add(Source.of(result));
        }

        @Override
        public void pause() {
            omitted = state.omitted();
            if (!opened) return;
            Instant now = Instant.now();
            // Of the results that came together, the last of each source.
            changed.forEach(s -> space.showResult(s, state, now));
            changed.clear();
            if (System.nanoTime() - forgot < FORGET_EVERY.toNanos()) return;
            forgot = System.nanoTime();
            state.forgetSilent(now);
            space.removeForgotten(state);
        }

        @Override
        public void fresh(boolean now) {
            space.setFresh(now);
        }
    }

    private void stopServer() {
        try {
            server.shutdown().get(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("The OPC UA server did not stop in order", e);
        }
        space.shutdown();
    }

    /** Ends all sessions. */
    @Override
    public void close() {
        feed.close();
        acknowledger.close();
        // Milo refuses to stop what was never started.
        if (opened) stopServer();
        certificates.close();
    }
}
