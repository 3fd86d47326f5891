package io.linesight.demo;

import io.linesight.cameras.FramePublisher;
import io.linesight.cameras.SentFrames.SentFrame;
import io.linesight.demo.line.CameraGroup;
import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.LedgerListener;
import io.linesight.demo.line.LocalLine;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.line.SimulatedCamera;
import io.linesight.demo.line.TopicReader;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.InspectionResult;
import io.linesight.simulator.SimulatedLine;
import io.linesight.streams.InspectionApp;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A whole line in one process: broker, registry, simulated cameras, inspection, and a table of what comes out.
 * {@link #run} blocks until the time is over or {@link #stop} is called, then drains, so that every frame has its
 * answer before the summary.
 */
public final class Demo {
    /** Stops waiting for answers when none has come for this long. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(45);

    /** Seconds between two tables where the output is not a terminal. */
    private static final int TABLE_SECONDS = 10;

    private final DemoOptions options;
    private final PrintWriter out;
    private final SimulatedLine line;
    private final HeatmapFolder heatmaps;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Ledger ledger = new Ledger();
    private final LiveStats stats = new LiveStats();
    private final OtherLoad otherLoad = new OtherLoad();
    /** Whether the warm-up is over. */
    private volatile boolean live;
    /** Frames a second and camera. */
    private double fps;

    /**
     * How a run ended.
     *
     * @param peaks null when no heatmaps were asked for
     * @param failure what ended the run early; null when all went well
     */
    public record Outcome(RunSummary summary, @Nullable Peaks peaks, String modelVersion, @Nullable String failure) {}

    public Demo(DemoOptions options, PrintWriter out) {
        this.options = options;
        this.out = out;
        Simulation simulation = options.simulation();
        line = new SimulatedLine(simulation.seed(), simulation.defectRate());
        heatmaps = new HeatmapFolder(line, options.maxImages());
    }

    /** Ends the run early; the summary still comes. Any thread. */
    public void stop() {
        stop.countDown();
    }

    /**
     * Runs the demo.
     *
     * @throws RuntimeException with a message for people when something does not start
     */
    public Outcome run() throws IOException, InterruptedException {
        say("Linesight demo: " + options.simulation().cameras() + " simulated cameras, seed "
                + options.simulation().seed() + ", everything in "
                + options.line().folder());
        try (LocalLine local = LocalLine.start(options.line(), text -> say("  started " + text))) {
            local.awaitRunning();
            String version = local.app().modelVersion().orElse("?");
            String failure = inspect(local, version);
            RunSummary summary = RunSummary.of(ledger);
            if (options.maxImages() == 0) return new Outcome(summary, null, version, failure);
            Peaks peaks = Peaks.measure(line, ledger);
            heatmaps.write(options.line().folder().resolve("heatmaps"), ledger, summary, peaks, version);
            return new Outcome(summary, peaks, version, failure);
        }
    }

    /** @return what ended the run early; null when all went well */
    private @Nullable String inspect(LocalLine local, String version) throws InterruptedException {
        try (TopicReader reader = TopicReader.open(local.settings(), local.topics(), new Listener());
                FramePublisher publisher = new FramePublisher(local.settings(), local.topics(), "demo")) {
            List<SimulatedCamera> all =
                    SimulatedCamera.of(line, options.simulation().cameras());
            fps = rate(all, publisher);
            if (fps == 0) return null;
            say("In another terminal: ./linesight alerts list -b "
                    + local.settings().get("bootstrap.servers") + " -r "
                    + local.settings().get("schema.registry.url"));
            ledger.startTiming();
            live = true;
            CameraGroup cameras = CameraGroup.start(all, publisher, ledger, fps, -1);
            long begin = System.nanoTime();
            Optional<String> failure = watch(local, cameras, hostileCamera(publisher), version);
            cameras.stopAndAwait();
            say("Cameras stopped; waiting for the last answers.");
            ledger.awaitAnswers(ANSWER_TIMEOUT, () -> local.app().state() != InspectionApp.State.FAILED);
            draw(local, new LiveTable(out, false), (System.nanoTime() - begin) / 1_000_000_000L, version);
            return failure.or(() -> reader.failure().map(e -> "reading the results failed: " + e.getMessage()))
                    .orElse(null);
        }
    }

    /** @return frames a second and camera; 0 when the demo is to stop */
    private double rate(List<SimulatedCamera> cameras, FramePublisher publisher) throws InterruptedException {
        Double fixed = options.simulation().fps();
        if (fixed != null) return fixed;
        say("Warm-up: the cameras expose as fast as frames are answered, to find the rate that this machine bears.");
        double all = new WarmUp(publisher, ledger, stop).measure(cameras);
        if (all > 0)
            say(String.format(
                    Locale.ROOT,
                    "This machine answers %.1f frames/s. The cameras take %.0f %% of that: %.2f frames/s each.",
                    all / WarmUp.SHARE,
                    100 * WarmUp.SHARE,
                    all / cameras.size()));
        return all / cameras.size();
    }

    /** Draws the table every second, until the run is over or something has failed. */
    private Optional<String> watch(LocalLine local, CameraGroup cameras, HostileCamera hostile, String version)
            throws InterruptedException {
        LiveTable table = new LiveTable(out, options.terminal());
        long begin = System.nanoTime();
        for (long second = 1; ; second++) {
            long until = begin + second * 1_000_000_000L;
            if (stop.await(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS)) return Optional.empty();
            otherLoad.read();
            if (options.hostileSeconds() > 0 && second % options.hostileSeconds() == 0) sendBroken(hostile);
            if (options.terminal() || second % TABLE_SECONDS == 0) draw(local, table, second, version);
            Optional<String> failure =
                    local.failure().or(() -> cameras.failure().map(e -> "a camera stopped: " + e.getMessage()));
            if (failure.isPresent() || isOver(begin)) return failure;
        }
    }

    private boolean isOver(long begin) {
        return options.duration() != null
                && System.nanoTime() - begin >= options.duration().toNanos();
    }

    private HostileCamera hostileCamera(FramePublisher publisher) {
        return new HostileCamera(
                publisher, new SimulatedCamera(line, 0).next().orElseThrow().image());
    }

    private void sendBroken(HostileCamera hostile) {
        hostile.send().whenComplete((ref, error) -> {
            if (error == null) ledger.sent(ref, new SentFrame(HostileCamera.ID, -1, null, null, null));
            else ledger.rejected();
        });
    }

    private final class Listener extends LedgerListener {
        Listener() {
            super(ledger);
        }

        @Override
        public void result(InspectionResult result, long arrivedMicros) {
            super.result(result, arrivedMicros);
            if (live) stats.result(result, arrivedMicros);
        }

        @Override
        public void anomaly(AnomalyEvent event) {
            super.anomaly(event);
            heatmaps.offer(event);
        }
    }

    private void draw(LocalLine local, LiveTable table, long second, String version) {
        String end = options.duration() == null
                ? ""
                : " of " + clock(options.duration().toSeconds());
        String head = String.format(
                Locale.ROOT, "%s%s   model %s   %.2f frames/s per camera", clock(second), end, version, fps);
        String foot = "  sent " + ledger.frames() + "   in flight " + ledger.open() + "   anomaly events "
                + ledger.anomalies() + "   active alerts " + local.activeAlerts() + "   dead letters "
                + ledger.deadLetters()
                + otherLoad.remark().map(remark -> "   " + remark).orElse("");
        table.draw(head, stats.rows(System.currentTimeMillis() * 1000), foot);
    }

    private static String clock(long seconds) {
        return String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60);
    }

    private void say(String text) {
        out.println(text);
        out.flush();
    }
}
