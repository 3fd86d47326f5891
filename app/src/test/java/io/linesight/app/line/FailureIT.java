package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.app.audit.AuditReport;
import io.linesight.app.audit.CameraCount;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.Rollout;
import io.linesight.streams.FleetInstance;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything breaks while twelve cameras send to three instances: instances are killed, frozen until the broker has
 * given them up, stopped, and joined by a fourth; each of three brokers is killed and restarted; the registry is away
 * while an instance starts; models are swapped; disks are full. In the end every frame has one answer, in order, by the
 * model that the answer names.
 *
 * <p>Three faults in a fixed order, and every fault in a random order, which {@code -Dlinesight.failure.seed} repeats.
 * With {@code -Dlinesight.failure.frames=200000} the run takes as long as the frames do and repeats the faults for all
 * of that time. docs/development.md has the command that runs one test of tier 3.
 */
@Timeout(7200)
class FailureIT {
    private static final long FRAMES = Long.getLong("linesight.failure.frames", 30_000);
    private static final List<Fault> FEW_FAULTS = List.of(Fault.KILL, Fault.KILL_BROKER, Fault.SWAP_AND_KILL);
    private static final long FEW_FRAMES = 5_000;
    private static final long FIXED_SEED = 14;
    private static final int PER_SECOND = Integer.getInteger("linesight.failure.rate", 250);
    /** Names of faults; the others are left out. */
    private static final String ONLY = System.getProperty("linesight.failure.only", "");
    /** Where the broker's files are kept when the test fails; nowhere by default. */
    private static final String KEEP = System.getProperty("linesight.failure.keep", "");

    private enum Fault {
        KILL("an instance is killed"),
        KILL_ALL("all instances are killed at once"),
        STOP("an instance is stopped in order and started again"),
        JOIN("a fourth instance comes and goes"),
        FREEZE("an instance stands still until the group has given it up, and goes on"),
        KILL_BROKER("a broker is killed"),
        BOUNCE_BROKER("a broker is restarted in order"),
        REGISTRY("the registry is away while an instance starts"),
        SWAP("a model is swapped"),
        SWAP_AND_KILL("an instance is killed in the middle of a swap"),
        BROKER_DISK("the disk of a broker is full"),
        INSTANCE_DISK("the disk of an instance is full while a model is swapped");

        final String what;

        Fault(String what) {
            this.what = what;
        }
    }

    private Random random;
    private List<Fault> faults;
    private long minFrames;
    /** Seconds from the end of a fault until frames were committed again. */
    private final Map<Fault, List<Double>> recoveries = new EnumMap<>(Fault.class);

    private final long start = System.nanoTime();
    private final Instant born = Instant.now();
    private BreakableLine line;

    @Test
    @Tag("full")
    void shouldLoseDoubleAndReorderNothingWhenInstancesAndABrokerAreKilled(
            @TempDir(cleanup = CleanupMode.ON_SUCCESS) Path folder) throws Exception {
        minFrames = FEW_FRAMES;
        breakLine(folder, FIXED_SEED, FEW_FAULTS);
    }

    @Test
    @Tag("full")
    void shouldLoseDoubleAndReorderNothingWhateverBreaks(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path folder)
            throws Exception {
        minFrames = FRAMES;
        long seed = Long.getLong("linesight.failure.seed", new Random().nextLong());
        say("seed " + seed + ": repeat with -Dlinesight.failure.seed=" + seed);
        breakLine(
                folder,
                seed,
                ONLY.isEmpty()
                        ? List.of(Fault.values())
                        : Arrays.stream(ONLY.split(",")).map(Fault::valueOf).toList());
    }

    private void breakLine(Path folder, long seed, List<Fault> which) throws Exception {
        random = new Random(seed);
        faults = which;
        try (BreakableLine breakable = new BreakableLine(folder)) {
            line = breakable;
            try {
                breakEverything();
            } catch (Exception | AssertionError e) {
                if (!KEEP.isEmpty()) line.keep(Path.of(KEEP));
                throw e;
            }
        }
    }

    private void breakEverything() throws Exception {
        line.superviseInstances();
        line.awaitRunning();
        BreakableLine.Cameras cameras = line.cameras(Long.MAX_VALUE, PER_SECOND);
        cameras.start();
        List<Fault> bag = new ArrayList<>();
        int rounds = 0;
        // A fault that comes after the last frame shows nothing, so on a slow machine there are more frames.
        while (cameras.good() < minFrames || rounds == 0 || !bag.isEmpty() && rounds == 1) {
            if (bag.isEmpty()) {
                bag.addAll(faults);
                if (!line.hasDisks()) bag.removeAll(List.of(Fault.BROKER_DISK, Fault.INSTANCE_DISK));
                Collections.shuffle(bag, random);
                rounds++;
            }
            Fault fault = bag.remove(bag.size() - 1);
            say(fault.what + " (" + cameras.good() + " of at least " + minFrames + " frames sent, "
                    + line.line.committed(BreakableLine.APPLICATION) + " committed)");
            happen(fault, cameras);
            recovered(fault);
            cameras.awaitMore(PER_SECOND / 2 + random.nextInt(5 * PER_SECOND / 2));
        }
        cameras.on = false;
        cameras.join();
        say("all sent; the rest is awaited");
        line.awaitRunning();
        line.awaitAllCommitted(cameras.good() + cameras.bad());
        say("all committed");
        check(cameras);
    }

    /** Waits until frames are committed again: a fault that meets a line which stands still anyway shows little. */
    private void recovered(Fault fault) {
        long from = System.nanoTime();
        try {
            line.awaitProgress();
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("nothing is committed after: " + fault.what + "\n" + line.logs(), e);
        }
        recoveries.computeIfAbsent(fault, f -> new ArrayList<>()).add((System.nanoTime() - from) / 1e9);
    }

    private String anyone() {
        return BreakableLine.NAMES.get(random.nextInt(BreakableLine.NAMES.size()));
    }

    private void happen(Fault fault, BreakableLine.Cameras cameras) throws Exception {
        switch (fault) {
            case KILL -> line.kill(anyone());
            case KILL_ALL -> {
                for (String name : BreakableLine.NAMES) line.kill(name);
            }
            case STOP -> {
                line.awaitRunning();
                line.stop(anyone());
            }
            case JOIN -> {
                line.launch("line-3");
                line.instance("line-3").awaitSaying(FleetInstance.RUNNING);
                cameras.awaitMore(2 * PER_SECOND);
                line.stop("line-3");
            }
            case FREEZE -> freeze(anyone(), cameras);
            case KILL_BROKER -> {
                int broker = random.nextInt(BreakableLine.BROKERS);
                line.killBroker(broker);
                cameras.awaitMore(PER_SECOND + random.nextInt(4 * PER_SECOND));
                line.startBroker(broker);
            }
            case BOUNCE_BROKER -> {
                int broker = random.nextInt(BreakableLine.BROKERS);
                line.stopBroker(broker);
                line.startBroker(broker);
            }
            case REGISTRY -> {
                line.stopRegistry();
                String name = anyone();
                line.kill(name);
                line.launch(name);
                // Longer than an instance asks a registry that does not answer (5 s).
                cameras.awaitMore(8 * PER_SECOND);
                line.startRegistry();
            }
            case SWAP -> {
                line.awaitRunning();
                line.awaitServed(line.promoteNext());
            }
            case SWAP_AND_KILL -> {
                line.promoteNext();
                cameras.awaitMore(random.nextInt(PER_SECOND / 2));
                line.kill(anyone());
            }
            case BROKER_DISK -> {
                boolean ended = line.fillBrokerDisk();
                say("  full; the broker " + (ended ? "ended of itself" : "stood still and was killed"));
                cameras.awaitMore(2 * PER_SECOND);
                line.freeBrokerDisk();
            }
            case INSTANCE_DISK -> fullInstanceDisk(cameras);
            default -> throw new AssertionError(fault);
        }
    }

    private void freeze(String name, BreakableLine.Cameras cameras) throws Exception {
        long pid = line.instance(name).pid();
        signal("STOP", pid);
        // Longer than the session (6 s), so that others have taken over what it holds when it goes on.
        cameras.awaitMore(9 * PER_SECOND);
        signal("CONT", pid);
    }

    private static void signal(String name, long pid) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, "" + pid).start().waitFor())
                .isZero();
    }

    private void fullInstanceDisk(BreakableLine.Cameras cameras) throws Exception {
        line.awaitRunning();
        line.fillInstanceDisk();
        Rollout decision = line.promoteNext();
        for (String name : BreakableLine.NAMES) {
            if (!name.equals(BreakableLine.ON_SMALL_DISK))
                line.desk.awaitStatus(
                        name, decision.getChampion(), ModelState.ACTIVE, decision.getRevision(), () -> line.instance(
                                        name)
                                .said());
        }
        cameras.awaitMore(2 * PER_SECOND);
        ModelStatus status = line.desk
                .status(BreakableLine.ON_SMALL_DISK, decision.getChampion())
                .orElse(null);
        say("  the instance says: " + (status == null ? "nothing" : status.getState() + " " + status.getReason()));
        line.freeInstanceDisk();
        line.superviseInstances();
        line.awaitRunning();
        line.awaitServed(line.promoteNext());
    }

    private void check(BreakableLine.Cameras cameras) throws Exception {
        List<Instant> scored = new ArrayList<>();
        long[] latency = new long[(int) Math.min(Integer.MAX_VALUE - 8, cameras.good())];
        Map<String, InspectionResult> first = new HashMap<>();
        List<String> twice = new ArrayList<>();
        AuditReport report = counted(r -> {
            InspectionResult before = first.putIfAbsent(r.getResultId(), r);
            if (before != null && twice.size() < 20)
                twice.add(r.getResultId() + " by " + before.getModelVersion() + " at " + since(before.getScoredAt())
                        + " and by " + r.getModelVersion() + " at " + since(r.getScoredAt()));
            if (scored.size() < latency.length)
                latency[scored.size()] =
                        Duration.between(r.getCapturedAt(), r.getScoredAt()).toMillis();
            scored.add(r.getScoredAt());
        });
        Collections.sort(scored);
        long pause = 0;
        for (int i = 1; i < scored.size(); i++)
            pause = Math.max(
                    pause, Duration.between(scored.get(i - 1), scored.get(i)).toMillis());
        Arrays.sort(latency);
        recoveries.forEach((fault, seconds) -> System.out.printf(
                Locale.ROOT,
                "FailureIT: %3d x %s; committed again after %.1f s in the mean, %.1f s at most%n",
                seconds.size(),
                fault.what,
                seconds.stream().mapToDouble(d -> d).average().orElse(0),
                Collections.max(seconds)));
        System.out.print(report.table());
        System.out.println(
                "FailureIT: scored by version " + report.versions() + ", dead letters " + report.deadLetters() + ", "
                        + report.uncommitted() + " results of transactions that were given up stayed invisible");
        System.out.printf(
                Locale.ROOT,
                "FailureIT: %d faults in %.0f s; from exposure to score p50 %d ms, p99 %d ms, longest %d ms; longest "
                        + "time without any score %d ms; %d instances ended of themselves%n",
                recoveries.values().stream().mapToInt(List::size).sum(),
                (System.nanoTime() - start) / 1e9,
                latency[latency.length / 2],
                latency[(int) (latency.length * 0.99)],
                latency[latency.length - 1],
                pause,
                line.deaths.size());
        line.deaths.forEach(d -> System.out.println("FailureIT: ended of itself: " + d));
        twice.forEach(t -> System.out.println("FailureIT: twice: " + t));
        CameraCount total = report.total();
        assertThat(total.sent())
                .as("records of the cameras in the topic")
                .isEqualTo(cameras.good() + cameras.bad())
                .isEqualTo(line.line.acknowledged());
        assertThat(report.cameras()).as("cameras, and the broken one").hasSize(BreakableLine.CAMERAS + 1);
        assertThat(report.clean())
                .as("nothing lost, doubled or out of order:\n%s", report.table())
                .isTrue();
        assertThat(total.waiting()).isZero();
        assertThat(total.scored()).isEqualTo(cameras.good());
        assertThat(total.rejected()).isEqualTo(cameras.bad());
        if (faults.size() == Fault.values().length)
            assertThat(report.versions().size())
                    .as("versions that scored: %s", report.versions())
                    .isGreaterThanOrEqualTo(3);
    }

    private AuditReport counted(Consumer<InspectionResult> each) throws Exception {
        try {
            return line.audit(each);
        } catch (IllegalStateException e) {
            throw new AssertionError(e.getMessage() + '\n' + line.logs(), e);
        }
    }

    /** On the same clock as what is said. */
    private String since(Instant at) {
        return String.format(Locale.ROOT, "%.2f s", Duration.between(born, at).toMillis() / 1e3);
    }

    private void say(String what) {
        System.out.printf(Locale.ROOT, "FailureIT %6.1f s: %s%n", (System.nanoTime() - start) / 1e9, what);
    }
}
