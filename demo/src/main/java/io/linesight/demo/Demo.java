package io.linesight.demo;

import io.linesight.cameras.CameraDriver;
import io.linesight.cameras.FramePublisher;
import io.linesight.cameras.SentFrames.SentFrame;
import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.LocalLine;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.line.SimulatedCamera;
import io.linesight.demo.line.TopicReader;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.simulator.SimulatedLine;
import io.linesight.streams.InspectionApp;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A whole line in one process: broker, registry, simulated cameras, inspection, and a table of what comes out.
 * {@link #run} blocks until the time is over or {@link #stop} is called, then drains, so that every frame has its
 * answer before the summary.
 */
public final class Demo {
    /** Give up waiting for answers when none has come for so long. */
    private static final Duration STALLED = Duration.ofSeconds(45);

    private final DemoOptions options;
    private final PrintWriter out;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Ledger ledger = new Ledger();
    private final LiveStats stats = new LiveStats();

    /**
     * What came out.
     *
     * @param peaks of the defective frames found, how many have their highest peak on the defect, and out of how many;
     *     null when not measured
     * @param failure what ended the run early; null when all went well
     */
    public record Outcome(RunSummary summary, HeatmapFolder.Peaks peaks, String modelVersion, String failure) {}

    public Demo(DemoOptions options, PrintWriter out) {
        this.options = options;
        this.out = out;
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
        SimulatedLine line = new SimulatedLine(options.seed(), options.defectRate());
        HeatmapFolder heatmaps = new HeatmapFolder(line, options.pictures());
        say("Linesight demo: " + options.cameras() + " simulated cameras, seed " + options.seed() + ", everything in "
                + options.folder());
        try (LocalLine local = LocalLine.start(
                options.folder(),
                options.model(),
                options.port(),
                options.registryPort(),
                options.app(),
                text -> say("  started " + text))) {
            if (!local.app().awaitRunning(Duration.ofSeconds(60)))
                throw new IllegalStateException(
                        "the inspection app did not begin to work within 60 s; its log is in " + options.folder());
            String version = local.app().modelVersion().orElse("?");
            String failure = null;
            try (TopicReader reader = TopicReader.open(local.settings(), local.topics(), listener(heatmaps));
                    FramePublisher publisher = new FramePublisher(local.settings(), local.topics(), "demo")) {
                failure = operate(local, publisher, line, version);
                if (failure == null && reader.failure() != null)
                    failure = "reading the results failed: " + reader.failure().getMessage();
            }
            RunSummary summary = RunSummary.of(ledger);
            HeatmapFolder.Peaks peaks = options.pictures() > 0
                    ? heatmaps.write(options.folder().resolve("heatmaps"), ledger, summary, version)
                    : null;
            return new Outcome(summary, peaks, version, failure);
        }
    }

    private TopicReader.Listener listener(HeatmapFolder heatmaps) {
        return new TopicReader.Listener() {
            @Override
            public void result(InspectionResult result, long arrivedMicros) {
                ledger.result(result, arrivedMicros);
                stats.result(result, arrivedMicros);
            }

            @Override
            public void anomaly(AnomalyEvent event) {
                ledger.anomaly(event.getResult().getFrameRef());
                heatmaps.offer(event);
            }

            @Override
            public void deadLetter(FrameRef source, String code, String message) {
                if (source != null) ledger.deadLetter(source, code);
            }
        };
    }

    private String operate(LocalLine local, FramePublisher publisher, SimulatedLine line, String version)
            throws InterruptedException {
        RateController rate = new RateController(options.fps(), 60);
        List<CameraDriver> drivers = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < options.cameras(); i++) {
            CameraDriver driver = new CameraDriver(new SimulatedCamera(line, i), publisher, ledger, rate::rate, -1);
            drivers.add(driver);
            threads.add(DaemonThreads.create("linesight-camera-" + (i + 1), driver));
        }
        HostileCamera hostile = new HostileCamera(
                publisher, new SimulatedCamera(line, 0).next().orElseThrow().image());
        LiveTable table = new LiveTable(out, options.terminal());
        long begin = System.nanoTime();
        threads.forEach(Thread::start);
        String failure = null;
        long answeredBefore = 0;
        for (long second = 1; failure == null; second++) {
            long until = begin + second * 1_000_000_000L;
            if (stop.await(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS)) break;
            long answered = ledger.results() + ledger.deadLetters();
            rate.tick(ledger.open(), answered - answeredBefore);
            answeredBefore = answered;
            if (options.hostileSeconds() > 0 && second % options.hostileSeconds() == 0) throwIn(hostile);
            if (options.terminal() || second % 10 == 0) draw(table, second, rate.rate(), version);
            if (local.app().state() == InspectionApp.State.FAILED)
                failure = "the inspection app stopped: "
                        + local.app().failure().map(Throwable::getMessage).orElse("see the log");
            for (CameraDriver d : drivers)
                if (d.failure() != null)
                    failure = "a camera stopped: " + d.failure().getMessage();
            if (options.duration() != null
                    && System.nanoTime() - begin >= options.duration().toNanos()) break;
        }
        drivers.forEach(CameraDriver::stop);
        for (Thread t : threads) t.join(60_000);
        say("Cameras stopped; waiting for the last answers.");
        ledger.awaitAnswers(STALLED, () -> local.app().state() != InspectionApp.State.FAILED);
        draw(new LiveTable(out, false), (System.nanoTime() - begin) / 1_000_000_000L, rate.rate(), version);
        return failure;
    }

    private void throwIn(HostileCamera hostile) {
        hostile.send().whenComplete((ref, error) -> {
            if (error == null) ledger.sent(ref, new SentFrame(HostileCamera.ID, -1, null, null, null));
            else ledger.rejected();
        });
    }

    private void draw(LiveTable table, long second, double rate, String version) {
        long now = System.currentTimeMillis() * 1000;
        String head = String.format(
                Locale.ROOT,
                "%d:%02d%s   model %s   %.1f frames/s per camera asked for",
                second / 60,
                second % 60,
                options.duration() == null
                        ? ""
                        : " of " + options.duration().toSeconds() / 60 + ":"
                                + String.format("%02d", options.duration().toSeconds() % 60),
                version,
                rate);
        String foot = "  sent " + ledger.frames() + "   under way " + ledger.open() + "   anomaly events "
                + ledger.anomalies() + "   dead letters " + ledger.deadLetters();
        table.draw(head, stats.rows(now), foot);
    }

    private void say(String text) {
        out.println(text);
        out.flush();
    }
}
