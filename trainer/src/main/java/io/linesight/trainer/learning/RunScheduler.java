package io.linesight.trainer.learning;

import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts training runs when a trigger fires, one at a time, on a thread of their own, and records how they end. An
 * interrupted run resumes before a new one starts.
 *
 * <p>Threads: {@link #startIfDue} belongs to the loop thread; every other method may be called from any.
 */
final class RunScheduler {
    private static final Logger LOG = LoggerFactory.getLogger(RunScheduler.class);
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS").withZone(ZoneOffset.UTC);
    private static final int RUNS_KEPT = 3;
    private static final String TRIGGER_FILE = "train.now";

    private final TrainingRun.Environment environment;
    private final TrainerConfig config;
    private final EventLog events;
    private final RunCounters counters;
    private final TrainingView view;
    private final Lease lease;
    private final ServiceHealth health;
    private final TrainerService.Timing timing;
    private final Clock clock;
    private final Path folder;
    private final Deadline retry;
    private volatile TrainingHistory history;
    private volatile boolean triggered;
    private volatile @Nullable Thread thread;
    private volatile @Nullable RunFolder current;

    /** @throws IOException when the folder of runs cannot be used */
    RunScheduler(
            TrainingRun.Environment environment,
            RunCounters counters,
            TrainingView view,
            Lease lease,
            ServiceHealth health,
            TrainerService.Timing timing,
            Clock clock,
            LongSupplier nanoTime)
            throws IOException {
        this.environment = environment;
        this.counters = counters;
        this.view = view;
        this.lease = lease;
        this.health = health;
        this.timing = timing;
        this.clock = clock;
        config = environment.config();
        events = environment.events();
        folder = config.folder().resolve("runs");
        Files.createDirectories(folder);
        history = TrainingHistory.read(config.folder(), clock.instant());
        retry = new Deadline(nanoTime);
    }

    /** Starts a run as soon as this trainer is active and none is in progress. */
    void trigger() {
        triggered = true;
    }

    boolean isRunning() {
        Thread t = thread;
        return t != null && t.isAlive();
    }

    /** The run in progress, if there is one. */
    Optional<RunFolder> running() {
        return isRunning() ? Optional.ofNullable(current) : Optional.empty();
    }

    /** Normals that people labelled since the last run. */
    int newNormals() {
        return environment.store().normalsSince(history.triggeredThrough());
    }

    /** Resumes an interrupted run or starts a new one, if it is time to. */
    void startIfDue(LabelsReader labels) {
        if (!lease.isHeld() || isRunning() || !retry.hasPassed()) return;
        try {
            RunFolder interrupted = RunFolder.unfinished(folder);
            if (interrupted != null) start(interrupted, "resumes after its last stage");
            else startNew(labels);
        } catch (IOException e) {
            retry.setIn(timing.retry());
            events.waiting(
                    EventLog.NO_RUN,
                    "no run can start or resume in " + folder + " now; tried again every " + seconds(timing.retry())
                            + " s: " + e);
        }
    }

    private void startNew(LabelsReader labels) throws IOException {
        Path triggerFile = config.folder().resolve(TRIGGER_FILE);
        if (Files.exists(triggerFile)) triggered = true;
        // A run should not miss labels that are in the topic already.
        if (!labels.isCaughtUp()) return;
        Optional<String> reason = reason();
        if (reason.isEmpty()) return;
        RunFolder.prune(folder, RUNS_KEPT - 1);
        RunFolder run = RunFolder.create(folder, STAMP.format(clock.instant()));
        // INVARIANT: the run is recorded first. Neither a kill nor a full disk may lose the trigger.
        triggered = false;
        Files.deleteIfExists(triggerFile);
        start(run, reason.get());
    }

    private Optional<String> reason() {
        if (triggered) return Optional.of("triggered on demand");
        TrainerConfig.Triggers triggers = config.triggers();
        int fresh = newNormals();
        if (triggers.afterNormals() > 0 && fresh >= triggers.afterNormals()) return Optional.of(fresh + " new normals");
        boolean scheduled = triggers.every() != null
                && Duration.between(history.lastRun(), clock.instant()).compareTo(triggers.every()) >= 0
                && environment.store().lastSequence() > history.triggeredThrough();
        return scheduled ? Optional.of("on schedule") : Optional.empty();
    }

    private void start(RunFolder run, String reason) {
        current = run;
        counters.follow(run);
        view.follow(run);
        events.info(Kind.RUN_STARTED, run.id, reason);
        long number = lease.number();
        thread = DaemonThreads.start("linesight-trainer-run", () -> run(run, number));
    }

    private void run(RunFolder run, long number) {
        try {
            long through =
                    new TrainingRun(environment, new LeaseGuard(number), history.trainedThrough(), run).execute();
            end(run, "finished", history.afterFinished(through, clock.instant()));
        } catch (CancellationException e) {
            LOG.info("Run {} is suspended: {}", run.id, e.getMessage());
        } catch (TrainingRun.GivenUpException e) {
            if (giveUp(run, e) && e.startOver()) {
                retry.setIn(timing.lateFrame());
                triggered = true;
            }
        } catch (IOException e) {
            suspend(run, e);
        } catch (RuntimeException e) {
            LOG.error("Run {} failed", run.id, e);
            giveUp(run, e);
        } catch (Error e) {
            health.fail(e);
        }
    }

    /** Tells a run whether the lease under which it started is still valid. */
    private final class LeaseGuard implements TrainingRun.Guard {
        private final long number;

        LeaseGuard(long number) {
            this.number = number;
        }

        @Override
        public boolean isCancelled() {
            return health.isStopping() || !lease.isCurrent(number);
        }

        @Override
        public boolean isOwner() {
            return lease.confirm(number);
        }
    }

    private void suspend(RunFolder run, IOException e) {
        retry.setIn(timing.retry());
        events.waiting(
                run.id,
                "a file cannot be read or written; finished stages are kept, and the run resumes after the last "
                        + "recorded stage, tried again every "
                        + seconds(timing.retry()) + " s: " + e);
    }

    /** Ends a run without a challenger; returns false when that cannot be recorded, and the run resumes later. */
    private boolean giveUp(RunFolder run, Exception e) {
        try {
            end(
                    run,
                    "given up: " + e.getMessage(),
                    history.afterGivenUp(environment.store().lastSequence(), clock.instant()));
        } catch (IOException io) {
            suspend(run, io);
            return false;
        }
        events.info(Kind.RUN_FAILED, run.id, String.valueOf(e.getMessage()));
        return true;
    }

    private void end(RunFolder run, String outcome, TrainingHistory after) throws IOException {
        after.write(config.folder());
        history = after;
        run.over(outcome);
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    /** Waits for the run in progress, which suspends itself once the service stops. Not interruptible. */
    void awaitEnd() {
        TrainerService.join(thread);
    }
}
